#include "worker/repository/schema_repository.h"

#include "worker/repository/database_private.h"
#include "worker/repository/schema_version.h"

enum {
    MIGRATION_CALL_TIMEOUT_MS = 65000, /* somebody else may be migrating, or building an index */
};

#define MIGRATION_BEGIN                                                                            \
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '60s'; "                  \
    "SET LOCAL lock_timeout = '50s'; SET LOCAL search_path = pg_catalog, pg_temp"

bool
schema_version_read(Database *database, bool *ret_readable, int *ret_version, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *presence = NULL;
    CLEANUP(pg_result_freep) PGresult *version = NULL;
    if (!database_exec_once(database, SQL_SCHEMA_VERSION_EXISTS, NULL, 0, &presence, err))
        return false;
    const bool present = pg_result_bool(presence, 0, 0);
    const bool readable = pg_result_bool(presence, 0, 1);
    if (readable && !database_exec_once(database, SQL_SCHEMA_VERSION, NULL, 0, &version, err))
        return false;
    *ret_readable = readable || !present;
    *ret_version = readable ? (int)pg_result_int64(version, 0, 0) : 0;
    return true;
}

static bool
apply(Database *database, int version, Error *err)
{
    const SqlFile *migration = &sql_migrations[version - 1];
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_int64(version), pg_param_text(migration->name)};
    return (database_exec_text(database, migration->text, err) &&
            database_exec_once(database, SQL_SCHEMA_VERSION_ADD, params, ARRAY_LEN(params), &result,
                               err)) ||
           error_wrap(err, "apply migration %s", migration->name);
}

/* Applies the next version, if there is one, in the transaction that the caller began. */
static bool
apply_next(Database *database, int *ret_version, bool *ret_applied, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *lock = NULL;
    bool readable;
    int version;
    if (!database_exec_once(database, SQL_SCHEMA_MIGRATE_LOCK, NULL, 0, &lock, err) ||
        !schema_version_read(database, &readable, &version, err))
        return false;
    if (!readable)
        return error_set_sqlstate(err, REASON_SCHEMA_UNFIT, "42501",
                                  "schema cleanup_worker belongs to another role, which has to run "
                                  "the migration");
    if (version > SQL_MIGRATION_COUNT)
        return error_set(err, REASON_SCHEMA_UNFIT,
                         "schema cleanup_worker has version %d, but this build knows %d; run a "
                         "newer build",
                         version, SQL_MIGRATION_COUNT);
    const bool pending = version < SQL_MIGRATION_COUNT;
    if (pending && !apply(database, version + 1, err))
        return false;
    *ret_version = version;
    *ret_applied = pending;
    return true;
}

bool
schema_migrate(Database *database, int *ret_before, int *ret_after, Error *err)
{
    int before = -1;
    int version = 0;
    bool applied = true;
    if (!database_open(database, err))
        return false;
    pg_conn_set_call_timeout(database->conn, MIGRATION_CALL_TIMEOUT_MS);
    while (applied) {
        if (!database_exec_text(database, MIGRATION_BEGIN, err) ||
            !apply_next(database, &version, &applied, err) || !database_commit(database, err)) {
            database_rollback(database);
            return error_wrap(err, "migrate schema cleanup_worker");
        }
        if (before < 0)
            before = version;
    }
    *ret_before = before;
    *ret_after = version;
    return true;
}

/* What the worker requires before it runs: each check names the first thing amiss and the statement
 * to run. */
#include "worker/repository/database_private.h"
#include "worker/repository/schema_repository.h"
#include "worker/repository/schema_version.h"

#define REFUSE(err, ...) error_set((err), REASON_SCHEMA_UNFIT, __VA_ARGS__)

static bool
check_version(Database *database, Error *err)
{
    bool readable;
    int version;
    const char *role = pg_conn_user(database->conn);
    if (!schema_version_read(database, &readable, &version, err))
        return false;
    if (!readable)
        return REFUSE(
            err,
            "role %s may not use schema cleanup_worker; run: GRANT USAGE ON SCHEMA "
            "cleanup_worker TO \"%s\"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES "
            "IN SCHEMA cleanup_worker TO \"%s\"",
            role, role, role);
    if (version == 0)
        return REFUSE(err, "schema cleanup_worker is missing; run: cleanup-worker migrate");
    if (version < SQL_MIGRATION_COUNT)
        return REFUSE(err,
                      "schema cleanup_worker has version %d, but this build wants %d; run: "
                      "cleanup-worker migrate",
                      version, SQL_MIGRATION_COUNT);
    if (version > SQL_MIGRATION_COUNT)
        return REFUSE(err,
                      "schema cleanup_worker has version %d, but this build knows %d; run a newer "
                      "build",
                      version, SQL_MIGRATION_COUNT);
    return true;
}

static bool
refuse_column(const PGresult *result, Error *err)
{
    const char *table = pg_result_text(result, 0, 0);
    const char *column = pg_result_text(result, 0, 1);
    if (pg_result_bool(result, 0, 3))
        return REFUSE(err, "table %s has no column %s; run: ALTER TABLE %s ADD COLUMN %s %s", table,
                      column, table, column, pg_result_text(result, 0, 2));
    return REFUSE(err, "the role may not read column %s of table %s; run: GRANT SELECT ON %s TO %s",
                  column, table, table, pg_result_text(result, 0, 4));
}

static bool
refuse_label(const PGresult *result, Error *err)
{
    const char *type = pg_result_text(result, 0, 1);
    const char *label = pg_result_text(result, 0, 2);
    return REFUSE(err,
                  "type %s of column status of table %s has no label %s; run: ALTER TYPE %s ADD "
                  "VALUE %s",
                  type, pg_result_text(result, 0, 0), label, type, label);
}

static bool
refuse_privilege(const PGresult *result, Error *err)
{
    const char *table = pg_result_text(result, 0, 0);
    const char *privilege = pg_result_text(result, 0, 1);
    return REFUSE(err, "the role lacks %s on table %s; run: GRANT %s ON %s TO %s", privilege, table,
                  privilege, table, pg_result_text(result, 0, 2));
}

static bool
refuse_row_security(const PGresult *result, Error *err)
{
    return REFUSE(err,
                  "row security of table %s applies to the role and could hide rows from it; run: "
                  "ALTER ROLE %s BYPASSRLS",
                  pg_result_text(result, 0, 0), pg_result_text(result, 0, 1));
}

static bool
refuse_foreign_key(const PGresult *result, Error *err)
{
    const char *table = pg_result_text(result, 0, 0);
    const char *column = pg_result_text(result, 0, 1);
    const char *name = pg_result_text(result, 0, 4);
    if (name == NULL)
        return REFUSE(err,
                      "table %s has no foreign key on %s; run: ALTER TABLE %s ADD FOREIGN KEY (%s) "
                      "REFERENCES %s (%s)",
                      table, column, table, column, pg_result_text(result, 0, 2),
                      pg_result_text(result, 0, 3));
    if (!pg_result_bool(result, 0, 5))
        return REFUSE(err,
                      "foreign key %s of table %s is not valid; run: ALTER TABLE %s VALIDATE "
                      "CONSTRAINT %s",
                      name, table, table, name);
    return REFUSE(err,
                  "foreign key %s of table %s is deferrable, which voids the worker's locks; run: "
                  "ALTER TABLE %s ALTER CONSTRAINT %s NOT DEFERRABLE",
                  name, table, table, name);
}

static bool
refuse_reference(const PGresult *result, Error *err)
{
    const char *table = pg_result_text(result, 0, 0);
    const char *name = pg_result_text(result, 0, 1);
    if (!pg_result_bool(result, 0, 2))
        return REFUSE(err,
                      "table %s references the sessions by %s; run: ALTER TABLE %s DROP CONSTRAINT "
                      "%s, or add it to tables.session_references: sessions with a row there are "
                      "then kept",
                      table, name, table, name);
    if (!pg_result_bool(result, 0, 3))
        return REFUSE(err,
                      "foreign key %s of table %s is not valid; run: ALTER TABLE %s VALIDATE "
                      "CONSTRAINT %s",
                      name, table, table, name);
    if (pg_result_bool(result, 0, 4))
        return REFUSE(err,
                      "foreign key %s of table %s is deferrable, which voids the worker's locks; "
                      "run: ALTER TABLE %s ALTER CONSTRAINT %s NOT DEFERRABLE",
                      name, table, table, name);
    return REFUSE(err, "the role may not read table %s; run: GRANT SELECT ON %s TO %s", table,
                  table, pg_result_text(result, 0, 6));
}

/* Runs a check that returns one row for each thing amiss. */
static bool
check_rows(Database *database, SqlId sql, const PgParam *params, size_t count,
           bool (*refuse)(const PGresult *result, Error *err), Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!database_exec_once(database, sql, params, count, &result, err))
        return false;
    return pg_result_rows(result) == 0 || refuse(result, err);
}

static bool
check_references(Database *database, Error *err)
{
    PgArray listed = database_array(database, PG_TEXT);
    database_add_reference_names(database->settings, &listed);
    const PgParam params[] = {pg_param_text(database_table(database, TABLE_SESSIONS)),
                              pg_param_text(database_table(database, TABLE_IMAGE_SENT)),
                              pg_param_text(database_table(database, TABLE_VIDEO_SENT)),
                              pg_param_array(&listed)};
    return check_rows(database, SQL_SCHEMA_REFERENCES, params, ARRAY_LEN(params), refuse_reference,
                      err);
}

static bool
check_application(Database *database, Error *err)
{
    PgArray tables = database_array(database, PG_TEXT);
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        pg_array_add(&tables, database_table(database, table));
    const PgParam params[] = {pg_param_array(&tables)};
    const PgParam bookings[] = {pg_param_text(database_table(database, TABLE_BOOKINGS))};
    return check_rows(database, SQL_SCHEMA_COLUMNS, params, 1, refuse_column, err) &&
           check_rows(database, SQL_SCHEMA_LABELS, bookings, 1, refuse_label, err) &&
           check_rows(database, SQL_SCHEMA_PRIVILEGES, params, 1, refuse_privilege, err) &&
           check_rows(database, SQL_SCHEMA_ROW_SECURITY, params, 1, refuse_row_security, err) &&
           check_rows(database, SQL_SCHEMA_FOREIGN_KEYS, params, 1, refuse_foreign_key, err) &&
           check_references(database, err);
}

/* Names that the catalog does not know, or hides: at start that is for the operator to mend. */
static bool
refuse_names(const Database *database, Error *err)
{
    const Error cause = *err;
    if (cause.reason == REASON_SETTING_UNFIT)
        error_become(err, REASON_SCHEMA_UNFIT);
    if (cause.scope != ERROR_SCOPE_TARGET)
        return false;
    if (cause.reason != REASON_PRIVILEGE_MISSING) {
        error_become(err, REASON_SCHEMA_UNFIT);
        return false;
    }
    return error_set_sqlstate(err, REASON_SCHEMA_UNFIT, cause.sqlstate,
                              "%s; run: GRANT USAGE ON SCHEMA <that schema> TO \"%s\"",
                              cause.detail, pg_conn_user(database->conn));
}

bool
schema_check(Database *database, Error *err)
{
    if (!database_open(database, err) || !check_version(database, err))
        return false;
    if (!database_connect(database, err))
        return refuse_names(database, err);
    return check_application(database, err) &&
           check_rows(database, SQL_SCHEMA_OWN_PRIVILEGES, NULL, 0, refuse_privilege, err);
}

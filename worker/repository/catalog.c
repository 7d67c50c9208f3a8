/* The order of the walk, and the statements of each of its parts. */
#include "worker/repository/catalog_private.h"
#include "worker/repository/schema_version.h"
#include "worker/repository/word_list.h"

#include <string.h>

/* One plan for all looks of a connection: planning takes longer than what is planned.
 * pg_catalog comes first, wherever the role's search path has it: no schema that others may write
 * to stands before it. */
#define WALK_BEGIN                                                                                 \
    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = '5s'; "         \
    "SET LOCAL lock_timeout = '1s'; SET LOCAL jit = off; "                                         \
    "SET LOCAL standard_conforming_strings = on; "                                                 \
    "SET LOCAL plan_cache_mode = force_generic_plan; "                                             \
    "SELECT pg_catalog.set_config('search_path', pg_catalog.rtrim(pg_catalog.concat("              \
    "'pg_catalog, ', pg_catalog.current_setting('search_path')), ', '), true)"

/* The application waits a second at the most for a lock that a look has. The look waits for locks
 * less long than PostgreSQL waits before it searches for deadlocks (deadlock_timeout, 1 s), and has
 * those of one statement alone: so no deadlock is found, whose victim the application could be. */
#define TABLES_BEGIN "SET LOCAL statement_timeout = '1s'; SET LOCAL lock_timeout = '250ms'"

enum {
    PART_TRIES = 3,          /* of what is locked, or slow because it is not in memory */
    CALL_TIMEOUT_MS = 10000, /* above the time-out of a statement */
    TEXT_BYTES = 160,
};

static bool
exec_text(Database *database, const char *text, PGresult **ret_result, Error *err)
{
    return pg_conn_exec(database->conn, text, ret_result, err);
}

static bool
add_fine(CatalogLook *look, size_t found, const char *code, const char *subject, const char *what,
         Error *err)
{
    return found > 0 || look->unknown > 0 ||
           catalog_add(look->findings, FINDING_OK, code, subject, what, err);
}

static bool
look_server(CatalogLook *look, Error *err)
{
    const PgParam params[] = {pg_param_int64(clock_now_us(look->database->clock)),
                              pg_param_int64(look->database->settings->clock_skew_ms),
                              pg_param_int64(look->database->settings->connections)};
    return catalog_look_findings(look, SQL_CATALOG_SERVER, params, ARRAY_LEN(params), NULL, err);
}

static bool
add_schema(CatalogLook *look, int version, Error *err)
{
    char what[TEXT_BYTES];
    Finding finding = {.level = FINDING_FAIL,
                       .code = version == 0                    ? "schema_missing"
                               : version < SQL_MIGRATION_COUNT ? "schema_old"
                                                               : "schema_new",
                       .subject = "schema",
                       .what = what,
                       .mend = "cleanup-worker migrate"};
    if (version == SQL_MIGRATION_COUNT) {
        (void)snprintf(what, sizeof(what), "cleanup_worker %d, as this program needs", version);
        return catalog_add(look->findings, FINDING_OK, "schema", "schema", what, err);
    }
    if (version == 0)
        (void)snprintf(what, sizeof(what), "cleanup_worker is missing");
    else
        (void)snprintf(what, sizeof(what), "cleanup_worker has version %d, this program needs %d",
                       version, SQL_MIGRATION_COUNT);
    if (version > SQL_MIGRATION_COUNT) {
        finding.mend = NULL;
        finding.why = "A newer program has upgraded it: run a newer one here, too.";
    }
    return findings_add(look->findings, &finding, err);
}

/* A role that may not look is told by its missing privileges alone. */
static bool
look_schema(CatalogLook *look, Error *err)
{
    bool readable;
    int version;
    const PgParam params[] = {pg_param_text(NULL)};
    return schema_version_read(look->database, &readable, &version, err) &&
           (!readable || add_schema(look, version, err)) &&
           catalog_look_findings(look, SQL_CATALOG_OWN_PRIVILEGES, params, 1, NULL, err);
}

static bool
look_tables(CatalogLook *look, Error *err)
{
    size_t found;
    const PgParam params[] = {pg_param_array(&look->tables), pg_param_array(&look->column_tables),
                              pg_param_array(&look->column_names),
                              pg_param_array(&look->column_kinds)};
    return catalog_look_findings(look, SQL_CATALOG_KINDS, params, 1, &found, err) &&
           add_fine(look, found, "table", "tables",
                    "all six are there, no table inherits from them", err) &&
           catalog_look_findings(look, SQL_CATALOG_COLUMNS, params, ARRAY_LEN(params), &found,
                                 err) &&
           add_fine(look, found, "column", "columns",
                    "all are there, of types that the worker takes", err);
}

static bool
look_privileges(CatalogLook *look, const char *role, size_t *ret_found, Error *err)
{
    const PgParam params[] = {pg_param_array(&look->tables), pg_param_array(&look->column_tables),
                              pg_param_array(&look->column_names),
                              pg_param_array(&look->references), pg_param_text(role)};
    return catalog_look_findings(look, SQL_CATALOG_PRIVILEGES, params, ARRAY_LEN(params), ret_found,
                                 err);
}

static bool
look_keys(CatalogLook *look, Error *err)
{
    size_t found;
    const PgParam params[] = {pg_param_array(&look->tables), pg_param_array(&look->references),
                              pg_param_text(look->database->settings->tables.session_references)};
    return catalog_look_findings(look, SQL_CATALOG_FOREIGN_KEYS, params, 1, &found, err) &&
           add_fine(look, found, "foreign_key", "foreign keys",
                    "4 of 4 valid, switched on, not deferrable", err) &&
           catalog_look_findings(look, SQL_CATALOG_REFERENCES, params, ARRAY_LEN(params), &found,
                                 err) &&
           add_fine(look, found, "reference", "references",
                    look->references.count > 0 ? "every table with a key to sessions is listed"
                                               : "no further table references sessions",
                    err);
}

static bool
take_samples(CatalogLook *look, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *statement = NULL;
    CLEANUP(pg_result_freep) PGresult *values = NULL;
    const PgParam params[] = {pg_param_array(&look->tables)};
    if (!database_exec(look->database, SQL_CATALOG_SAMPLES, params, 1, &statement, err))
        return false;
    const char *text = pg_result_text(statement, 0, 0);
    if (text == NULL)
        return true;
    if (!exec_text(look->database, text, &values, err))
        return false;
    for (size_t row = 0; row < pg_result_rows(values); row++)
        pg_array_add(pg_result_bool(values, row, 0) ? &look->senders : &look->statuses,
                     pg_result_text(values, row, 1));
    return true;
}

static bool
look_senders(CatalogLook *look, Error *err)
{
    size_t found;
    const DatabaseTables *tables = &look->database->settings->tables;
    PgArray users = database_array(look->database, PG_TEXT);
    PgArray others = database_array(look->database, PG_TEXT);
    word_list_add(&users, tables->message_sender_user);
    word_list_add(&others, tables->message_sender_others);
    const PgParam params[] = {pg_param_text(look->messages), pg_param_array(&users),
                              pg_param_array(&others), pg_param_array(&look->senders)};
    return catalog_look_findings(look, SQL_CATALOG_SENDERS, params, ARRAY_LEN(params), &found,
                                 err) &&
           add_fine(look, found, "sender", "sender", "an option names every sender that was found",
                    err);
}

static bool
look_statuses(CatalogLook *look, Error *err)
{
    size_t found;
    const DatabaseTables *tables = &look->database->settings->tables;
    const PgParam params[] = {
        pg_param_text(look->bookings), pg_param_text(tables->booking_status_pending),
        pg_param_text(tables->booking_status_expired), pg_param_array(&look->statuses)};
    return catalog_look_findings(look, SQL_CATALOG_STATUSES, params, ARRAY_LEN(params), &found,
                                 err) &&
           add_fine(look, found, "status", "status", "bookings can be pending and expired", err);
}

static bool
look_words(CatalogLook *look, Error *err)
{
    return look_senders(look, err) && look_statuses(look, err);
}

/* An unknown zone would be an error of whatever uses it. */
static bool
look_time_zone(CatalogLook *look, const CatalogNeeds *needs, bool *ret_known, Error *err)
{
    size_t found = 0;
    const PgParam params[] = {pg_param_text(look->database->settings->tables.time_zone)};
    if (needs->is_start &&
        !catalog_look_findings(look, SQL_CATALOG_TIME_ZONE, params, 1, &found, err))
        return false;
    *ret_known = found == 0;
    return true;
}

static bool
look_defaults(CatalogLook *look, Error *err)
{
    size_t found;
    const DatabaseTables *tables = &look->database->settings->tables;
    const PgParam params[] = {pg_param_array(&look->tables), pg_param_text(tables->time_zone),
                              pg_param_bool(tables->time_zone_is_given)};
    return catalog_look_findings(look, SQL_CATALOG_DEFAULTS, params, ARRAY_LEN(params), &found,
                                 err) &&
           add_fine(look, found, "time_zone", "time zone",
                    "no default is the clock of another zone", err);
}

static bool
look_replication(CatalogLook *look, Error *err)
{
    size_t found;
    const PgParam params[] = {pg_param_array(&look->tables)};
    return catalog_look_findings(look, SQL_CATALOG_REPLICATION, params, 1, &found, err) &&
           add_fine(look, found, "replication", "replication",
                    "published rows can be deleted and updated", err);
}

static bool
look_catalog(CatalogLook *look, const CatalogNeeds *needs, bool *ret_zone_known, Error *err)
{
    size_t found;
    return look_server(look, err) && look_schema(look, err) && catalog_look_names(look, err) &&
           look_tables(look, err) && look_privileges(look, NULL, &found, err) &&
           add_fine(look, found, "privilege", "privileges",
                    "the role has all that the worker needs", err) &&
           look_keys(look, err) && look_time_zone(look, needs, ret_zone_known, err) &&
           look_replication(look, err);
}

/* Looks at the newest rows by a statement that the catalog writes, since each table has its own. */
static bool
look_newest(CatalogLook *look, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *statement = NULL;
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_array(&look->tables),
                              pg_param_text(look->database->settings->tables.time_zone),
                              pg_param_int64(look->database->settings->clock_skew_ms)};
    if (!database_exec(look->database, SQL_CATALOG_NEWEST, params, ARRAY_LEN(params), &statement,
                       err))
        return false;
    const char *text = pg_result_text(statement, 0, 0);
    return text == NULL || (exec_text(look->database, text, &result, err) &&
                            catalog_add_rows(look->findings, result, err));
}

/* Whether tables can be read as the worker's statements read them. */
static bool
is_readable(const Findings *findings)
{
    static const char *const hindrances[] = {
        "table_missing", "table_kind",   "reference_missing", "column_missing",
        "column_type",   "row_security", "privilege_missing", "rule"};
    for (size_t i = 0; i < findings->count; i++) {
        for (size_t j = 0; j < ARRAY_LEN(hindrances); j++) {
            if (findings->list[i].level == FINDING_FAIL &&
                finding_is(&findings->list[i], hindrances[j]))
                return false;
        }
    }
    return true;
}

static bool
begin(Database *database, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    pg_conn_set_call_timeout(database->conn, CALL_TIMEOUT_MS);
    return exec_text(database, WALK_BEGIN, &result, err);
}

static bool
begin_tables(Database *database, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    return exec_text(database, TABLES_BEGIN, &result, err);
}

/* A part of the walk that opens the tables, and so meets the locks of others. */
typedef struct Part {
    const char *subject;
    bool (*look)(CatalogLook *look, Error *err);
    bool needs_zone; /* passed over where the zone is unknown */
    bool reads_rows; /* passed over where tables cannot be read */
} Part;

static const Part parts[] = {
    {"time zone", look_defaults, true, false},
    {"rows", take_samples, false, true},
    {"words", look_words, false, false},
    {"newest rows", look_newest, true, true},
    {"indexes", catalog_look_indexes, false, true},
};

/* The rollback gives the locks back. Prepared statements stay. */
static bool
try_part(CatalogLook *look, const Part *part, bool *ret_done, Error *cause, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *begun = NULL;
    CLEANUP(pg_result_freep) PGresult *ended = NULL;
    if (!exec_text(look->database, "SAVEPOINT part", &begun, err))
        return false;
    *ret_done = part->look(look, cause);
    if (!*ret_done && (cause->kind == ERROR_FATAL || database_is_lost(look->database))) {
        *err = *cause;
        return false;
    }
    return exec_text(look->database, "ROLLBACK TO part; RELEASE part", &ended, err);
}

static bool
is_busy(const Error *cause)
{
    return cause->reason == REASON_TABLE_LOCKED || cause->reason == REASON_ROW_LOCKED ||
           cause->reason == REASON_TIMEOUT;
}

/* What the server refuses or does not do in time is no reason to stop: another look follows. */
static bool
look_part(CatalogLook *look, const Part *part, Error *err)
{
    for (int tries = 1;; tries++) {
        bool done = false;
        Error cause = {0};
        if (!try_part(look, part, &done, &cause, err))
            return false;
        if (done)
            return true;
        if (!catalog_forget_plans(look->database, err))
            return false;
        if (!part->reads_rows || !is_busy(&cause) || tries == PART_TRIES)
            return catalog_add(look->findings, FINDING_UNKNOWN, "catalog_unread", part->subject,
                               cause.detail, err);
    }
}

static bool
look_parts(CatalogLook *look, bool zone_known, bool readable, Error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if ((zone_known || !parts[i].needs_zone) && (readable || !parts[i].reads_rows) &&
            !look_part(look, &parts[i], err))
            return false;
    }
    return true;
}

/* The names that a login resolves are those of the walk, but for a listed table without a key. */
static bool
resolve(CatalogLook *look, bool *ret_resolved, Error *err)
{
    Error cause = {0};
    if (database_connect(look->database, &cause)) {
        *ret_resolved = true;
        return true;
    }
    *ret_resolved = false;
    if (cause.reason == REASON_SETTING_UNFIT) /* look_server has a finding for it */
        return true;
    if (cause.scope != ERROR_SCOPE_TARGET) {
        *err = cause;
        return false;
    }
    return catalog_add(look->findings, FINDING_FAIL, "reference_missing", "table", cause.detail,
                       err);
}

static bool
look_tables_themselves(CatalogLook *look, bool zone_known, Error *err)
{
    bool readable = false;
    look->senders = database_array(look->database, PG_TEXT);
    look->statuses = database_array(look->database, PG_TEXT);
    if (is_readable(look->findings) && !resolve(look, &readable, err))
        return false;
    const bool done = begin(look->database, err) && begin_tables(look->database, err) &&
                      look_parts(look, zone_known, readable, err);
    database_rollback(look->database);
    return done && (readable || catalog_add(look->findings, FINDING_UNKNOWN, "catalog_unread",
                                            "rows and indexes",
                                            "not looked at before the above is mended", err));
}

bool
catalog_walk(Database *database, const CatalogNeeds *needs, Findings *findings, Error *err)
{
    CatalogLook look = {.database = database, .findings = findings};
    bool zone_known = true;
    if (!database_open(database, err))
        return false;
    arena_reset(&database->arena);
    const bool done = begin(database, err) && look_catalog(&look, needs, &zone_known, err);
    database_rollback(database);
    if (!done)
        return error_wrap(err, "look at the database's catalog");
    return look_tables_themselves(&look, zone_known, err) ||
           error_wrap(err, "look at the application's tables");
}

bool
catalog_find_privileges(Database *database, const char *role, Findings *findings, Error *err)
{
    CatalogLook look = {.database = database, .findings = findings};
    const PgParam params[] = {pg_param_text(role)};
    if (!database_open(database, err))
        return false;
    arena_reset(&database->arena);
    const bool done =
        begin(database, err) &&
        catalog_look_findings(&look, SQL_CATALOG_OWN_PRIVILEGES, params, 1, NULL, err) &&
        catalog_look_names(&look, err) && look_privileges(&look, role, NULL, err);
    database_rollback(database);
    return done || error_wrap(err, "look up what %s may do", role);
}

bool
catalog_fingerprint(Database *database, char ret_fingerprint[CATALOG_FINGERPRINT_BYTES], Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    PgArray tables = database_array(database, PG_TEXT);
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        pg_array_add(&tables, database_table(database, table));
    const PgParam params[] = {pg_param_array(&tables)};
    if (!database_exec(database, SQL_CATALOG_FINGERPRINT, params, 1, &result, err))
        return false;
    (void)snprintf(ret_fingerprint, CATALOG_FINGERPRINT_BYTES, "%s", pg_result_text(result, 0, 0));
    return true;
}

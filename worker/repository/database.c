#include "worker/repository/database_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CALL_SLACK_MS = 5000, /* beyond statement_timeout: the server's own answer should come first */
    STATEMENT_TIMEOUT_DEFAULT_MS = 30000,
    LEDGER_LOCK_TIMEOUT_MS = 5000,
    BEGIN_TEXT_BYTES = 1024,
};

Database *
database_new(const DatabaseSettings *settings, const Clock *clock)
{
    Database *database = calloc(1, sizeof(*database));
    if (database == NULL)
        return NULL;
    database->settings = settings;
    database->clock = clock;
    return database;
}

void
database_disconnect(Database *database)
{
    pg_conn_free(database->conn);
    database->conn = NULL;
    database_names_free(database->names);
    database->names = NULL;
    memset(database->prepared, 0, sizeof(database->prepared));
}

void
database_free(Database *database)
{
    if (database == NULL)
        return;
    database_disconnect(database);
    arena_done(&database->arena);
    free(database);
}

Arena *
database_arena(Database *database)
{
    return &database->arena;
}

static int
statement_timeout_ms(const Database *database, int timeout_ms)
{
    const int configured_ms = database->settings->statement_timeout_ms;
    if (timeout_ms > 0)
        return timeout_ms;
    return configured_ms > 0 ? configured_ms : STATEMENT_TIMEOUT_DEFAULT_MS;
}

bool
database_open(Database *database, Error *err)
{
    if (database->conn != NULL && !pg_conn_is_lost(database->conn))
        return true;
    database_disconnect(database);
    const PgConnSettings settings = {
        .dsn = database->settings->dsn,
        .application_name = database->settings->application_name,
        .connect_timeout_ms = database->settings->connect_timeout_ms,
        .call_timeout_ms = statement_timeout_ms(database, 0) + CALL_SLACK_MS,
    };
    return pg_conn_open(&settings, &database->conn, err) ||
           error_wrap(err, "connect to PostgreSQL");
}

bool
database_connect(Database *database, Error *err)
{
    if (!database_open(database, err))
        return false;
    if (database->names != NULL)
        return true;
    return database_names_resolve(database->conn, database->settings, &database->arena,
                                  &database->names, err) ||
           error_wrap(err, "look up the application's tables");
}

bool
database_is_lost(const Database *database)
{
    return database->conn != NULL && pg_conn_is_lost(database->conn);
}

/* The statements of a transaction that writes find every row by its key: one plan for all of them,
 * and never a sequential scan, not even of a table that was empty when the plan was made. Where an
 * index is missing there is no other way, at a price that would have each execution compiled. What
 * only reads depends on the cutoff, so it is planned anew each time.
 * row_security off: a policy that hides messages from this role must be an error, never a deleted
 * session. */
static bool
send_begin(Database *database, DatabaseMode mode, int timeout_ms, int64_t *ret_now_us, Error *err)
{
    const int statement_ms = statement_timeout_ms(database, timeout_ms);
    const int lock_ms = statement_ms > LEDGER_LOCK_TIMEOUT_MS ? LEDGER_LOCK_TIMEOUT_MS
                                                              : statement_ms - statement_ms / 5;
    static const char plan_by_key[] =
        "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; "
        "SET LOCAL jit = off";
    char text[BEGIN_TEXT_BYTES];
    (void)snprintf(
        text, sizeof(text),
        "BEGIN ISOLATION LEVEL READ COMMITTED%s; SET LOCAL statement_timeout = %d; "
        "SET LOCAL lock_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = '3s'; "
        "SET LOCAL row_security = off; SET LOCAL datestyle = 'ISO, YMD'; "
        "%s; "
        "SET LOCAL search_path = %s, pg_temp; "
        "SELECT (extract(epoch FROM pg_catalog.now()) * 1000000)::bigint",
        mode == DATABASE_READ ? " READ ONLY" : "", statement_ms, lock_ms,
        mode == DATABASE_READ ? "SET LOCAL plan_cache_mode = force_custom_plan" : plan_by_key,
        database->names->schema);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    pg_conn_set_call_timeout(database->conn, statement_ms + CALL_SLACK_MS);
    if (!pg_conn_exec(database->conn, text, &result, err))
        return error_wrap(err, "begin a transaction");
    *ret_now_us = pg_result_int64(result, 0, 0);
    return true;
}

static bool
check_clock(Database *database, int64_t now_us, Error *err)
{
    const int64_t skew_ms = (now_us - clock_now_us(database->clock)) / CLOCK_US_PER_MS;
    const int64_t allowed_ms = database->settings->clock_skew_ms;
    if (allowed_ms <= 0 || (skew_ms <= allowed_ms && skew_ms >= -allowed_ms))
        return true;
    return error_set(err, REASON_CLOCK_SKEW,
                     "the database's clock is %" PRId64 " ms from this machine's", skew_ms);
}

bool
database_begin(Database *database, DatabaseMode mode, int timeout_ms, int64_t *ret_now_us,
               Error *err)
{
    int64_t now_us = 0;
    const bool was_open = database->conn != NULL && !pg_conn_is_lost(database->conn);
    arena_reset(&database->arena);
    if (!database_connect(database, err))
        return false;
    bool begun = send_begin(database, mode, timeout_ms, &now_us, err);
    /* A connection that died while idle shows only now, when nothing is at stake yet. */
    if (!begun && was_open && database_is_lost(database))
        begun =
            database_connect(database, err) && send_begin(database, mode, timeout_ms, &now_us, err);
    if (!begun || !check_clock(database, now_us, err)) {
        database_rollback(database);
        return false;
    }
    *ret_now_us = now_us;
    return true;
}

bool
database_stop_waiting(Database *database, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    return pg_conn_exec(database->conn, "SET LOCAL lock_timeout = '100ms'", &result, err);
}

/* COMMIT of a failed transaction succeeds with the tag ROLLBACK. A WARNING says that the wait for a
 * synchronous standby was cut short: committed here, perhaps nowhere else. */
bool
database_commit(Database *database, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!pg_conn_exec(database->conn, "COMMIT", &result, err))
        return error_wrap(err, "commit");
    if (strcmp(pg_result_tag(result), "COMMIT") != 0)
        return error_set(err, REASON_NOT_COMMITTED,
                         "the transaction was rolled back instead of committed");
    if (pg_conn_was_warned(database->conn))
        return error_set(err, REASON_COMMIT_UNCONFIRMED,
                         "the commit was not confirmed by the synchronous standby");
    return true;
}

void
database_rollback(Database *database)
{
    if (database->conn == NULL || !pg_conn_in_transaction(database->conn))
        return;
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    /* A connection that cannot even roll back is given up; closing it rolls back too. */
    if (!pg_conn_exec(database->conn, "ROLLBACK", &result, &err))
        database_disconnect(database);
}

bool
database_now(Database *database, int64_t *ret_now_us, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!database_exec(database, SQL_DATABASE_NOW, NULL, 0, &result, err))
        return false;
    *ret_now_us = pg_result_int64(result, 0, 0);
    return true;
}

static bool
check_usable(const Database *database, Error *err)
{
    return (database->conn != NULL && !pg_conn_is_lost(database->conn)) ||
           error_set(err, REASON_CONNECTION_LOST, "there is no connection");
}

bool
database_exec_once(Database *database, SqlId sql, const PgParam *params, size_t count,
                   PGresult **ret_result, Error *err)
{
    const DatabaseNames *names = database->names;
    const char *text = names != NULL ? names->texts[sql] : sql_files[sql].text;
    return (check_usable(database, err) &&
            pg_conn_exec_params(database->conn, text, params, count, ret_result, err)) ||
           error_wrap(err, "%s", sql_files[sql].name);
}

bool
database_exec(Database *database, SqlId sql, const PgParam *params, size_t count,
              PGresult **ret_result, Error *err)
{
    if (!database->settings->prepared_statements || database->names == NULL)
        return database_exec_once(database, sql, params, count, ret_result, err);
    if (!check_usable(database, err))
        return error_wrap(err, "%s", sql_files[sql].name);
    if (!database->prepared[sql]) {
        if (!pg_conn_prepare(database->conn, sql_files[sql].name, database->names->texts[sql], err))
            return error_wrap(err, "prepare %s", sql_files[sql].name);
        database->prepared[sql] = true;
    }
    return pg_conn_exec_prepared(database->conn, sql_files[sql].name, params, count, ret_result,
                                 err) ||
           error_wrap(err, "%s", sql_files[sql].name);
}

bool
database_run(Database *database, SqlId sql, const PgParam *params, size_t count,
             int64_t *ret_affected, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!database_exec(database, sql, params, count, &result, err))
        return false;
    if (ret_affected != NULL)
        *ret_affected = pg_result_affected(result);
    return true;
}

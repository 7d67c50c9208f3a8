/*
 * How a transaction begins: which settings are pinned for the worker's own statements, and which
 * stay as the role and the database have them, because triggers of the application may rely on
 * them.
 *
 * search_path is not touched: every SQL file names functions, types and operators in full, so that
 * no schema of the path can shadow them.
 */
#include "worker/repository/database_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LOCK_TIMEOUT_MS = 500, /* what a statement of the application may wait behind ours, and more */
    LOCKED_TIMEOUT_DEFAULT_MS = 1000,
    BEGIN_TEXT_BYTES = 1536,
};

/* What would change the meaning of a statement or of its answer.
 * row_security off: a policy that hides messages from this role must be an error, never a deleted
 * session. gin_fuzzy_search_limit hides rows, too. client_min_messages: a commit that no standby
 * has confirmed is told by a WARNING. */
#define PINNED                                                                                     \
    "SET LOCAL row_security = off; SET LOCAL TimeZone = 'UTC'; "                                   \
    "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL gin_fuzzy_search_limit = 0; "                     \
    "SET LOCAL client_min_messages = warning; SET LOCAL exit_on_error = off; "

/* The statements of a transaction that writes find every row by its key: one plan for all of them,
 * and never a sequential scan, not even of a table that was empty when the plan was made. Where an
 * index is missing there is no other way, at a price that would have each execution compiled. */
#define PLAN_BY_KEY                                                                                \
    "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; "             \
    "SET LOCAL jit = off; "

/* What only reads depends on the cutoff, so it is planned anew each time. */
#define PLAN_BY_VALUES "SET LOCAL plan_cache_mode = force_custom_plan; "

/* A result is published only after its commit, so that commit must not be lost by a crash: `off` is
 * overruled, the other values are the operator's. */
#define ANSWER                                                                                     \
    "SELECT (extract(epoch FROM pg_catalog.now()) OPERATOR(pg_catalog.*) 1000000)::bigint, "       \
    "pg_catalog.current_setting('session_replication_role'), "                                     \
    "CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' "     \
    "THEN pg_catalog.set_config('synchronous_commit', 'on', true) END"

enum {
    ANSWER_NOW,
    ANSWER_REPLICATION_ROLE,
};

/* A replica's session fires no foreign keys and no triggers of the application. */
static bool
check_replication_role(const PGresult *answer, Error *err)
{
    const char *role = pg_result_text(answer, 0, ANSWER_REPLICATION_ROLE);
    if (role != NULL && strcmp(role, "origin") == 0)
        return true;
    return error_set(err, REASON_SETTING_UNFIT,
                     "session_replication_role is %s, which turns foreign keys and triggers off; "
                     "reset it for this role and this database",
                     role != NULL ? role : "unknown");
}

/* transaction_timeout came with PostgreSQL 17. */
static const char *
unlimited_transaction(const Database *database)
{
    return pg_conn_server_version(database->conn) >= 170000 ? "SET LOCAL transaction_timeout = 0; "
                                                            : "";
}

bool
database_send_begin(Database *database, DatabaseMode mode, int timeout_ms, int64_t *ret_now_us,
                    Error *err)
{
    const int statement_ms = database_statement_timeout_ms(database, timeout_ms);
    const int lock_ms =
        statement_ms > LOCK_TIMEOUT_MS ? LOCK_TIMEOUT_MS : statement_ms - statement_ms / 5;
    const bool reads = mode == DATABASE_READ;
    char text[BEGIN_TEXT_BYTES];
    (void)snprintf(text, sizeof(text),
                   "BEGIN ISOLATION LEVEL READ COMMITTED READ %s; "
                   "SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d; "
                   "SET LOCAL idle_in_transaction_session_timeout = '3s'; %s%s%s%s",
                   reads ? "ONLY" : "WRITE", statement_ms, lock_ms, unlimited_transaction(database),
                   PINNED, reads ? PLAN_BY_VALUES : PLAN_BY_KEY, ANSWER);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    pg_conn_set_call_timeout(database->conn, statement_ms + DATABASE_CALL_SLACK_MS);
    if (!pg_conn_exec(database->conn, text, &result, err)) {
        /* A standby refuses READ WRITE as a feature that it does not have. */
        if (err->reason == REASON_PLAN_STALE)
            error_become(err, REASON_CONNECTION_LOST);
        return error_wrap(err, "begin a transaction");
    }
    if (!check_replication_role(result, err))
        return false;
    *ret_now_us = pg_result_int64(result, 0, ANSWER_NOW);
    return true;
}

bool
database_check_clock(const Database *database, int64_t now_us, Error *err)
{
    const int64_t skew_ms = (now_us - clock_now_us(database->clock)) / CLOCK_US_PER_MS;
    const int64_t allowed_ms = database->settings->clock_skew_ms;
    if (allowed_ms <= 0 || (skew_ms <= allowed_ms && skew_ms >= -allowed_ms))
        return true;
    return error_set(err, REASON_CLOCK_SKEW,
                     "the database's clock is %" PRId64 " ms from this machine's", skew_ms);
}

static int
locked_timeout_ms(const Database *database)
{
    const int statement_ms = database_statement_timeout_ms(database, 0);
    const int configured_ms = database->settings->locked_timeout_ms;
    const int locked_ms = configured_ms > 0 ? configured_ms : LOCKED_TIMEOUT_DEFAULT_MS;
    return locked_ms < statement_ms ? locked_ms : statement_ms;
}

bool
database_limit_statements(Database *database, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    char text[BEGIN_TEXT_BYTES];
    (void)snprintf(text, sizeof(text), "SET LOCAL statement_timeout = %d",
                   locked_timeout_ms(database));
    return pg_conn_exec(database->conn, text, &result, err);
}

/* The looks are over: they have read every table whose rows decide, and hold its lock, so that no
 * policy can be added to it any more. From here on triggers of the application run, under what the
 * role and the database have set. */
bool
database_stop_waiting(Database *database, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    char text[BEGIN_TEXT_BYTES];
    (void)snprintf(text, sizeof(text),
                   "SET LOCAL lock_timeout = '100ms'; SET LOCAL statement_timeout = %d; "
                   "SET LOCAL row_security TO DEFAULT; SET LOCAL datestyle TO DEFAULT",
                   locked_timeout_ms(database));
    return pg_conn_exec(database->conn, text, &result, err);
}

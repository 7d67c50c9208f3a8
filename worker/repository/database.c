#include "worker/repository/database_private.h"

#include "common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    STATEMENT_NAME_BYTES = 64, /* PostgreSQL cuts longer ones */
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
    database->outdated = false;
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

static bool
take_number(uint64_t *ret_number, Error *err)
{
    return getrandom(ret_number, sizeof(*ret_number), 0) == (ssize_t)sizeof(*ret_number) ||
           error_set(err, REASON_RANDOM, "no random number: %s", strerror(errno));
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
        .call_timeout_ms = database_statement_timeout_ms(database, 0) + DATABASE_CALL_SLACK_MS,
    };
    if (!take_number(&database->connection_number, err))
        return false;
    return pg_conn_open(&settings, &database->conn, err) ||
           error_wrap(err, "connect to PostgreSQL");
}

/* In a transaction, so that no time-out of the role cuts the look-up short. */
static bool
resolve_names(Database *database, Error *err)
{
    int64_t now_us;
    const bool resolved = database_send_begin(database, DATABASE_READ, 0, &now_us, err) &&
                          database_names_resolve(database->conn, database->settings,
                                                 &database->arena, &database->names, err);
    database_rollback(database);
    return resolved || error_wrap(err, "look up the application's tables");
}

bool
database_connect(Database *database, Error *err)
{
    return database_open(database, err) &&
           (database->names != NULL || resolve_names(database, err));
}

bool
database_is_lost(const Database *database)
{
    return database->conn != NULL && pg_conn_is_lost(database->conn);
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
    bool begun = database_send_begin(database, mode, timeout_ms, &now_us, err);
    /* A connection that died while idle shows only now, when nothing is at stake yet. */
    if (!begun && was_open && database_is_lost(database))
        begun = database_connect(database, err) &&
                database_send_begin(database, mode, timeout_ms, &now_us, err);
    if (!begun || !database_check_clock(database, now_us, err)) {
        database_rollback(database);
        return false;
    }
    *ret_now_us = now_us;
    return true;
}

bool
database_exec_text(Database *database, const char *text, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    return pg_conn_exec(database->conn, text, &result, err);
}

bool
database_set_savepoint(Database *database, Error *err)
{
    return database_exec_text(database, "SAVEPOINT change", err);
}

bool
database_return_to_savepoint(Database *database, Error *err)
{
    return database_exec_text(database, "ROLLBACK TO SAVEPOINT change", err);
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
    if (!pg_conn_exec(database->conn, "ROLLBACK", &result, &err) || database->outdated)
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

/* Perhaps a column has another type than when the statement was made for it. The next transaction
 * begins with a new connection, which looks again. */
static bool
fail_statement(Database *database, SqlId sql, Error *err)
{
    if (err->reason == REASON_OBJECT_UNFIT)
        database->outdated = true;
    return error_wrap(err, "%s", sql_files[sql].name);
}

bool
database_exec_once(Database *database, SqlId sql, const PgParam *params, size_t count,
                   PGresult **ret_result, Error *err)
{
    const DatabaseNames *names = database->names;
    const char *text = names != NULL ? names->texts[sql] : sql_files[sql].text;
    return (check_usable(database, err) &&
            pg_conn_exec_params(database->conn, text, params, count, ret_result, err)) ||
           fail_statement(database, sql, err);
}

/* A name of this connection alone: behind a pooler the server's own connections are shared, with
 * programs that have the same statement under another text, too. */
static const char *
statement_name(const Database *database, SqlId sql, char name[STATEMENT_NAME_BYTES])
{
    (void)snprintf(name, STATEMENT_NAME_BYTES, "%.40s.%016" PRIx64, sql_files[sql].name,
                   database->connection_number);
    return name;
}

static bool
exec_named(Database *database, SqlId sql, const PgParam *params, size_t count,
           PGresult **ret_result, Error *err)
{
    char name[STATEMENT_NAME_BYTES];
    if (!check_usable(database, err))
        return false;
    (void)statement_name(database, sql, name);
    if (!database->prepared[sql] &&
        !pg_conn_prepare(database->conn, name, database->names->texts[sql], err))
        return error_wrap(err, "prepare");
    database->prepared[sql] = true;
    return pg_conn_exec_prepared(database->conn, name, params, count, ret_result, err);
}

static bool
names_statements(const Database *database)
{
    const DatabaseSettings *settings = database->settings;
    return settings->prepared_statements && database->names != NULL && !database->statements_lost &&
           (settings->statements_lost == NULL || !atomic_load(settings->statements_lost));
}

/* The worker goes on without names, all of its connections; the first one to notice says so. */
static void
give_up_names(Database *database, const Error *err)
{
    atomic_bool *shared = database->settings->statements_lost;
    const bool known = shared != NULL ? atomic_exchange(shared, true) : database->statements_lost;
    database->statements_lost = true;
    if (!known)
        log_warn("prepared statements do not last here, as behind a pooler; the worker goes on "
                 "without them; set postgres.prepared_statements=false",
                 LOG_STR("option", "postgres.prepared_statements"), LOG_ERR(err));
}

bool
database_exec(Database *database, SqlId sql, const PgParam *params, size_t count,
              PGresult **ret_result, Error *err)
{
    if (!names_statements(database))
        return database_exec_once(database, sql, params, count, ret_result, err);
    if (exec_named(database, sql, params, count, ret_result, err))
        return true;
    (void)fail_statement(database, sql, err);
    if (err->reason != REASON_STATEMENT_LOST)
        return false;
    give_up_names(database, err);
    /* A transaction has failed with the statement, and begins anew. */
    if (pg_conn_in_transaction(database->conn))
        return false;
    *err = (Error){0};
    return database_exec_once(database, sql, params, count, ret_result, err);
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

bool
database_copy_in(Database *database, SqlId sql, PgCopy *rows, Error *err)
{
    return (check_usable(database, err) &&
            pg_conn_copy_in(database->conn, sql_files[sql].text, rows, err)) ||
           fail_statement(database, sql, err);
}

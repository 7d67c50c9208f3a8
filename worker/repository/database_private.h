/*
 * database_private: what the files of worker/repository alone need of a Database.
 *
 * Threads:   that of the Database.
 * Invariant: SQL reaches the server as a file of worker/repository/sql and nothing else.
 */
#ifndef WORKER_REPOSITORY_DATABASE_PRIVATE_H
#define WORKER_REPOSITORY_DATABASE_PRIVATE_H

#include "common/pg/pg.h"
#include "worker/repository/database.h"
#include "worker/repository/sql_files.h"

typedef enum DatabaseTable {
    TABLE_USERS,
    TABLE_SESSIONS,
    TABLE_MESSAGES,
    TABLE_IMAGE_SENT,
    TABLE_VIDEO_SENT,
    TABLE_BOOKINGS,
    TABLE_COUNT,
} DatabaseTable;

/* What the catalog says of the configured tables, and the SQL files with these names in them. */
typedef struct DatabaseNames {
    char *tables[TABLE_COUNT]; /* quoted, with their schema */
    char *is_referenced;       /* condition over a session `s`: a listed table has a row for it */
    char *texts[SQL_COUNT];    /* rendered */
} DatabaseNames;

struct Database {
    const DatabaseSettings *settings;
    const Clock *clock;
    PgConn *conn;
    DatabaseNames *names; /* owned; NULL until they are looked up on this connection */
    bool prepared[SQL_COUNT];
    uint64_t connection_number; /* random, of the connection */
    bool statements_lost;       /* prepared ones do not last on these connections */
    bool outdated;              /* `names` say what is no longer so */
    Arena arena;
};

/* The table's name as SQL takes it; NULL where there is no connection, which fails the call that it
 * is a parameter of. */
static inline const char *
database_table(const Database *database, DatabaseTable table)
{
    return database->names != NULL ? database->names->tables[table] : NULL;
}

/* The psql variable of a table, which is its option in [tables] too; what that option says. */
const char *database_table_name(DatabaseTable table);
const char *database_table_identifier(const DatabaseSettings *settings, DatabaseTable table);

/* An array parameter in the transaction's memory. */
static inline PgArray
database_array(Database *database, PgElement element)
{
    return (PgArray){.element = element, .bytes.arena = &database->arena};
}

/* Adds the names listed in tables.session_references. */
void database_add_reference_names(const DatabaseSettings *settings, PgArray *names);

/* Connects without looking at the application's tables: for migrations. */
bool database_open(Database *database, Error *err) MUST_CHECK;

enum {
    DATABASE_STATEMENT_TIMEOUT_MS = 30000, /* where the settings name none */
    DATABASE_CALL_SLACK_MS = 5000, /* beyond statement_timeout: the server's answer comes first */
};

/* The statement_timeout of a transaction that asks for `timeout_ms`; 0 = the setting. */
static inline int
database_statement_timeout_ms(const Database *database, int timeout_ms)
{
    const int configured_ms = database->settings->statement_timeout_ms;
    if (timeout_ms > 0)
        return timeout_ms;
    return configured_ms > 0 ? configured_ms : DATABASE_STATEMENT_TIMEOUT_MS;
}

/* database_begin.c: begins and returns the database's clock; the connection is there. */
bool database_send_begin(Database *database, DatabaseMode mode, int timeout_ms, int64_t *ret_now_us,
                         Error *err) MUST_CHECK;

/* Fails with ERROR_HOLD when the database's clock is too far from this machine's. */
bool database_check_clock(const Database *database, int64_t now_us, Error *err) MUST_CHECK;

/* Looks the names up in the catalog; `arena` is for the questions alone. ERROR_HOLD with SQLSTATE
 * 42P01 or 42830 for a table that cannot serve. */
bool database_names_resolve(PgConn *conn, const DatabaseSettings *settings, Arena *arena,
                            DatabaseNames **ret_names, Error *err) MUST_CHECK;
void database_names_free(DatabaseNames *names);
DEFINE_FREEP(DatabaseNames, database_names_free)

/* Executes an SQL file with parameters, prepared on first use. */
bool database_exec(Database *database, SqlId sql, const PgParam *params, size_t count,
                   PGresult **ret_result, Error *err) MUST_CHECK;

/* The same, planned anew for these very parameters: for what reads the whole table now and then. */
bool database_exec_once(Database *database, SqlId sql, const PgParam *params, size_t count,
                        PGresult **ret_result, Error *err) MUST_CHECK;

/* Executes an SQL file that is a COPY … FROM STDIN with these rows; as pg_conn_copy_in. */
bool database_copy_in(Database *database, SqlId sql, PgCopy *rows, Error *err) MUST_CHECK;

/* For text that is no file's, on the open connection: settings, savepoints, migrations. */
bool database_exec_text(Database *database, const char *text, Error *err) MUST_CHECK;

/* For statements whose rows do not matter; *ret_affected may be NULL. */
bool database_run(Database *database, SqlId sql, const PgParam *params, size_t count,
                  int64_t *ret_affected, Error *err) MUST_CHECK;

#endif

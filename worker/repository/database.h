/*
 * database: one connection for the repositories: open, begin, commit, rollback, error kind.
 *
 * Owns:      the connection, the SQL files rendered with the configured table names, what was
 * prepared, the memory of the transaction.
 * Threads:   one Database belongs to one thread.
 * Invariant: every transaction is READ COMMITTED, with lock, statement and idle time-outs set in it
 * alone.
 */
#ifndef WORKER_REPOSITORY_DATABASE_H
#define WORKER_REPOSITORY_DATABASE_H

#include "common/arena.h"
#include "common/clock.h"
#include "common/error.h"

#include <stdatomic.h>

enum {
    /* A list of a preview or dry run is cut at this many bytes of JSON, and says so: what leaves
     * room for the rest of a result of at most 512 KiB. */
    DATABASE_LIST_BYTES_MAX = 400 * 1024,
};

typedef struct DatabaseTables {
    const char *users;
    const char *sessions;
    const char *messages;
    const char *image_sent;
    const char *video_sent;
    const char *bookings;
    const char *session_references;    /* comma list; "" = none */
    const char *time_zone;             /* of columns without one */
    bool time_zone_is_given;           /* the operator vouches for it */
    const char *message_sender_user;   /* comma lists of words */
    const char *message_sender_others; /* "" = none */
    const char *booking_status_pending;
    const char *booking_status_expired;
    bool allow_missing_indexes;
} DatabaseTables;

enum {
    DATABASE_NAME_BYTES = 64,
};

typedef struct DatabaseSettings {
    const char *dsn;                            /* a libpq conninfo string; secret */
    char application_name[DATABASE_NAME_BYTES]; /* longer ones PostgreSQL would cut off */
    DatabaseTables tables;                      /* SQL identifiers as in a FROM clause */
    bool prepared_statements;
    /* Of all Databases of a worker: prepared statements do not last, as behind a pooler. NULL: each
     * finds out for itself. */
    atomic_bool *statements_lost;
    int connect_timeout_ms;
    int statement_timeout_ms;
    int locked_timeout_ms; /* of a statement while rows of the application are locked; 0 = 1 s */
    int clock_skew_ms; /* worker and database further apart than this: ERROR_HOLD; 0 = not checked
                        */
    int connections;   /* that one worker has at the same time; 0 = not looked at */
} DatabaseSettings;

typedef struct Database Database;

/* Allocates; connects lazily. `settings` and `clock` are borrowed for the lifetime. NULL when out
 * of memory. */
Database *database_new(const DatabaseSettings *settings, const Clock *clock) MUST_CHECK;
void database_free(Database *database);
DEFINE_FREEP(Database, database_free)

/* Connects when there is no usable connection; resolves table names with to_regclass; harmless when
 * connected. A missing table is ERROR_HOLD with SQLSTATE 42P01; no connection is ERROR_HOLD with
 * code "connection_lost". */
bool database_connect(Database *database, Error *err) MUST_CHECK;

/* Memory for the transaction under way; the next database_begin takes it back. Borrowed. */
Arena *database_arena(Database *database);

/* Ends the connection; the next use makes another, with the settings that role and database have by
 * then. Not within a transaction. */
void database_disconnect(Database *database);

/* True when the last error left the connection unusable. */
bool database_is_lost(const Database *database);

typedef enum DatabaseMode { DATABASE_WRITE, DATABASE_READ } DatabaseMode;

/* Connects if need be, begins READ COMMITTED, sets the time-outs and returns the database's clock.
 * DATABASE_READ: read only, with statement_timeout `timeout_ms`. DATABASE_WRITE: timeout_ms 0 means
 * the setting. */
bool database_begin(Database *database, DatabaseMode mode, int timeout_ms, int64_t *ret_now_us,
                    Error *err) MUST_CHECK;

/* From here on no statement takes longer than locked_timeout_ms: called before one that looks and
 * then locks rows of the application; database_stop_waiting is next. */
bool database_limit_statements(Database *database, Error *err) MUST_CHECK;

/* From here on a lock is waited for at most 100 ms, and no statement takes longer than
 * locked_timeout_ms: called before the first row of the application is locked. */
bool database_stop_waiting(Database *database, Error *err) MUST_CHECK;

/* What follows can be undone alone, any number of times. */
bool database_set_savepoint(Database *database, Error *err) MUST_CHECK;
bool database_return_to_savepoint(Database *database, Error *err) MUST_CHECK;

/* A commit whose answer is lost is ERROR_HOLD: whether it took effect shows when the ledger is read
 * again. */
bool database_commit(Database *database, Error *err) MUST_CHECK;

/* Harmless outside a transaction. */
void database_rollback(Database *database);

/* The database's clock at this moment (clock_timestamp), microseconds since 1970 UTC. */
bool database_now(Database *database, int64_t *ret_now_us, Error *err) MUST_CHECK;

#endif

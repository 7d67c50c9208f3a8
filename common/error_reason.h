/*
 * error_reason: every reason for an error, and what each means. This table is the only place that
 * gives a meaning; common/pg/pg_sqlstate.c and common/kafka turn the words of a server into a
 * reason, and all other code names the reason of an error that it makes itself.
 *
 * Threads: any.
 */
#ifndef COMMON_ERROR_REASON_H
#define COMMON_ERROR_REASON_H

#include <stdbool.h>

/* What is done about it. */
typedef enum ErrorKind {
    ERROR_NONE,
    ERROR_REJECT, /* the input is at fault; the same input fails again */
    ERROR_RETRY,  /* may pass when tried again; bounded by the caller */
    ERROR_HOLD,   /* the environment is at fault; keep everything and wait until it is mended */
    ERROR_FATAL,  /* this process cannot go on */
} ErrorKind;

/* Who is concerned: who has to wait while the error lasts. */
typedef enum ErrorScope {
    ERROR_SCOPE_EVERYTHING, /* whatever uses the same server would fail too */
    ERROR_SCOPE_TARGET,     /* an object that only some tasks need */
    ERROR_SCOPE_COMMAND,    /* this command alone */
} ErrorScope;

/* X(reason, code text or NULL, kind, scope, counts as an attempt). Errors that mean different
 * things may share the text that logs and results show. */
#define ERROR_REASON_TABLE(X)                                                                      \
    X(REASON_NONE, NULL, NONE, EVERYTHING, false)                                                  \
    ERROR_REASONS_OF_POSTGRESQL(X)                                                                 \
    ERROR_REASONS_OF_THE_DATABASE_LAYER(X)                                                         \
    ERROR_REASONS_OF_KAFKA(X)                                                                      \
    ERROR_REASONS_OF_THE_PROCESS(X)

/* What a SQLSTATE says; pg_sqlstate.c tells which one says what. */
#define ERROR_REASONS_OF_POSTGRESQL(X)                                                             \
    X(REASON_CONNECTION_LOST, "connection_lost", HOLD, EVERYTHING, false)                          \
    X(REASON_LOGIN_REFUSED, "database_error", HOLD, EVERYTHING, false)                             \
    X(REASON_RESOURCES_SHORT, "database_error", HOLD, EVERYTHING, false)                           \
    X(REASON_SERVER_IO, "database_error", HOLD, EVERYTHING, false)                                 \
    X(REASON_SERVER_STATE, "database_error", RETRY, EVERYTHING, true)                              \
    X(REASON_TIMEOUT, "timeout", RETRY, EVERYTHING, true)                                          \
    X(REASON_CONFLICT, "database_error", RETRY, COMMAND, true)                                     \
    X(REASON_ROW_LOCKED, "database_error", RETRY, COMMAND, false)                                  \
    X(REASON_TABLE_LOCKED, "table_locked", HOLD, TARGET, false)                                    \
    X(REASON_ROW_EXISTS, "database_error", RETRY, COMMAND, false)                                  \
    X(REASON_STILL_REFERENCED, "database_error", RETRY, COMMAND, true)                             \
    X(REASON_PLAN_STALE, "database_error", RETRY, COMMAND, true)                                   \
    X(REASON_STATEMENT_LOST, "database_error", RETRY, COMMAND, false)                              \
    X(REASON_WORK_REFUSED, "database_error", RETRY, COMMAND, true)                                 \
    X(REASON_DATA_INVALID, "database_error", REJECT, COMMAND, true)                                \
    X(REASON_OBJECT_MISSING, "database_error", HOLD, TARGET, false)                                \
    X(REASON_OBJECT_UNFIT, "database_error", HOLD, TARGET, false)                                  \
    X(REASON_PRIVILEGE_MISSING, "database_error", HOLD, TARGET, false)

/* What we find about the database, its schema and the ledger ourselves. */
#define ERROR_REASONS_OF_THE_DATABASE_LAYER(X)                                                     \
    X(REASON_NOT_COMMITTED, "database_error", RETRY, EVERYTHING, true)                             \
    X(REASON_COMMIT_UNCONFIRMED, "database_error", HOLD, EVERYTHING, false)                        \
    X(REASON_CLOCK_SKEW, "clock_skew", HOLD, EVERYTHING, false)                                    \
    X(REASON_SETTING_UNFIT, "database_error", HOLD, EVERYTHING, false)                             \
    X(REASON_LEDGER_BUSY, "ledger_busy", RETRY, COMMAND, false)                                    \
    X(REASON_LEDGER_ENTERED, "ledger_busy", RETRY, COMMAND, false)                                 \
    X(REASON_LEDGER_DAMAGED, "database_error", RETRY, EVERYTHING, true)                            \
    X(REASON_LEDGER_NEWER, "database_error", HOLD, COMMAND, false)                                 \
    X(REASON_DATABASE_CHANGED, "database_error", HOLD, EVERYTHING, false)                          \
    X(REASON_TABLE_CHANGED, "database_error", HOLD, TARGET, false)                                 \
    X(REASON_SCHEMA_UNFIT, "database_error", REJECT, EVERYTHING, true)                             \
    X(REASON_PARAM_TOO_LARGE, "database_error", REJECT, EVERYTHING, true)                          \
    X(REASON_STATEMENT_BROKEN, "database_error", FATAL, EVERYTHING, false)

#define ERROR_REASONS_OF_KAFKA(X)                                                                  \
    X(REASON_KAFKA_UNREACHABLE, "kafka_unreachable", HOLD, EVERYTHING, false)                      \
    X(REASON_KAFKA_REFUSED, "kafka_refused", HOLD, EVERYTHING, false)                              \
    X(REASON_KAFKA_CONFIG, "kafka_config", REJECT, EVERYTHING, true)                               \
    X(REASON_KAFKA_FAILED, "kafka_error", RETRY, EVERYTHING, true)                                 \
    X(REASON_KAFKA_BROKEN, "kafka_error", FATAL, EVERYTHING, false)                                \
    X(REASON_TOPIC_MISSING, "topic_missing", REJECT, EVERYTHING, true)                             \
    X(REASON_TOPIC_GONE, "topic_missing", HOLD, EVERYTHING, false)                                 \
    X(REASON_RECORD_PURGED, "kafka_error", RETRY, EVERYTHING, true)                                \
    X(REASON_MESSAGE_TOO_LARGE, "message_too_large", REJECT, COMMAND, true)                        \
    X(REASON_METADATA_TOO_LARGE, "metadata_too_large", RETRY, EVERYTHING, true)                    \
    X(REASON_OFFSETS_UNSTABLE, "offsets_unstable", RETRY, EVERYTHING, true)                        \
    X(REASON_TRANSACTIONS_REFUSED, "kafka_refused", RETRY, EVERYTHING, true)                       \
    X(REASON_TRANSACTION_STALLED, "kafka_unreachable", RETRY, EVERYTHING, true)                    \
    X(REASON_ASSIGNOR_DIFFERS, "assignor_differs", HOLD, EVERYTHING, false)                        \
    X(REASON_INSTANCE_ID_IN_USE, "instance_id_in_use", FATAL, EVERYTHING, false)                   \
    X(REASON_DEV_BROKER, "dev_broker", FATAL, EVERYTHING, false)

#define ERROR_REASONS_OF_THE_PROCESS(X)                                                            \
    X(REASON_CONFIG, "config", REJECT, EVERYTHING, true)                                           \
    X(REASON_USAGE, "usage", REJECT, EVERYTHING, true)                                             \
    X(REASON_INTERRUPTED, "interrupted", FATAL, EVERYTHING, false)                                 \
    X(REASON_NO_RESULT, "timeout", RETRY, EVERYTHING, true)                                        \
    X(REASON_OUT_OF_MEMORY, "out_of_memory", FATAL, EVERYTHING, false)                             \
    X(REASON_SYSTEM, "system", FATAL, EVERYTHING, false)                                           \
    X(REASON_THREAD, "thread", FATAL, EVERYTHING, false)                                           \
    X(REASON_SIGNALS, "signals", FATAL, EVERYTHING, false)                                         \
    X(REASON_RANDOM, "random", FATAL, EVERYTHING, false)                                           \
    X(REASON_FILE, "file", FATAL, EVERYTHING, false)                                               \
    X(REASON_INTERNAL, "internal", FATAL, EVERYTHING, false)                                       \
    X(REASON_OFFSET_UNKNOWN, "offset_unknown", FATAL, EVERYTHING, false)                           \
    X(REASON_WORKER_ID_IN_USE, "worker_id_in_use", FATAL, EVERYTHING, false)

typedef enum ErrorReason {
#define ERROR_REASON_ENUM(reason, code, kind, scope, counts) reason,
    ERROR_REASON_TABLE(ERROR_REASON_ENUM)
#undef ERROR_REASON_ENUM
        REASON_COUNT,
} ErrorReason;

typedef struct ErrorMeaning {
    const char *code; /* static; NULL of REASON_NONE alone */
    ErrorKind kind;
    ErrorScope scope;
    bool counts_as_attempt;
} ErrorMeaning;

/* The row of the table. */
ErrorMeaning error_meaning(ErrorReason reason);

#endif

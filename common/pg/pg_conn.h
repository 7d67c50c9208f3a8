/*
 * pg_conn: one connection to PostgreSQL whose calls all end within a deadline.
 *
 * Owns:      the libpq connection.
 * Threads:   one PgConn belongs to one thread.
 * Invariant: once lost it stays lost, its socket is closed, and every call fails with
 * "connection_lost".
 */
#ifndef COMMON_PG_PG_CONN_H
#define COMMON_PG_PG_CONN_H

#include "common/error.h"
#include "common/pg/pg_copy.h"
#include "common/pg/pg_param.h"
#include "common/pg/pg_result.h"

typedef struct PgConn PgConn;

typedef struct PgConnSettings {
    const char *dsn;              /* a libpq conninfo string or URI; secret */
    const char *application_name; /* used when the DSN names none */
    int connect_timeout_ms; /* per host, rounded up to seconds, at least 2; used when the DSN names
                               none */
    int call_timeout_ms;    /* see pg_conn_set_call_timeout */
} PgConnSettings;

/* Connects, with texts in UTF-8. A server whose encoding is SQL_ASCII neither converts nor checks
 * its texts, so that they are any bytes. Keepalives and tcp_user_timeout are set unless DSN,
 * service file or environment say otherwise. Fails with ERROR_HOLD "connection_lost"; the text
 * holds neither the DSN nor a part of it that libpq could not read. */
bool pg_conn_open(const PgConnSettings *settings, PgConn **ret_conn, Error *err) MUST_CHECK;

void pg_conn_free(PgConn *conn);
DEFINE_FREEP(PgConn, pg_conn_free)

/* How long a call may take before the connection is closed and counts as lost; above
 * statement_timeout. */
void pg_conn_set_call_timeout(PgConn *conn, int timeout_ms);

bool pg_conn_is_lost(const PgConn *conn);
bool pg_conn_in_transaction(const PgConn *conn);

/* True when the server sent a WARNING during the last call; notices are not printed anywhere. */
bool pg_conn_was_warned(const PgConn *conn);

/* The role logged in as; "" when lost. Borrowed. */
const char *pg_conn_user(const PgConn *conn);

/* As in 150018; 0 when lost. */
int pg_conn_server_version(const PgConn *conn);

/* Executes one or more statements without parameters in one round trip; the result is the last
 * one's. The first error ends them. Errors carry PostgreSQL's primary message alone and the kind
 * that pg_sqlstate gives. */
bool pg_conn_exec(PgConn *conn, const char *sql, PGresult **ret_result, Error *err) MUST_CHECK;

/* Executes one statement with parameters. */
bool pg_conn_exec_params(PgConn *conn, const char *sql, const PgParam *params, size_t count,
                         PGresult **ret_result, Error *err) MUST_CHECK;

bool pg_conn_prepare(PgConn *conn, const char *name, const char *sql, Error *err) MUST_CHECK;
bool pg_conn_exec_prepared(PgConn *conn, const char *name, const PgParam *params, size_t count,
                           PGresult **ret_result, Error *err) MUST_CHECK;

/* Executes a COPY … FROM STDIN (FORMAT binary) and sends it the rows, which it ends. A row whose
 * key is in the table already is ERROR_RETRY, REASON_ROW_EXISTS. */
bool pg_conn_copy_in(PgConn *conn, const char *sql, PgCopy *copy, Error *err) MUST_CHECK;

#endif

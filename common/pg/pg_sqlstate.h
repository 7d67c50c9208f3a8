/*
 * pg_sqlstate: one table gives every SQLSTATE its reason, and so its meaning
 * (common/error_reason.h).
 *
 * Threads: any.
 */
#ifndef COMMON_PG_PG_SQLSTATE_H
#define COMMON_PG_PG_SQLSTATE_H

#include "common/error.h"

/* What the server, or libpq, says of an error. */
typedef struct PgReport {
    const char *sqlstate; /* NULL or "" = one of libpq's own, which is a lost connection */
    const char *message;
    const char *context; /* where it happened, innermost first; NULL = in the statement itself */
    bool connected;      /* the connection has outlived it */
    bool copies;         /* of a COPY, which every context of its errors ends with */
} PgReport;

/* Fills `err`; what the table does not know is REASON_WORK_REFUSED. An error with a context is one
 * of the application's triggers and functions, or met a row that another transaction holds: it says
 * nothing about the connection, nor about the objects of our own statements. Returns true when the
 * connection is of no use any more. */
bool pg_sqlstate_fill(Error *err, const PgReport *report) MUST_CHECK;

/* Whether the server has no transaction ids left and so refuses all transactions that write, until
 * it is vacuumed. The state is also that of one row that is too large for an index, and the text is
 * in the server's language, so its own function's name decides. */
bool pg_sqlstate_is_out_of_ids(const char *sqlstate, const char *function) MUST_CHECK;

#endif

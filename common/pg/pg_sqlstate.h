/*
 * pg_sqlstate: one table gives every SQLSTATE its reason, and so its meaning
 * (common/error_reason.h).
 *
 * Threads: any.
 */
#ifndef COMMON_PG_PG_SQLSTATE_H
#define COMMON_PG_PG_SQLSTATE_H

#include "common/error.h"

/* Fills `err` with an error that the server sent; NULL or "" is one of libpq's own, which is a lost
 * connection, and what the table does not know is REASON_WORK_REFUSED. `connected` tells whether
 * the connection has outlived the error. Returns true when the connection is of no use any more. */
bool pg_sqlstate_fill(Error *err, const char *sqlstate, bool connected,
                      const char *message) MUST_CHECK;

/* Whether the server has no transaction ids left and so refuses all transactions that write, until
 * it is vacuumed. The state is also that of one row that is too large for an index, and the text is
 * in the server's language, so its own function's name decides. */
bool pg_sqlstate_is_out_of_ids(const char *sqlstate, const char *function) MUST_CHECK;

#endif

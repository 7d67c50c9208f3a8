/*
 * pg_sqlstate: one table gives every SQLSTATE its kind.
 *
 * Threads: any.
 */
#ifndef COMMON_PG_PG_SQLSTATE_H
#define COMMON_PG_PG_SQLSTATE_H

#include "common/error.h"

typedef struct PgSqlstate {
    ErrorKind kind;
    const char *code; /* "database_error", "connection_lost" or "timeout" */
    bool lost;        /* the connection is of no use any more */
} PgSqlstate;

/* NULL or "" (libpq's own errors) is a lost connection; what the table does not know is
 * ERROR_RETRY. */
PgSqlstate pg_sqlstate_classify(const char *sqlstate);

#endif

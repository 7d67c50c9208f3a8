/*
 * pg_dsn: can libpq read a connection string? Waits for no server.
 *
 * Owns:    nothing.
 * Threads: any.
 */
#ifndef COMMON_PG_PG_DSN_H
#define COMMON_PG_PG_DSN_H

#include "common/error.h"

/* Fails with ERROR_REJECT and libpq's words, in which what could be part of a secret is left out:
 * all that libpq quotes but names of its own options and what is nearly one. */
bool pg_dsn_check(const char *dsn, Error *err) MUST_CHECK;

/* True when a string that is empty still says where to connect, because one of PGHOST, PGHOSTADDR,
 * PGPORT, PGDATABASE, PGUSER and PGSERVICE is set. */
bool pg_dsn_in_environment(void);

#endif

/*
 * pg: PostgreSQL through libpq: connection, parameters, results, what an SQLSTATE means.
 *
 * Threads: a PgConn and the results that come from it belong to one thread.
 */
#ifndef COMMON_PG_PG_H
#define COMMON_PG_PG_H

#include "common/pg/pg_array.h"
#include "common/pg/pg_conn.h"
#include "common/pg/pg_copy.h"
#include "common/pg/pg_param.h"
#include "common/pg/pg_result.h"
#include "common/pg/pg_sqlstate.h"

#endif

/*
 * reads: what the worker's statements read of each table, and how, as PostgreSQL's statistics count
 * it.
 *
 * Owns:      the counts. Autovacuum of the tables must be off: it makes plans anew.
 * Threads:   that of the connections.
 * Invariant: no process but the worker reads between the begin and the end, or has counts to hand
 * over from before; what an open transaction has read counts after its end only.
 */
#ifndef TESTS_SUPPORT_READS_H
#define TESTS_SUPPORT_READS_H

#include "tests/support/postgres.h"

enum {
    READS_TABLES_MAX = 24,
    READS_NAME_BYTES = 64,
};

typedef struct TableReads {
    char name[READS_NAME_BYTES];
    int64_t sequential_scans;
    int64_t index_scans;
    int64_t rows; /* by either way; of an index also those that the plan then dropped */
} TableReads;

typedef struct Reads {
    PgConn *app;
    Database *worker;
    TableReads tables[READS_TABLES_MAX];
    size_t count;
    char fault[2 * READS_NAME_BYTES];
} Reads;

/* Hands over what the connection has counted, which it does by itself every few seconds only. */
void reads_flush(PgConn *conn);

/* Connects the worker if need be. `app` is there to look at the counts. */
void reads_begin(Reads *reads, PgConn *app, Database *worker);
/* From here on `tables` tells what was read since the begin. */
void reads_end(Reads *reads);

/* The first that is wrong: a table was read sequentially; more than `rows_max` rows of one were
 * read, as when all of an index is read; no index was used of a table in `indexed`, a list with
 * NULL at its end. "" when nothing is. */
const char *reads_fault(Reads *reads, const char *const *indexed, int64_t rows_max);

/* Makes plans of connections from here on do without the index, which is kept up to date. */
void reads_hide_index(PgConn *app, const char *name);
void reads_show_indexes(PgConn *app);

#endif

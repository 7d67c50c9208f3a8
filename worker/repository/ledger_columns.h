/*
 * ledger_columns: a LedgerRecord as parameters and as a row; private to the ledger repository.
 *
 * Threads: that of the Database.
 */
#ifndef WORKER_REPOSITORY_LEDGER_COLUMNS_H
#define WORKER_REPOSITORY_LEDGER_COLUMNS_H

#include "common/pg/pg.h"
#include "worker/repository/ledger_repository.h"

enum {
    LEDGER_COLUMN_COUNT = 18,
};

/* One array parameter a column, in the order of ledger_insert.sql. */
typedef struct LedgerColumns {
    PgArray arrays[LEDGER_COLUMN_COUNT];
    PgParam params[LEDGER_COLUMN_COUNT];
} LedgerColumns;

/* In the transaction's memory. */
void ledger_columns_build(Database *database, const LedgerRecord *records, size_t count,
                          LedgerColumns *ret_columns);

/* The same as rows of ledger_copy.sql, in the order given. */
void ledger_columns_copy(Database *database, const LedgerRecord *const *records, size_t count,
                         PgCopy *ret_rows);

/* Takes ownership of `result`, whose columns are those of ledger_find.sql. */
bool ledger_columns_read(Database *database, PGresult *result, LedgerRows *ret_rows,
                         Error *err) MUST_CHECK;

/* Waiting for a ledger row is never an attempt, so that time-out gets the code "ledger_busy".
 * Returns false. */
bool ledger_mark_busy(Error *err);

#endif

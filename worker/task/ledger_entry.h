/*
 * ledger_entry: how a command is entered in the ledger, or goes by what the ledger knows of it.
 *
 * Threads: that of the Database. Every function runs inside the caller's transaction.
 */
#ifndef WORKER_TASK_LEDGER_ENTRY_H
#define WORKER_TASK_LEDGER_ENTRY_H

#include "worker/task/outcome.h"

typedef enum EntryVerdict {
    ENTRY_NEW,       /* the record is in the ledger now */
    ENTRY_SETTLED,   /* it ended before: the outcome says how it is answered */
    ENTRY_UNDER_WAY, /* a redelivery of what still runs */
    ENTRY_REPLAY,    /* it runs again, from nothing */
} EntryVerdict;

/* Reads what the ledger knows of these commands, without a lock; ledger_rows_find tells whose row
 * is which. */
bool ledger_entry_find(const TaskContext *context, const TaskItem *items, size_t count,
                       LedgerRows *ret_rows, Error *err) MUST_CHECK;

/* Inserts the entry's record. Where the ledger knows the id already, it locks that row, returns it
 * as the only one of *ret_rows, and settles the entry by the ledger's rules. */
bool ledger_entry_add(const TaskEntry *entry, LedgerRows *ret_rows, EntryVerdict *ret_verdict,
                      Error *err) MUST_CHECK;

/* Settles the entry by the ledger's rules about `row`. */
bool ledger_entry_settle(const TaskEntry *entry, const LedgerRecord *row, EntryVerdict *ret_verdict,
                         Error *err) MUST_CHECK;

#endif

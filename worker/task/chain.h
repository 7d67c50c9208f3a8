/*
 * chain: the inside of a long command, shared by the chain_….c files alone.
 *
 * Threads:   a Chain is used by one executor at a time.
 * Invariant: what is in here can be lost at any moment; the ledger's rows are what a takeover
 * starts from.
 */
#ifndef WORKER_TASK_CHAIN_H
#define WORKER_TASK_CHAIN_H

#include "worker/task/outcome.h"
#include "worker/task/report.h"

enum {
    CHAIN_PARTS_MAX = 2,
    CHAIN_SKIPPED_KEPT_MAX = 10000, /* skipped rows a command keeps for its last pass */
    CHAIN_BATCH_LOCK_MS = 250, /* a batch that holds its locks longer makes the next one smaller */
    CHAIN_BATCH_MIN = 10,
    CHAIN_YIELDS_MAX = 50,
    CHAIN_YIELD_DELAY_MS = 20,
    CHAIN_LAST_PASS_DELAY_MS = 100,
    CHAIN_HELD_PART_DELAY_MS = 5000,
    CHAIN_BUSY_DELAY_MS = 250,        /* somebody else holds the range row */
    CHAIN_PROGRESS_NUMBERS = 1000000, /* an owner's */
};

typedef struct ChainPart {
    ReportPart kind;
    bool done;
    bool held;             /* waits for the environment: a missing privilege */
    int attempts;          /* consecutive failures of one batch */
    int yields;            /* consecutive batches given up to somebody who holds most of it */
    int64_t not_before_ms; /* monotonic */
    int batch_rows;
    int64_t rows_done;  /* as committed */
    int64_t rows_total; /* 0 = unknown */
} ChainPart;

/* The last progress, or the begin. */
typedef struct ChainProgress {
    int64_t since_ms; /* monotonic */
    int64_t rows_done;
    int64_t updated_us;
    int64_t count; /* of this owner's */
} ChainProgress;

struct Chain {
    bool begun;
    int64_t epoch;
    int64_t now_us;
    int64_t started_us;
    int attempts;
    unsigned seed; /* of the waits between two tries */
    ChainPart parts[CHAIN_PARTS_MAX];
    int part_count;
    int64_t updated_us; /* the database's time of the last batch that committed */
    ChainProgress progress;
};

/* What a batch is run with; range is locked and belongs to this owner. */
typedef struct ChainBatch {
    const TaskContext *context;
    const TaskItem *item;
    Chain *chain;
    ChainPart *part;
    LedgerRange range;
    int64_t now_us;
    int64_t locks_since_ms; /* monotonic; 0 = no row of the application locked */
    bool yield;             /* roll back and come again later */
    int delay_ms;
} ChainBatch;

/* "sessions" or "bookings"; static. */
const char *chain_part_name(ReportPart kind);

/* Begins the command, takes it over, or settles it by the ledger's rules. */
bool chain_begin(const TaskContext *context, const TaskItem *item, Chain *chain,
                 TaskOutcome *outcome, Error *err) MUST_CHECK;

/* One batch of a part in a transaction of its own. *ret_forgotten: another worker owns the command
 * by now. */
bool chain_run_batch(const TaskContext *context, const TaskItem *item, Chain *chain,
                     ChainPart *part, bool *ret_forgotten, int *ret_delay_ms,
                     Error *err) MUST_CHECK;

/* The work of a batch, within its transaction; both change batch->range alone. */
bool chain_sessions_batch(ChainBatch *batch, Error *err) MUST_CHECK;
bool chain_sessions_last_pass(ChainBatch *batch, Error *err) MUST_CHECK;
bool chain_bookings_batch(ChainBatch *batch, Error *err) MUST_CHECK;
bool chain_bookings_last_pass(ChainBatch *batch, Error *err) MUST_CHECK;

/* From here on the batch waits for nobody. */
bool chain_stop_waiting(ChainBatch *batch, Error *err) MUST_CHECK;

/* Judges how much of a batch somebody else holds: true when it is better to come again than to skip
 * so much. */
bool chain_should_yield(ChainBatch *batch, const bool *locked, size_t count);

/* The next skipped rows that the last pass has not tried in this round. */
bool chain_list_skipped(ChainBatch *batch, SkippedRows *ret_rows, Error *err) MUST_CHECK;

/* Goes on behind the rows that were tried. After the last of them the range ends when none is left
 * or its time is over, and what stays locked is counted; else another round begins. */
bool chain_advance_last_pass(ChainBatch *batch, const SkippedRows *tried, Error *err) MUST_CHECK;

/* All windows are done: what was skipped is next, from the beginning. */
void chain_begin_last_pass(LedgerRange *range);

/* The first progress is due an interval from here. */
void chain_begin_progress(const TaskContext *context, Chain *chain);

/* Adds a progress to the outcome of a step, when it is due, something was committed since the last
 * one, and there is more to do. Fails only when out of memory. */
bool chain_add_progress(const TaskContext *context, const TaskItem *item, Chain *chain,
                        TaskOutcome *outcome, Error *err) MUST_CHECK;

/* Writes that a part has failed for good. */
bool chain_fail_part(const TaskContext *context, const TaskItem *item, Chain *chain,
                     ChainPart *part, const Error *cause, bool *ret_forgotten,
                     Error *err) MUST_CHECK;

/* Ends the command: one transaction that sums the ranges up, stores the result and clears them
 * away. `cause` NULL: as the ranges say; else failed for this cause whatever they say. */
bool chain_end(const TaskContext *context, const TaskItem *item, const Chain *chain,
               const Error *cause, int attempts, TaskOutcome *outcome, Error *err) MUST_CHECK;

/* The same inside the caller's transaction, with the ledger row locked; neither commits nor rolls
 * back. */
bool chain_end_locked(const TaskContext *context, const TaskItem *item, const LedgerRecord *row,
                      const Error *cause, int attempts, TaskOutcome *outcome,
                      Error *err) MUST_CHECK;

#endif

/*
 * pass: what the work of every target does alike in a batch: taking locks without waiting, keeping
 * what others hold for the last pass, and that pass.
 *
 * Threads:   the executor's that runs the batch.
 * Invariant: a row that was locked is kept for the last pass, or counted as skipped.
 */
#ifndef WORKER_TASK_LONG_COMMAND_PASS_H
#define WORKER_TASK_LONG_COMMAND_PASS_H

#include "worker/task/target.h"

enum {
    PASS_BATCH_MIN = 10, /* rows */
};

/* As arena_alloc, in the memory of the batch's transaction. */
void *pass_room(const TargetBatch *batch, size_t count, size_t size) MUST_CHECK;

void pass_set_cursor(LedgerRange *range, const char *major, const char *minor);

/* From here on the batch waits for no lock. */
bool pass_stop_waiting(TargetBatch *batch, Error *err) MUST_CHECK;

/* Judges how much of a batch others hold: true when it is better to come again than to skip so
 * much. */
bool pass_should_yield(TargetBatch *batch, const bool *locked, size_t count);

/* Keeps rows for the last pass, as locked ones or for the cause for which the batch sets its row
 * aside; beyond the limit they are counted at once. */
bool pass_keep_skipped(TargetBatch *batch, const SkippedRows *rows, Error *err) MUST_CHECK;

/* The last pass sets its row aside: counts it for good, but for a locked one, which is tried again.
 */
bool pass_set_aside(TargetBatch *batch, const SkippedRows *rows, Error *err) MUST_CHECK;

/* Counts rows that are skipped for good; none is harmless. */
bool pass_count_skipped(TargetBatch *batch, const SkipCount *skipped, Error *err) MUST_CHECK;

/* Counts what is still kept for the last pass: there will be none, or it is over. */
bool pass_settle_skipped(TargetBatch *batch, Error *err) MUST_CHECK;

/* All windows are done: what was skipped is next, from the beginning. */
void pass_begin_last(LedgerRange *range);

/* The next skipped rows that the last pass has not tried in this round. */
bool pass_list_skipped(TargetBatch *batch, SkippedRows *ret_rows, Error *err) MUST_CHECK;

/* Forgets rows that are dealt with. */
bool pass_forget_skipped(TargetBatch *batch, const char *const *items, size_t count,
                         Error *err) MUST_CHECK;

/* Goes on behind the rows that were tried. After the last of them the range ends when none is left
 * or its time is over, and what stays locked is counted; else another round begins. */
bool pass_advance_last(TargetBatch *batch, const SkippedRows *tried, Error *err) MUST_CHECK;

#endif

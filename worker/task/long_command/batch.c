/* One batch: its range row first, the work of its target, the range row's new cursor and counts,
 * commit. */
#include "worker/task/batch_size.h"
#include "worker/task/long_command/long_command_private.h"
#include "worker/task/long_command/pass.h"

#include <stdio.h>
#include <string.h>

/* A row of the last pass that has failed alone once more. */
static bool
skip_skipped(TargetBatch *batch, Error *err)
{
    SkippedRows rows = {0};
    return pass_list_skipped(batch, &rows, err) && pass_set_aside(batch, &rows, err) &&
           pass_advance_last(batch, &rows, err);
}

static bool
run_work(TargetBatch *batch, Error *err)
{
    switch (batch->range.state) {
    case RANGE_RUNNING:
        return batch->target->batch(batch, err);
    case RANGE_LAST_PASS:
        if (batch->range.last_pass_us == 0)
            batch->range.last_pass_us = batch->now_us;
        return batch->set_aside != NULL ? skip_skipped(batch, err)
                                        : batch->target->last_pass(batch, err);
    case RANGE_DONE:
    case RANGE_FAILED:
        return true;
    }
    return true;
}

/* Closes in on a row that fails for itself: of the rows among which it is, the first half is next.
 */
static void
narrow(const TargetBatch *batch, RangeRun *run)
{
    run->suspects -= batch->limit;
    if (run->suspects > 0)
        run->batch_rows = run->suspects > 1 ? run->suspects / 2 : 1;
    else
        run->suspects = 0;
}

static void
adapt_batch_rows(const TargetBatch *batch, RangeRun *run)
{
    if (run->suspects > 0) {
        narrow(batch, run);
        return;
    }
    if (batch->locks_since_ms == 0)
        return;
    const BatchTime time = {clock_monotonic_ms(batch->context->clock) - batch->locks_since_ms,
                            batch->round_trip_ms};
    run->batch_rows = batch_size_next(run->batch_rows, &time, BATCH_AIM_MS,
                                      batch->context->settings->batch_sessions);
}

static TargetBatch
batch_of(const LongCommandStep *step, const RangeRun *run)
{
    const Command *command = step->item->command;
    return (TargetBatch){
        .context = step->context,
        .target = run->target,
        .params = &command->params,
        .key = {command->key, run->target->name, run->range_no},
        .cutoff_us = target_cutoff_us(run->target, &command->params, step->long_command->now_us),
        .limit = run->batch_rows,
        .skipped_max = run->skipped_max,
        .yields = run->yields,
        .lock_children_first = run->lock_children_first,
        .guarded = run->guarded,
    };
}

/* Begins the transaction and locks the range, which may be another owner's by now: then the
 * transaction is over. */
static bool
begin_on_range(const LongCommandStep *step, TargetBatch *batch, bool *ret_ownership_lost,
               Error *err)
{
    Database *database = step->context->database;
    bool found = false;
    if (!database_begin(database, DATABASE_WRITE, 0, &batch->now_us, err))
        return false;
    const int64_t began_ms = clock_monotonic_ms(step->context->clock);
    if (!ledger_range_lock(database, &batch->key, &batch->range, &found, err))
        return false;
    batch->round_trip_ms = clock_monotonic_ms(step->context->clock) - began_ms;
    *ret_ownership_lost = !found || batch->range.owner_epoch != step->long_command->epoch;
    if (*ret_ownership_lost)
        database_rollback(database);
    return true;
}

static bool
commit_range(const TargetBatch *batch, Error *err)
{
    Database *database = batch->context->database;
    return ledger_range_update(database, batch->key.command_id, &batch->range, err) &&
           database_commit(database, err);
}

static bool
run_in_transaction(const LongCommandStep *step, TargetBatch *batch, bool *ret_ownership_lost,
                   Error *err)
{
    if (!catalog_watch_check(step->context->settings->catalog, step->context->database,
                             batch->target->name, CATALOG_WATCH_BATCH, err) ||
        !begin_on_range(step, batch, ret_ownership_lost, err))
        return false;
    if (*ret_ownership_lost)
        return true;
    if (!run_work(batch, err))
        return false;
    if (!batch->yield && !batch->needs_guard)
        return commit_range(batch, err);
    database_rollback(step->context->database);
    return true;
}

/* What the batch means for the next one of its range. */
static void
note_batch(LongCommand *long_command, const TargetBatch *batch, RangeRun *run)
{
    const RangeState state = batch->range.state;
    run->not_before_ms = clock_monotonic_ms(batch->context->clock) + batch->delay_ms;
    /* It had failed already: the answer to the commit that said so was lost. */
    if (state == RANGE_FAILED && run->attempts > 0)
        long_command_note_failed_range(long_command, run);
    run->attempts = 0;
    run->held = false;
    run->guarded |= batch->needs_guard;
    if (batch->needs_guard)
        return;
    run->lock_children_first = false;
    run->yields = batch->yield ? run->yields + 1 : 0;
    run->done = !batch->yield && (state == RANGE_DONE || state == RANGE_FAILED);
    if (batch->yield)
        return;
    run->rows_done = batch->range.rows_done;
    long_command_note_batch(long_command, batch->now_us);
    adapt_batch_rows(batch, run);
}

bool
long_command_run_batch(const LongCommandStep *step, RangeRun *run, bool *ret_ownership_lost,
                       bool *ret_changing, Error *err)
{
    TargetBatch batch = batch_of(step, run);
    if (!run_in_transaction(step, &batch, ret_ownership_lost, err)) {
        database_rollback(step->context->database);
        *ret_changing = batch.locks_since_ms != 0;
        return error_wrap(err, "batch of %s", run->target->name);
    }
    if (!*ret_ownership_lost)
        note_batch(step->long_command, &batch, run);
    return true;
}

static bool
skip_in_transaction(const LongCommandStep *step, TargetBatch *batch, int64_t *errors,
                    bool *ret_ownership_lost, Error *err)
{
    if (!begin_on_range(step, batch, ret_ownership_lost, err))
        return false;
    return *ret_ownership_lost ||
           (run_work(batch, err) &&
            ledger_skip_errors(step->context->database, &batch->key, errors, err) &&
            commit_range(batch, err));
}

bool
long_command_skip_row(const LongCommandStep *step, RangeRun *run, const SkipCause *cause,
                      bool *ret_too_many, bool *ret_ownership_lost, Error *err)
{
    int64_t errors = 0;
    TargetBatch batch = batch_of(step, run);
    batch.limit = 1;
    batch.set_aside = cause;
    if (!skip_in_transaction(step, &batch, &errors, ret_ownership_lost, err)) {
        database_rollback(step->context->database);
        return error_wrap(err, "skip a row of %s", run->target->name);
    }
    run->suspects = 0;
    if (!*ret_ownership_lost)
        note_batch(step->long_command, &batch, run);
    *ret_too_many = errors > step->context->settings->max_row_errors;
    return true;
}

static bool
fail_in_transaction(const LongCommandStep *step, TargetBatch *batch, const Error *cause,
                    bool *ret_ownership_lost, Error *err)
{
    LedgerRange *range = &batch->range;
    if (!begin_on_range(step, batch, ret_ownership_lost, err))
        return false;
    if (*ret_ownership_lost)
        return true;
    if (!pass_settle_skipped(batch, err))
        return false;
    range->state = RANGE_FAILED;
    (void)snprintf(range->error_code, sizeof(range->error_code), "%s",
                   error_code_name(outcome_error_code(cause)));
    memcpy(range->error_sqlstate, cause->sqlstate, sizeof(range->error_sqlstate));
    memcpy(range->error_message, cause->detail, sizeof(range->error_message));
    return commit_range(batch, err);
}

bool
long_command_fail_range(const LongCommandStep *step, RangeRun *run, const Error *cause,
                        bool *ret_ownership_lost, Error *err)
{
    TargetBatch batch = batch_of(step, run);
    if (!fail_in_transaction(step, &batch, cause, ret_ownership_lost, err)) {
        database_rollback(step->context->database);
        error_hold(err); /* the end of a command that cannot be written is waited for */
        return error_wrap(err, "write that a range has failed");
    }
    long_command_note_failed_range(step->long_command, run);
    run->done = true;
    return true;
}

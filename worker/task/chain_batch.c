/* One batch: its range row first, the work, the range row's new cursor and counts, commit. */
#include "worker/task/chain.h"

#include <stdio.h>
#include <string.h>

bool
chain_stop_waiting(ChainBatch *batch, Error *err)
{
    batch->locks_since_ms = clock_monotonic_ms(batch->context->clock);
    return database_stop_waiting(batch->context->database, err);
}

void *
chain_room(const ChainBatch *batch, size_t count, size_t size)
{
    return arena_alloc(database_arena(batch->context->database), count, size);
}

bool
chain_should_yield(ChainBatch *batch, const bool *locked, size_t count)
{
    size_t missed = 0;
    for (size_t i = 0; i < count; i++)
        missed += !locked[i];
    /* Most of a batch is held by another cleaner, not by the application: follow it instead of
     * skipping it all. */
    batch->yield =
        count >= CHAIN_BATCH_MIN && missed * 2 > count && batch->part->yields < CHAIN_YIELDS_MAX;
    batch->delay_ms = batch->yield ? CHAIN_YIELD_DELAY_MS : 0;
    return batch->yield;
}

static void
set_cursor(LedgerRange *range, const char *major, const char *minor)
{
    (void)snprintf(range->cursor_major, sizeof(range->cursor_major), "%s", major);
    (void)snprintf(range->cursor_minor, sizeof(range->cursor_minor), "%s", minor);
}

void
chain_begin_last_pass(LedgerRange *range)
{
    range->state = RANGE_LAST_PASS;
    set_cursor(range, "", "");
}

bool
chain_list_skipped(ChainBatch *batch, SkippedRows *ret_rows, Error *err)
{
    return ledger_skipped_list(batch->context->database, batch->item->command->id, &batch->range,
                               batch->range.cursor_major, batch->range.cursor_minor,
                               batch->part->batch_rows, ret_rows, err);
}

bool
chain_advance_last_pass(ChainBatch *batch, const SkippedRows *tried, Error *err)
{
    LedgerRange *range = &batch->range;
    int64_t remaining = 0;
    if (tried->count == (size_t)batch->part->batch_rows) {
        set_cursor(range, tried->owners[tried->count - 1], tried->items[tried->count - 1]);
        return true;
    }
    if (!ledger_skipped_count(batch->context->database, batch->item->command->id, range, &remaining,
                              err))
        return false;
    const int64_t spent_ms = (batch->now_us - range->last_pass_us) / CLOCK_US_PER_MS;
    set_cursor(range, "", "");
    if (remaining > 0 && spent_ms < batch->context->settings->lock_wait_ms) {
        batch->delay_ms = CHAIN_LAST_PASS_DELAY_MS;
        return true;
    }
    range->skipped += remaining;
    range->state = RANGE_DONE;
    return true;
}

static bool
run_work(ChainBatch *batch, Error *err)
{
    const bool sessions = batch->part->kind == REPORT_SESSIONS;
    switch (batch->range.state) {
    case RANGE_RUNNING:
        return sessions ? chain_sessions_batch(batch, err) : chain_bookings_batch(batch, err);
    case RANGE_LAST_PASS:
        if (batch->range.last_pass_us == 0)
            batch->range.last_pass_us = batch->now_us;
        return sessions ? chain_sessions_last_pass(batch, err)
                        : chain_bookings_last_pass(batch, err);
    case RANGE_DONE:
    case RANGE_FAILED:
        return true;
    }
    return true;
}

/* Locks are to be held for 250 ms at the most; half of that is aimed at. */
static void
adapt_batch_rows(ChainBatch *batch)
{
    if (batch->locks_since_ms == 0)
        return;
    ChainPart *part = batch->part;
    const int64_t held_ms = clock_monotonic_ms(batch->context->clock) - batch->locks_since_ms;
    if (held_ms > CHAIN_BATCH_LOCK_MS / 2)
        part->batch_rows /= 2;
    else if (held_ms < CHAIN_BATCH_LOCK_MS / 4)
        part->batch_rows *= 2;
    if (part->batch_rows < CHAIN_BATCH_MIN)
        part->batch_rows = CHAIN_BATCH_MIN;
    if (part->batch_rows > batch->context->settings->batch_sessions)
        part->batch_rows = batch->context->settings->batch_sessions;
}

static bool
lock_range(ChainBatch *batch, bool *ret_forgotten, Error *err)
{
    bool found = false;
    if (!ledger_range_lock(batch->context->database, batch->item->command->id,
                           chain_part_name(batch->part->kind), batch->part->range_no, &batch->range,
                           &found, err))
        return false;
    *ret_forgotten = !found || batch->range.owner_epoch != batch->chain->epoch;
    return true;
}

static bool
run_in_transaction(ChainBatch *batch, bool *ret_forgotten, Error *err)
{
    Database *database = batch->context->database;
    if (!database_begin(database, DATABASE_WRITE, 0, &batch->now_us, err) ||
        !lock_range(batch, ret_forgotten, err))
        return false;
    if (*ret_forgotten) {
        database_rollback(database);
        return true;
    }
    if (!run_work(batch, err))
        return false;
    if (batch->yield) {
        database_rollback(database);
        return true;
    }
    return ledger_range_update(database, batch->item->command->id, &batch->range, err) &&
           database_commit(database, err);
}

bool
chain_run_batch(const TaskContext *context, const TaskItem *item, Chain *chain, ChainPart *part,
                bool *ret_forgotten, Error *err)
{
    ChainBatch batch = {.context = context, .item = item, .chain = chain, .part = part};
    if (!run_in_transaction(&batch, ret_forgotten, err)) {
        database_rollback(context->database);
        return error_wrap(err, "batch of %s", chain_part_name(part->kind));
    }
    if (*ret_forgotten)
        return true;
    part->not_before_ms = clock_monotonic_ms(context->clock) + batch.delay_ms;
    /* It had failed already: the answer to the commit that said so was lost. */
    if (batch.range.state == RANGE_FAILED && part->attempts > 0)
        chain_note_failed_part(chain, part);
    part->attempts = 0;
    part->held = false;
    part->careful = false;
    part->yields = batch.yield ? part->yields + 1 : 0;
    part->done =
        !batch.yield && (batch.range.state == RANGE_DONE || batch.range.state == RANGE_FAILED);
    if (batch.yield)
        return true;
    part->rows_done = batch.range.rows_done;
    chain_note_batch(chain, batch.now_us);
    adapt_batch_rows(&batch);
    return true;
}

static bool
fail_part_in_transaction(ChainBatch *batch, const Error *cause, bool *ret_forgotten, Error *err)
{
    Database *database = batch->context->database;
    if (!database_begin(database, DATABASE_WRITE, 0, &batch->now_us, err) ||
        !lock_range(batch, ret_forgotten, err))
        return false;
    if (*ret_forgotten) {
        database_rollback(database);
        return true;
    }
    LedgerRange *range = &batch->range;
    range->state = RANGE_FAILED;
    (void)snprintf(range->error_code, sizeof(range->error_code), "%s",
                   error_code_name(outcome_error_code(cause)));
    memcpy(range->error_sqlstate, cause->sqlstate, sizeof(range->error_sqlstate));
    memcpy(range->error_message, cause->detail, sizeof(range->error_message));
    return ledger_range_update(database, batch->item->command->id, range, err) &&
           database_commit(database, err);
}

bool
chain_fail_part(const TaskContext *context, const TaskItem *item, Chain *chain, ChainPart *part,
                const Error *cause, bool *ret_forgotten, Error *err)
{
    ChainBatch batch = {.context = context, .item = item, .chain = chain, .part = part};
    if (!fail_part_in_transaction(&batch, cause, ret_forgotten, err)) {
        database_rollback(context->database);
        err->kind = ERROR_HOLD; /* the end of a command that cannot be written is waited for */
        return error_wrap(err, "write that a part has failed");
    }
    chain_note_failed_part(chain, part);
    part->done = true;
    return true;
}

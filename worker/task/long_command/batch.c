/* One batch: its range row first, the work, the range row's new cursor and counts, commit. */
#include "worker/task/long_command/long_command.h"

#include <stdio.h>
#include <string.h>

bool
long_command_stop_waiting(LongCommandBatch *batch, Error *err)
{
    batch->locks_since_ms = clock_monotonic_ms(batch->context->clock);
    return database_stop_waiting(batch->context->database, err);
}

void *
long_command_room(const LongCommandBatch *batch, size_t count, size_t size)
{
    return arena_alloc(database_arena(batch->context->database), count, size);
}

bool
long_command_should_yield(LongCommandBatch *batch, const bool *locked, size_t count)
{
    size_t missed = 0;
    for (size_t i = 0; i < count; i++)
        missed += !locked[i];
    /* Most of a batch is held by another cleaner, not by the application: follow it instead of
     * skipping it all. */
    batch->yield = count >= LONG_COMMAND_BATCH_MIN && missed * 2 > count &&
                   batch->part->yields < LONG_COMMAND_YIELDS_MAX;
    batch->delay_ms = batch->yield ? LONG_COMMAND_YIELD_DELAY_MS : 0;
    return batch->yield;
}

static void
set_cursor(LedgerRange *range, const char *major, const char *minor)
{
    (void)snprintf(range->cursor_major, sizeof(range->cursor_major), "%s", major);
    (void)snprintf(range->cursor_minor, sizeof(range->cursor_minor), "%s", minor);
}

void
long_command_begin_last_pass(LedgerRange *range)
{
    range->state = RANGE_LAST_PASS;
    set_cursor(range, "", "");
}

bool
long_command_list_skipped(LongCommandBatch *batch, SkippedRows *ret_rows, Error *err)
{
    return ledger_skipped_list(batch->context->database, batch->item->command->id, &batch->range,
                               batch->range.cursor_major, batch->range.cursor_minor,
                               batch->part->batch_rows, ret_rows, err);
}

bool
long_command_advance_last_pass(LongCommandBatch *batch, const SkippedRows *tried, Error *err)
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
        batch->delay_ms = LONG_COMMAND_LAST_PASS_DELAY_MS;
        return true;
    }
    range->skipped += remaining;
    range->state = RANGE_DONE;
    return true;
}

static bool
run_work(LongCommandBatch *batch, Error *err)
{
    const bool sessions = batch->part->kind == REPORT_SESSIONS;
    switch (batch->range.state) {
    case RANGE_RUNNING:
        return sessions ? long_command_sessions_batch(batch, err)
                        : long_command_bookings_batch(batch, err);
    case RANGE_LAST_PASS:
        if (batch->range.last_pass_us == 0)
            batch->range.last_pass_us = batch->now_us;
        return sessions ? long_command_sessions_last_pass(batch, err)
                        : long_command_bookings_last_pass(batch, err);
    case RANGE_DONE:
    case RANGE_FAILED:
        return true;
    }
    return true;
}

/* Locks are to be held for 250 ms at the most; half of that is aimed at. */
static void
adapt_batch_rows(LongCommandBatch *batch)
{
    if (batch->locks_since_ms == 0)
        return;
    LongCommandPart *part = batch->part;
    const int64_t held_ms = clock_monotonic_ms(batch->context->clock) - batch->locks_since_ms;
    if (held_ms > LONG_COMMAND_BATCH_LOCK_MS / 2)
        part->batch_rows /= 2;
    else if (held_ms < LONG_COMMAND_BATCH_LOCK_MS / 4)
        part->batch_rows *= 2;
    if (part->batch_rows < LONG_COMMAND_BATCH_MIN)
        part->batch_rows = LONG_COMMAND_BATCH_MIN;
    if (part->batch_rows > batch->context->settings->batch_sessions)
        part->batch_rows = batch->context->settings->batch_sessions;
}

static bool
lock_range(LongCommandBatch *batch, bool *ret_ownership_lost, Error *err)
{
    bool found = false;
    if (!ledger_range_lock(batch->context->database, batch->item->command->id,
                           long_command_part_name(batch->part->kind), batch->part->range_no,
                           &batch->range, &found, err))
        return false;
    *ret_ownership_lost = !found || batch->range.owner_epoch != batch->long_command->epoch;
    return true;
}

static bool
run_in_transaction(LongCommandBatch *batch, bool *ret_ownership_lost, Error *err)
{
    Database *database = batch->context->database;
    if (!database_begin(database, DATABASE_WRITE, 0, &batch->now_us, err) ||
        !lock_range(batch, ret_ownership_lost, err))
        return false;
    if (*ret_ownership_lost) {
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
long_command_run_batch(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
                       LongCommandPart *part, bool *ret_ownership_lost, Error *err)
{
    LongCommandBatch batch = {
        .context = context, .item = item, .long_command = long_command, .part = part};
    if (!run_in_transaction(&batch, ret_ownership_lost, err)) {
        database_rollback(context->database);
        return error_wrap(err, "batch of %s", long_command_part_name(part->kind));
    }
    if (*ret_ownership_lost)
        return true;
    part->not_before_ms = clock_monotonic_ms(context->clock) + batch.delay_ms;
    /* It had failed already: the answer to the commit that said so was lost. */
    if (batch.range.state == RANGE_FAILED && part->attempts > 0)
        long_command_note_failed_part(long_command, part);
    part->attempts = 0;
    part->held = false;
    part->lock_children_first = false;
    part->yields = batch.yield ? part->yields + 1 : 0;
    part->done =
        !batch.yield && (batch.range.state == RANGE_DONE || batch.range.state == RANGE_FAILED);
    if (batch.yield)
        return true;
    part->rows_done = batch.range.rows_done;
    long_command_note_batch(long_command, batch.now_us);
    adapt_batch_rows(&batch);
    return true;
}

static bool
fail_part_in_transaction(LongCommandBatch *batch, const Error *cause, bool *ret_ownership_lost,
                         Error *err)
{
    Database *database = batch->context->database;
    if (!database_begin(database, DATABASE_WRITE, 0, &batch->now_us, err) ||
        !lock_range(batch, ret_ownership_lost, err))
        return false;
    if (*ret_ownership_lost) {
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
long_command_fail_part(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
                       LongCommandPart *part, const Error *cause, bool *ret_ownership_lost,
                       Error *err)
{
    LongCommandBatch batch = {
        .context = context, .item = item, .long_command = long_command, .part = part};
    if (!fail_part_in_transaction(&batch, cause, ret_ownership_lost, err)) {
        database_rollback(context->database);
        error_hold(err); /* the end of a command that cannot be written is waited for */
        return error_wrap(err, "write that a part has failed");
    }
    long_command_note_failed_part(long_command, part);
    part->done = true;
    return true;
}

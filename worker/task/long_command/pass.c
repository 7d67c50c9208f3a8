#include "worker/task/long_command/pass.h"

#include <stdio.h>

enum {
    YIELDS_MAX = 50,
    YIELD_DELAY_MS = 20,
    LAST_PASS_DELAY_MS = 100,
};

void *
pass_room(const TargetBatch *batch, size_t count, size_t size)
{
    return arena_alloc(database_arena(batch->context->database), count, size);
}

void
pass_set_cursor(LedgerRange *range, const char *major, const char *minor)
{
    (void)snprintf(range->cursor.major, sizeof(range->cursor.major), "%s", major);
    (void)snprintf(range->cursor.minor, sizeof(range->cursor.minor), "%s", minor);
}

bool
pass_stop_waiting(TargetBatch *batch, Error *err)
{
    batch->locks_since_ms = clock_monotonic_ms(batch->context->clock);
    return database_stop_waiting(batch->context->database, err);
}

bool
pass_should_yield(TargetBatch *batch, const bool *locked, size_t count)
{
    size_t missed = 0;
    for (size_t i = 0; i < count; i++)
        missed += !locked[i];
    /* Most of a batch is held by another cleaner, not by the application: follow it instead of
     * skipping it all. */
    batch->yield = count >= PASS_BATCH_MIN && missed * 2 > count && batch->yields < YIELDS_MAX;
    batch->delay_ms = batch->yield ? YIELD_DELAY_MS : 0;
    return batch->yield;
}

bool
pass_count_skipped(TargetBatch *batch, const SkipCount *skipped, Error *err)
{
    batch->range.skipped += skipped->rows;
    return skipped->rows == 0 ||
           ledger_skip_count(batch->context->database, &batch->key, skipped, err);
}

bool
pass_keep_skipped(TargetBatch *batch, const SkippedRows *rows, Error *err)
{
    SkippedRows skipped = *rows;
    size_t kept = 0;
    if (rows->count == 0)
        return true;
    skipped.cause = batch->set_aside != NULL ? *batch->set_aside : (SkipCause){SKIP_LOCKED, "", ""};
    if (!ledger_skip(batch->context->database, &batch->key, &skipped, batch->skipped_max, &kept,
                     err))
        return false;
    const SkipCount beyond = {skipped.cause, (int64_t)(rows->count - kept),
                              rows->items[rows->count - 1]};
    return pass_count_skipped(batch, &beyond, err);
}

bool
pass_set_aside(TargetBatch *batch, const SkippedRows *rows, Error *err)
{
    if (rows->count == 0 || batch->set_aside->reason == SKIP_LOCKED)
        return true;
    const SkipCount counted = {*batch->set_aside, (int64_t)rows->count, rows->items[0]};
    return pass_count_skipped(batch, &counted, err) &&
           pass_forget_skipped(batch, rows->items, rows->count, err);
}

bool
pass_settle_skipped(TargetBatch *batch, Error *err)
{
    int64_t count = 0;
    if (!ledger_skip_settle(batch->context->database, &batch->key, &count, err))
        return false;
    batch->range.skipped += count;
    return true;
}

void
pass_begin_last(LedgerRange *range)
{
    range->state = RANGE_LAST_PASS;
    pass_set_cursor(range, "", "");
}

bool
pass_list_skipped(TargetBatch *batch, SkippedRows *ret_rows, Error *err)
{
    return ledger_skipped_list(batch->context->database, &batch->key, &batch->range.cursor,
                               batch->limit, ret_rows, err);
}

bool
pass_forget_skipped(TargetBatch *batch, const char *const *items, size_t count, Error *err)
{
    return count == 0 ||
           ledger_skipped_delete(batch->context->database, &batch->key, items, count, err);
}

bool
pass_advance_last(TargetBatch *batch, const SkippedRows *tried, Error *err)
{
    LedgerRange *range = &batch->range;
    int64_t remaining = 0;
    if (tried->count == (size_t)batch->limit) {
        pass_set_cursor(range, tried->owners[tried->count - 1], tried->items[tried->count - 1]);
        return true;
    }
    if (!ledger_skipped_count(batch->context->database, &batch->key, &remaining, err))
        return false;
    const int64_t spent_ms = (batch->now_us - range->last_pass_us) / CLOCK_US_PER_MS;
    pass_set_cursor(range, "", "");
    if (remaining > 0 && spent_ms < batch->context->settings->lock_wait_ms) {
        batch->delay_ms = LAST_PASS_DELAY_MS;
        return true;
    }
    range->state = RANGE_DONE;
    return remaining == 0 || pass_settle_skipped(batch, err);
}

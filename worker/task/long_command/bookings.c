/* The booking part of a long command: a window of Pending bookings after the cursor, then those
 * that were locked. */
#include "worker/repository/booking_repository.h"
#include "worker/task/long_command/long_command.h"

#include <stdio.h>

static int64_t
cutoff_of(const LongCommandBatch *batch)
{
    return report_cutoff_us(&batch->item->command->params, REPORT_BOOKINGS,
                            batch->long_command->now_us);
}

/* Picks out the ids whose flag has the wanted value; returns how many. */
static size_t
pick_ids(const char *const *ids, const bool *flags, bool wanted, size_t count, const char **picked)
{
    size_t picked_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (flags[i] == wanted)
            picked[picked_count++] = ids[i];
    }
    return picked_count;
}

/* Locks what is free, expires what still meets the condition, lists it; locked[] tells the caller
 * the rest. */
static bool
expire_bookings(LongCommandBatch *batch, const char *const *ids, size_t count, bool *locked,
                Error *err)
{
    Database *database = batch->context->database;
    const BookingList bookings = {ids, count};
    bool *expired = long_command_room(batch, count, sizeof(*expired));
    const char **picked = long_command_room(batch, count, sizeof(*picked));
    if (expired == NULL || picked == NULL)
        return error_out_of_memory(err);
    if (!long_command_stop_waiting(batch, err) || !booking_lock(database, &bookings, locked, err))
        return false;
    if (batch->range.state == RANGE_RUNNING && long_command_should_yield(batch, locked, count))
        return true;
    if (!booking_expire_locked(database, cutoff_of(batch), &bookings, locked, expired, err))
        return false;
    const size_t done = pick_ids(ids, expired, true, count, picked);
    batch->range.expired_bookings += (int64_t)done;
    return done == 0 || ledger_ids_add(database, batch->item->command->id, picked, done, err);
}

static bool
keep_skipped(LongCommandBatch *batch, const char *const *ids, const bool *locked, size_t count,
             Error *err)
{
    const char **items = long_command_room(batch, count, sizeof(*items));
    const char **owners = long_command_room(batch, count, sizeof(*owners));
    if (items == NULL || owners == NULL)
        return error_out_of_memory(err);
    const size_t skipped = pick_ids(ids, locked, false, count, items);
    size_t kept = 0;
    for (size_t i = 0; i < skipped; i++)
        owners[i] = "";
    if (skipped == 0)
        return true;
    if (!ledger_skip(batch->context->database, batch->item->command->id, &batch->range, owners,
                     items, skipped, LONG_COMMAND_SKIPPED_KEPT_MAX, &kept, err))
        return false;
    batch->range.skipped += (int64_t)(skipped - kept);
    return true;
}

static bool
expire_window(LongCommandBatch *batch, const BookingBatch *window, Error *err)
{
    if (window->count == 0)
        return true;
    const char *const *ids = (const char *const *)window->booking_ids;
    bool *locked = long_command_room(batch, window->count, sizeof(*locked));
    if (locked == NULL)
        return error_out_of_memory(err);
    if (!expire_bookings(batch, ids, window->count, locked, err))
        return false;
    return batch->yield || keep_skipped(batch, ids, locked, window->count, err);
}

bool
long_command_bookings_batch(LongCommandBatch *batch, Error *err)
{
    LedgerRange *range = &batch->range;
    const int limit = batch->part->batch_rows;
    CLEANUP(booking_batch_done) BookingBatch window = {0};
    const BookingWindow wanted = {cutoff_of(batch), range->cursor_major, range->cursor_minor,
                                  limit};
    if (!booking_find_expired(batch->context->database, &wanted, &window, err) ||
        !expire_window(batch, &window, err))
        return false;
    if (window.last_created_at != NULL) {
        (void)snprintf(range->cursor_major, sizeof(range->cursor_major), "%s",
                       window.last_created_at);
        (void)snprintf(range->cursor_minor, sizeof(range->cursor_minor), "%s",
                       window.last_booking_id);
    }
    range->rows_done += (int64_t)window.count;
    if (window.count < (size_t)limit)
        long_command_begin_last_pass(range);
    return true;
}

static bool
expire_skipped(LongCommandBatch *batch, const SkippedRows *skipped, Error *err)
{
    const char *const *ids = (const char *const *)skipped->items;
    bool *locked = long_command_room(batch, skipped->count, sizeof(*locked));
    const char **settled = long_command_room(batch, skipped->count, sizeof(*settled));
    if (locked == NULL || settled == NULL)
        return error_out_of_memory(err);
    if (!expire_bookings(batch, ids, skipped->count, locked, err))
        return false;
    const size_t count = pick_ids(ids, locked, true, skipped->count, settled);
    return count == 0 || ledger_skipped_delete(batch->context->database, batch->item->command->id,
                                               &batch->range, settled, count, err);
}

bool
long_command_bookings_last_pass(LongCommandBatch *batch, Error *err)
{
    SkippedRows skipped = {0};
    return long_command_list_skipped(batch, &skipped, err) &&
           (skipped.count == 0 || expire_skipped(batch, &skipped, err)) &&
           long_command_advance_last_pass(batch, &skipped, err);
}

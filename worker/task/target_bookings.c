/* Bookings that stay Pending for too long: a window of them after the cursor, then those that were
 * locked. */
#include "worker/repository/booking_repository.h"
#include "worker/task/long_command/divide.h"
#include "worker/task/long_command/pass.h"

enum {
    COUNT_BOOKINGS,
};

static const char *const count_names[] = {
    [COUNT_BOOKINGS] = "expired_bookings",
};

static double
age_minutes(const CommandParams *params)
{
    return params->expiration_minutes;
}

/* One range: an expiration is a fraction of what a session with its records costs. */
static bool
plan_ranges(TargetPlan *plan, Error *err)
{
    LedgerRange *range = divide_add(plan);
    return booking_estimate(plan->context->database, &range->rows_total, err);
}

/* Picks out the ids whose flag has the wanted value; returns how many. */
static size_t
pick_ids(const BookingList *bookings, const bool *flags, bool wanted, const char **picked)
{
    size_t picked_count = 0;
    for (size_t i = 0; i < bookings->count; i++) {
        if (flags[i] == wanted)
            picked[picked_count++] = bookings->booking_ids[i];
    }
    return picked_count;
}

/* `picked` is room for the ids. */
static bool
count_kept(TargetBatch *batch, const BookingList *bookings, const bool *kept, const char **picked,
           Error *err)
{
    const size_t count = pick_ids(bookings, kept, true, picked);
    const SkipCount skipped = {{SKIP_TRIGGER, "", ""}, (int64_t)count, count > 0 ? picked[0] : ""};
    return pass_count_skipped(batch, &skipped, err);
}

/* Locks what is free, expires what still meets the condition, lists it; locked[] tells the caller
 * the rest. */
static bool
expire_bookings(TargetBatch *batch, const BookingList *bookings, bool *locked, Error *err)
{
    Database *database = batch->context->database;
    const BookingChange change = {
        .expired = pass_room(batch, bookings->count, sizeof(*change.expired)),
        .kept = pass_room(batch, bookings->count, sizeof(*change.kept)),
    };
    const char **picked = pass_room(batch, bookings->count, sizeof(*picked));
    if (change.expired == NULL || change.kept == NULL || picked == NULL)
        return error_out_of_memory(err);
    if (!pass_stop_waiting(batch, err) || !booking_lock(database, bookings, locked, err))
        return false;
    if (batch->range.state == RANGE_RUNNING && pass_should_yield(batch, locked, bookings->count))
        return true;
    if (!booking_expire_locked(database, batch->cutoff_us, bookings, locked, &change, err) ||
        !count_kept(batch, bookings, change.kept, picked, err))
        return false;
    const size_t done = pick_ids(bookings, change.expired, true, picked);
    batch->range.counts[COUNT_BOOKINGS] += (int64_t)done;
    return done == 0 || ledger_ids_add(database, batch->key.command_id, picked, done, err);
}

/* Bookings whose flag is false, or all of them, as rows to skip. */
static bool
pick_rows(const TargetBatch *batch, const BookingList *bookings, const bool *flags,
          SkippedRows *ret_rows, Error *err)
{
    SkippedRows rows = {
        .owners = pass_room(batch, bookings->count, sizeof(*rows.owners)),
        .items = pass_room(batch, bookings->count, sizeof(*rows.items)),
    };
    if (rows.owners == NULL || rows.items == NULL)
        return error_out_of_memory(err);
    rows.count = pick_ids(bookings, flags, false, rows.items);
    for (size_t i = 0; i < rows.count; i++)
        rows.owners[i] = "";
    *ret_rows = rows;
    return true;
}

static bool
expire_window(TargetBatch *batch, const BookingBatch *window, Error *err)
{
    SkippedRows rows = {0};
    if (window->count == 0)
        return true;
    const BookingList bookings = {(const char *const *)window->booking_ids, window->count};
    bool *locked = pass_room(batch, window->count, sizeof(*locked));
    if (locked == NULL)
        return error_out_of_memory(err);
    if (batch->set_aside == NULL && !expire_bookings(batch, &bookings, locked, err))
        return false;
    return batch->yield || (pick_rows(batch, &bookings, locked, &rows, err) &&
                            pass_keep_skipped(batch, &rows, err));
}

static bool
run_batch(TargetBatch *batch, Error *err)
{
    LedgerRange *range = &batch->range;
    const BookingWindow wanted = {batch->cutoff_us, range->cursor.major, range->cursor.minor,
                                  batch->limit};
    CLEANUP(booking_batch_done) BookingBatch window = {0};
    if (!booking_find_expired(batch->context->database, &wanted, &window, err) ||
        !expire_window(batch, &window, err))
        return false;
    if (window.last_created_at != NULL)
        pass_set_cursor(range, window.last_created_at, window.last_booking_id);
    range->rows_done += (int64_t)window.count;
    if (window.count < (size_t)batch->limit)
        pass_begin_last(range);
    return true;
}

static bool
expire_skipped(TargetBatch *batch, const SkippedRows *skipped, Error *err)
{
    const BookingList bookings = {skipped->items, skipped->count};
    bool *locked = pass_room(batch, skipped->count, sizeof(*locked));
    const char **settled = pass_room(batch, skipped->count, sizeof(*settled));
    if (locked == NULL || settled == NULL)
        return error_out_of_memory(err);
    if (!expire_bookings(batch, &bookings, locked, err))
        return false;
    const size_t count = pick_ids(&bookings, locked, true, settled);
    return pass_forget_skipped(batch, settled, count, err);
}

static bool
run_last_pass(TargetBatch *batch, Error *err)
{
    SkippedRows skipped = {0};
    return pass_list_skipped(batch, &skipped, err) &&
           (skipped.count == 0 || expire_skipped(batch, &skipped, err)) &&
           pass_advance_last(batch, &skipped, err);
}

static bool
preview(const TargetRead *read, Preview *ret_preview, Error *err)
{
    return booking_preview(read->context->database, read->cutoff_us, read->now_us,
                           read->params->limit, ret_preview, err);
}

static bool
count_due(const TargetRead *read, Tally *tally, Error *err)
{
    BookingList listed = {0};
    if (!booking_count(read->context->database, read->cutoff_us, &tally->counts[COUNT_BOOKINGS],
                       &listed, err))
        return false;
    tally->ids = listed.booking_ids;
    tally->id_count = listed.count;
    return true;
}

const Target target_bookings = {
    .name = "bookings",
    .counts = count_names,
    .counted = ARRAY_LEN(count_names),
    .words = {.due = "expired pending bookings",
              .done = "Successfully marked",
              .would = "Would mark",
              .rows = "bookings as Expired",
              .failure = "Error expiring pending bookings",
              .heading = "Booking expiration",
              .section = "booking_expiration",
              .skipped = "skipped_bookings",
              .ids = "expired_booking_ids",
              .truncated = "expired_booking_ids_truncated"},
    .age_minutes = age_minutes,
    .plan = plan_ranges,
    .batch = run_batch,
    .last_pass = run_last_pass,
    .preview = preview,
    .count = count_due,
};

/* The session part of a long command: a window of sessions after the cursor, then those that were
 * locked. */
#include "worker/repository/session_repository.h"
#include "worker/task/long_command/long_command.h"

#include <stdio.h>
#include <string.h>

static int64_t
cutoff_of(const LongCommandBatch *batch)
{
    return report_cutoff_us(&batch->item->command->params, REPORT_SESSIONS,
                            batch->long_command->now_us);
}

static void
add_counts(LedgerRange *range, const SessionCounts *counts)
{
    range->deleted_sessions += counts->sessions;
    range->deleted_images += counts->images;
    range->deleted_videos += counts->videos;
    range->skipped += counts->referenced;
}

/* Keeps what was locked by others for the last pass; beyond the limit it is counted at once. */
static bool
keep_skipped(LongCommandBatch *batch, const SessionCandidates *candidates, const bool *locked,
             Error *err)
{
    size_t skipped = 0;
    size_t kept = 0;
    const char **owners = long_command_room(batch, candidates->count, sizeof(*owners));
    const char **items = long_command_room(batch, candidates->count, sizeof(*items));
    if (owners == NULL || items == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < candidates->count; i++) {
        if (locked[i])
            continue;
        owners[skipped] = candidates->user_ids[i];
        items[skipped++] = candidates->session_ids[i];
    }
    if (skipped == 0)
        return true;
    if (!ledger_skip(batch->context->database, batch->item->command->id, &batch->range, owners,
                     items, skipped, batch->long_command->skipped_kept_max, &kept, err))
        return false;
    batch->range.skipped += (int64_t)(skipped - kept);
    return true;
}

static bool
clean_window(LongCommandBatch *batch, SessionCandidates *candidates, Error *err)
{
    if (candidates->count == 0)
        return true;
    SessionCounts counts = {0};
    const SessionRequest request = {"", cutoff_of(batch)};
    const SessionRequests requests = {&request, 1};
    bool *locked = long_command_room(batch, candidates->count, sizeof(*locked));
    if (locked == NULL)
        return error_out_of_memory(err);
    Database *database = batch->context->database;
    if (!long_command_stop_waiting(batch, err) ||
        !(batch->part->lock_children_first
              ? session_lock(database, candidates, locked, err)
              : session_lock_parents(database, candidates, locked, err)))
        return false;
    if (long_command_should_yield(batch, locked, candidates->count))
        return true;
    if (!session_delete_locked(database, candidates, locked, &requests, &counts, err))
        return false;
    add_counts(&batch->range, &counts);
    return keep_skipped(batch, candidates, locked, err);
}

static bool
find_window(const LongCommandBatch *batch, int limit, SessionCandidates *candidates, Error *err)
{
    const LedgerRange *range = &batch->range;
    const char *user_id = batch->item->command->params.user_id;
    const bool one_user = user_id[0] != '\0';
    const SessionWindow window = {
        .cutoff_us = cutoff_of(batch),
        .lowest_user = one_user ? user_id : range->bound_low,
        .highest_user = one_user ? user_id : range->bound_high,
        .after_user_id = range->cursor_major,
        .after_session_id = range->cursor_minor,
        .limit = limit,
    };
    Database *database = batch->context->database;
    return range->by_id ? session_find_window_by_id(database, &window, candidates, err)
                        : session_find_window(database, &window, candidates, err);
}

bool
long_command_sessions_batch(LongCommandBatch *batch, Error *err)
{
    LedgerRange *range = &batch->range;
    const int limit = batch->part->batch_rows;
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    if (!find_window(batch, limit, &candidates, err) || !clean_window(batch, &candidates, err))
        return false;
    if (candidates.last_session_id != NULL) {
        if (!range->by_id)
            (void)snprintf(range->cursor_major, sizeof(range->cursor_major), "%s",
                           candidates.last_user_id);
        (void)snprintf(range->cursor_minor, sizeof(range->cursor_minor), "%s",
                       candidates.last_session_id);
    }
    range->rows_done += (int64_t)candidates.window;
    if (candidates.window < (size_t)limit)
        long_command_begin_last_pass(range);
    return true;
}

static bool
is_still_locked(const SessionCandidates *candidates, const bool *locked, const char *session_id)
{
    for (size_t i = 0; i < candidates->count; i++) {
        if (!locked[i] && strcmp(candidates->session_ids[i], session_id) == 0)
            return true;
    }
    return false;
}

/* Forgets the rows that are dealt with: deleted, gone, or not inactive any more. */
static bool
forget_settled(LongCommandBatch *batch, const SkippedRows *skipped,
               const SessionCandidates *candidates, const bool *locked, Error *err)
{
    const char **settled = long_command_room(batch, skipped->count, sizeof(*settled));
    if (settled == NULL)
        return error_out_of_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < skipped->count; i++) {
        if (!is_still_locked(candidates, locked, skipped->items[i]))
            settled[count++] = skipped->items[i];
    }
    return count == 0 || ledger_skipped_delete(batch->context->database, batch->item->command->id,
                                               &batch->range, settled, count, err);
}

/* First look, locks, second look over what was skipped, and over nothing else of its users. None of
 * it waits either: what is locked is looked at again after a pause, so that no executor stands
 * still for somebody else's transaction. */
static bool
clean_skipped(LongCommandBatch *batch, const SkippedRows *skipped, Error *err)
{
    Database *database = batch->context->database;
    SessionCounts counts = {0};
    const SessionRequest request = {"", cutoff_of(batch)};
    const SessionRequests requests = {&request, 1};
    const SessionList listed = {(const char *const *)skipped->items,
                                (const char *const *)skipped->owners, skipped->count};
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    if (!session_find_listed(database, request.cutoff_us, &listed, &candidates, err))
        return false;
    bool *locked = long_command_room(batch, candidates.count, sizeof(*locked));
    if (locked == NULL)
        return error_out_of_memory(err);
    if (candidates.count > 0 &&
        (!long_command_stop_waiting(batch, err) ||
         !session_lock(database, &candidates, locked, err) ||
         !session_delete_locked(database, &candidates, locked, &requests, &counts, err)))
        return false;
    add_counts(&batch->range, &counts);
    return forget_settled(batch, skipped, &candidates, locked, err);
}

bool
long_command_sessions_last_pass(LongCommandBatch *batch, Error *err)
{
    SkippedRows skipped = {0};
    return long_command_list_skipped(batch, &skipped, err) &&
           (skipped.count == 0 || clean_skipped(batch, &skipped, err)) &&
           long_command_advance_last_pass(batch, &skipped, err);
}

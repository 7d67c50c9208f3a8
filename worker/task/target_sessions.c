/* Sessions without a message for long enough, with their image and video records: a window of
 * sessions after the cursor, then those that were locked. */
#include "worker/task/target_sessions.h"

#include "worker/task/long_command/divide.h"
#include "worker/task/long_command/pass.h"

#include <string.h>

enum {
    COUNT_SESSIONS,
    COUNT_IMAGES,
    COUNT_VIDEOS,
};

static const char *const count_names[] = {
    [COUNT_SESSIONS] = "deleted_sessions",
    [COUNT_IMAGES] = "deleted_image_records",
    [COUNT_VIDEOS] = "deleted_video_records",
};

static double
age_minutes(const CommandParams *params)
{
    return params->inactive_hours * 60.0;
}

_Static_assert(sizeof(((SessionBound *)0)->user_id) == RANGE_BOUND_BYTES, "both hold a UUID");

/* The greatest UUID below `bound`, which is not the lowest one. */
static void
step_back(const SessionBound *bound, char ret_below[RANGE_BOUND_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    memcpy(ret_below, bound->user_id, RANGE_BOUND_BYTES);
    for (size_t i = strlen(ret_below); i > 0; i--) {
        char *digit = &ret_below[i - 1];
        const char *found = strchr(digits, *digit);
        if (found == NULL)
            continue;
        *digit = found > digits ? found[-1] : 'f';
        if (found > digits)
            return;
    }
}

static void
add_ranges(TargetPlan *plan, int64_t rows, const SessionBound *bounds, int bound_count)
{
    const int count = bound_count + 1;
    for (int i = 0; i < count; i++) {
        LedgerRange *range = divide_add(plan);
        range->rows_total = rows / count + (i < rows % count);
        if (i > 0)
            memcpy(range->bound_low, bounds[i - 1].user_id, sizeof(range->bound_low));
        if (i < bound_count)
            step_back(&bounds[i], range->bound_high);
    }
}

/* All of it comes from the catalog alone: a table that is locked or gone is no reason not to begin,
 * for another target may do without it. Order and bounds never change: a cursor of one order means
 * nothing in the other, and the next owner may find another index. */
static bool
plan_ranges(TargetPlan *plan, Error *err)
{
    Database *database = plan->context->database;
    SessionBound bounds[TARGET_RANGES_MAX];
    int64_t rows = 0;
    int bound_count = 0;
    bool indexed = true;
    const bool whole_table = plan->params->user_id[0] == '\0';
    if (whole_table && (!session_has_user_index(database, &indexed, err) ||
                        !session_estimate(database, &rows, err)))
        return false;
    const int wanted = whole_table && indexed ? divide_wanted(plan->context, rows) : 1;
    if (wanted > 1 && !session_find_bounds(database, wanted, bounds, &bound_count, err))
        return false;
    add_ranges(plan, rows, bounds, bound_count);
    plan->ranges[0].by_id = !indexed;
    return true;
}

static SkipCount
referenced_of(const SessionCounts *counts)
{
    const char *example = counts->referenced_example != NULL ? counts->referenced_example : "";
    return (SkipCount){{SKIP_REFERENCED, "", ""}, counts->referenced, example};
}

Tally
target_sessions_tally(const SessionCounts *counts)
{
    Tally tally = {
        .counts = {[COUNT_SESSIONS] = counts->sessions,
                   [COUNT_IMAGES] = counts->images,
                   [COUNT_VIDEOS] = counts->videos},
    };
    tally.skipped = counts->referenced;
    if (counts->referenced > 0)
        tally.reasons[tally.reason_count++] = referenced_of(counts);
    return tally;
}

static bool
add_counts(TargetBatch *batch, const SessionCounts *counts, Error *err)
{
    LedgerRange *range = &batch->range;
    const SkipCount referenced = referenced_of(counts);
    range->counts[COUNT_SESSIONS] += counts->sessions;
    range->counts[COUNT_IMAGES] += counts->images;
    range->counts[COUNT_VIDEOS] += counts->videos;
    return pass_count_skipped(batch, &referenced, err);
}

/* Candidates whose flag has the wanted value, as rows to skip. */
static bool
pick_rows(const TargetBatch *batch, const SessionCandidates *candidates, const bool *flags,
          bool wanted, SkippedRows *ret_rows, Error *err)
{
    SkippedRows rows = {
        .owners = pass_room(batch, candidates->count, sizeof(*rows.owners)),
        .items = pass_room(batch, candidates->count, sizeof(*rows.items)),
    };
    if (rows.owners == NULL || rows.items == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < candidates->count; i++) {
        if (flags != NULL && flags[i] != wanted)
            continue;
        rows.owners[rows.count] = candidates->user_ids[i];
        rows.items[rows.count++] = candidates->session_ids[i];
    }
    *ret_rows = rows;
    return true;
}

/* Keeps what others had locked for the last pass. */
static bool
keep_locked(TargetBatch *batch, const SessionCandidates *candidates, const bool *locked, Error *err)
{
    SkippedRows rows = {0};
    return pick_rows(batch, candidates, locked, false, &rows, err) &&
           pass_keep_skipped(batch, &rows, err);
}

/* The sessions of a batch that are still to be deleted, and what triggers have kept of it. */
typedef struct Removal {
    const SessionCandidates *candidates;
    bool *due;
    SkipCount kept;
} Removal;

/* What a trigger keeps stays, with all its records: undoes the change, and takes those sessions out
 * of it. */
static bool
leave_kept(const TargetBatch *batch, Removal *removal, const SessionDeletion *deletion, Error *err)
{
    for (size_t i = 0; i < removal->candidates->count; i++) {
        if (!deletion->kept[i])
            continue;
        removal->due[i] = false;
        removal->kept.example = removal->candidates->session_ids[i];
    }
    removal->kept.rows += (int64_t)deletion->kept_count;
    return database_return_to_savepoint(batch->context->database, err);
}

/* Each round leaves out what a trigger kept in the round before. */
static bool
delete_due(TargetBatch *batch, Removal *removal, SessionCounts *counts, Error *err)
{
    SessionDeletion deletion = {.counts = counts};
    const SessionRequest request = {"", batch->cutoff_us};
    const SessionRequests requests = {&request, 1};
    for (;;) {
        if (!session_delete_locked(batch->context->database, removal->candidates, removal->due,
                                   &requests, &deletion, err))
            return false;
        batch->needs_guard = deletion.kept_count > 0 && !batch->guarded;
        if (deletion.kept_count == 0 || batch->needs_guard)
            return true;
        if (!leave_kept(batch, removal, &deletion, err))
            return false;
    }
}

/* Second look and deletes; the first look and the locks came before. */
static bool
delete_locked(TargetBatch *batch, const SessionCandidates *candidates, const bool *locked,
              Error *err)
{
    SessionCounts counts = {0};
    Removal removal = {
        .candidates = candidates,
        .due = pass_room(batch, candidates->count, sizeof(*removal.due)),
        .kept = {.cause = {SKIP_TRIGGER, "", ""}},
    };
    if (removal.due == NULL)
        return error_out_of_memory(err);
    memcpy(removal.due, locked, candidates->count * sizeof(*removal.due));
    if ((batch->guarded && !database_set_savepoint(batch->context->database, err)) ||
        !delete_due(batch, &removal, &counts, err))
        return false;
    return batch->needs_guard ||
           (add_counts(batch, &counts, err) && pass_count_skipped(batch, &removal.kept, err));
}

/* Locks, second look and deletes. */
static bool
clean_candidates(TargetBatch *batch, const SessionCandidates *candidates, Error *err)
{
    Database *database = batch->context->database;
    bool *locked = pass_room(batch, candidates->count, sizeof(*locked));
    if (locked == NULL)
        return error_out_of_memory(err);
    if (!pass_stop_waiting(batch, err) ||
        !(batch->lock_children_first ? session_lock(database, candidates, locked, err)
                                     : session_lock_parents(database, candidates, locked, err)))
        return false;
    if (pass_should_yield(batch, locked, candidates->count))
        return true;
    return delete_locked(batch, candidates, locked, err) &&
           (batch->needs_guard || keep_locked(batch, candidates, locked, err));
}

static bool
clean_window(TargetBatch *batch, const SessionCandidates *candidates, Error *err)
{
    SkippedRows rows = {0};
    if (candidates->count == 0)
        return true;
    if (batch->set_aside == NULL)
        return clean_candidates(batch, candidates, err);
    return pick_rows(batch, candidates, NULL, true, &rows, err) &&
           pass_keep_skipped(batch, &rows, err);
}

static bool
find_window(const TargetBatch *batch, SessionCandidates *candidates, Error *err)
{
    const LedgerRange *range = &batch->range;
    const char *user_id = batch->params->user_id;
    const bool one_user = user_id[0] != '\0';
    const SessionWindow window = {
        .cutoff_us = batch->cutoff_us,
        .lowest_user = one_user ? user_id : range->bound_low,
        .highest_user = one_user ? user_id : range->bound_high,
        .after_user_id = range->cursor.major,
        .after_session_id = range->cursor.minor,
        .limit = batch->limit,
    };
    Database *database = batch->context->database;
    return range->by_id ? session_find_window_by_id(database, &window, candidates, err)
                        : session_find_window(database, &window, candidates, err);
}

static bool
run_batch(TargetBatch *batch, Error *err)
{
    LedgerRange *range = &batch->range;
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    if (!find_window(batch, &candidates, err) || !clean_window(batch, &candidates, err))
        return false;
    if (candidates.last_session_id != NULL)
        pass_set_cursor(range, range->by_id ? "" : candidates.last_user_id,
                        candidates.last_session_id);
    range->rows_done += (int64_t)candidates.window;
    if (candidates.window < (size_t)batch->limit)
        pass_begin_last(range);
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
forget_settled(TargetBatch *batch, const SkippedRows *skipped, const SessionCandidates *candidates,
               const bool *locked, Error *err)
{
    const char **settled = pass_room(batch, skipped->count, sizeof(*settled));
    if (settled == NULL)
        return error_out_of_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < skipped->count; i++) {
        if (!is_still_locked(candidates, locked, skipped->items[i]))
            settled[count++] = skipped->items[i];
    }
    return pass_forget_skipped(batch, settled, count, err);
}

/* First look, locks, second look over what was skipped, and over nothing else of its users. None of
 * it waits either: what is locked is looked at again after a pause, so that no executor stands
 * still for another transaction. */
static bool
clean_skipped(TargetBatch *batch, const SkippedRows *skipped, Error *err)
{
    Database *database = batch->context->database;
    const SessionList listed = {skipped->items, skipped->owners, skipped->count};
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    if (!session_find_listed(database, batch->cutoff_us, &listed, &candidates, err))
        return false;
    bool *locked = pass_room(batch, candidates.count, sizeof(*locked));
    if (locked == NULL)
        return error_out_of_memory(err);
    if (candidates.count > 0 &&
        (!pass_stop_waiting(batch, err) || !session_lock(database, &candidates, locked, err) ||
         !delete_locked(batch, &candidates, locked, err)))
        return false;
    return batch->needs_guard || forget_settled(batch, skipped, &candidates, locked, err);
}

static bool
run_last_pass(TargetBatch *batch, Error *err)
{
    SkippedRows skipped = {0};
    return pass_list_skipped(batch, &skipped, err) &&
           (skipped.count == 0 || clean_skipped(batch, &skipped, err)) &&
           pass_advance_last(batch, &skipped, err);
}

static bool
preview(const TargetRead *read, Preview *ret_preview, Error *err)
{
    const SessionRequest request = {read->params->user_id, read->cutoff_us};
    return session_preview(read->context->database, &request, read->params->limit, ret_preview,
                           err);
}

static bool
count_due(const TargetRead *read, Tally *tally, Error *err)
{
    SessionCounts counts = {0};
    if (!session_count(read->context->database, read->cutoff_us, read->params->user_id, &counts,
                       err))
        return false;
    *tally = target_sessions_tally(&counts);
    return true;
}

const Target target_sessions = {
    .name = "sessions",
    .counts = count_names,
    .counted = ARRAY_LEN(count_names),
    .words = {.due = "inactive sessions",
              .done = "Successfully cleaned up",
              .would = "Would clean up",
              .rows = "inactive sessions",
              .failure = "Error cleaning up inactive sessions",
              .heading = "Session cleanup",
              .section = "session_cleanup",
              .skipped = "skipped_sessions"},
    .age_minutes = age_minutes,
    .plan = plan_ranges,
    .batch = run_batch,
    .last_pass = run_last_pass,
    .preview = preview,
    .count = count_due,
};

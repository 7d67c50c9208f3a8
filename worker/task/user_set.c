/*
 * Per-user commands, many in one transaction: what the ledger knows of them, first look, locks,
 * second look and deletes, and last the ledger rows with the results. "Deleting
 * safely" in ARCHITECTURE.md gives the order; a command that meets a lock leaves the set and goes
 * on as a long command.
 *
 * The ledger is read first and written last, so that each row is written once, and by COPY. Should
 * another transaction enter one of the ids meanwhile, that fails, everything is rolled back, and
 * the second time the ledger knows that command.
 */
#include "worker/task/ledger_entry.h"
#include "worker/task/report.h"
#include "worker/task/target_sessions.h"

#include <string.h>

enum {
    RUNS_MAX =
        3, /* of one set: with the children locked first, or because ids were entered meanwhile */
};

typedef struct SetMember {
    bool runs; /* takes part in the clean-up: new, in time, not left the set */
    bool is_new;
    int64_t candidates;
    SessionCounts counts;
} SetMember;

typedef struct SetRun {
    const TaskContext *context;
    const TaskItem *items;
    size_t count;
    int attempts;
    int64_t now_us;
    TaskOutcome *outcomes;
    SetMember *members;
    LedgerRecord *records;
    SessionRequest *requests;
    SessionCounts *counts;
    size_t *members_of_request;
    bool lock_children_first; /* children are locked before they are deleted */
    bool changing;            /* rows are being locked and deleted: one of them may be refused */
    int64_t locks_since_ms;   /* monotonic; while changing */
    int64_t round_trip_ms;
} SetRun;

/* In the memory of the transaction that has just begun. */
static bool
set_init(SetRun *set, Error *err)
{
    Arena *arena = database_arena(set->context->database);
    set->members = arena_alloc(arena, set->count, sizeof(*set->members));
    set->records = arena_alloc(arena, set->count, sizeof(*set->records));
    set->requests = arena_alloc(arena, set->count, sizeof(*set->requests));
    set->counts = arena_alloc(arena, set->count, sizeof(*set->counts));
    set->members_of_request = arena_alloc(arena, set->count, sizeof(*set->members_of_request));
    return (set->members != NULL && set->records != NULL && set->requests != NULL &&
            set->counts != NULL && set->members_of_request != NULL) ||
           error_out_of_memory(err);
}

static int64_t
set_now_ms(const SetRun *set)
{
    return clock_monotonic_ms(set->context->clock);
}

static void
set_leave(SetRun *set, size_t i)
{
    set->members[i].runs = false;
    set->outcomes[i].step = TASK_LEAVE_SET;
}

static TaskEntry
set_entry(SetRun *set, size_t i)
{
    return (TaskEntry){set->context, &set->items[i], &set->records[i], &set->outcomes[i]};
}

static bool
set_apply_verdict(SetRun *set, size_t i, const LedgerRecord *row, Error *err)
{
    const TaskEntry entry = set_entry(set, i);
    EntryVerdict verdict = ENTRY_SETTLED;
    if (!ledger_entry_settle(&entry, row, &verdict, err))
        return false;
    if (verdict != ENTRY_SETTLED)
        set_leave(set, i);
    return true;
}

/* Settles what the ledger knows already; the rest is new. */
static bool
set_look_up(SetRun *set, Error *err)
{
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    if (!ledger_entry_find(set->context, set->items, set->count, &rows, err))
        return error_wrap(err, "look up %zu commands in the ledger", set->count);
    for (size_t i = 0; i < set->count; i++) {
        const LedgerRecord *row =
            ledger_rows_find(&rows, set->items[i].command, set->items[i].source);
        set->members[i].is_new = row == NULL;
        if (row != NULL && !set_apply_verdict(set, i, row, err))
            return false;
    }
    return true;
}

static bool
set_start_new(SetRun *set, Error *err)
{
    const TaskSettings *settings = set->context->settings;
    for (size_t i = 0; i < set->count; i++) {
        SetMember *member = &set->members[i];
        if (!member->is_new)
            continue;
        const TaskItem *item = &set->items[i];
        set->records[i] =
            ledger_record_new(item->command, item->source, settings->worker_id, set->now_us);
        const LedgerStart start = ledger_start(item->command, item->source, set->now_us,
                                               settings->ledger_retention_hours);
        const TaskEntry entry = set_entry(set, i);
        member->runs = start == LEDGER_START_RUN;
        if (!member->runs && !outcome_not_started(&entry, start, err))
            return false;
    }
    return true;
}

/* The requests of the members that run. */
static SessionRequests
set_requests(SetRun *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (!set->members[i].runs)
            continue;
        const CommandParams *params = &set->items[i].command->params;
        set->members_of_request[count] = i;
        set->requests[count++] = (SessionRequest){
            params->user_id, target_cutoff_us(&target_sessions, params, set->now_us)};
    }
    return (SessionRequests){set->requests, count};
}

/* A command with more candidates than a batch holds leaves the set. */
static void
set_count_candidates(SetRun *set, const SessionCandidates *candidates)
{
    for (size_t c = 0; c < candidates->count; c++) {
        const size_t i = set->members_of_request[candidates->ordinals[c]];
        if (++set->members[i].candidates > set->context->settings->batch_sessions)
            set_leave(set, i);
    }
}

/* First look and locks, in one statement, which may take no longer than one that finds rows locked.
 */
static bool
set_find_and_lock(SetRun *set, const SessionRequests *requests, SessionCandidates *ret_candidates,
                  bool **ret_locked, Error *err)
{
    Database *database = set->context->database;
    const int limit = set->context->settings->batch_sessions + 1;
    const int64_t began_ms = set_now_ms(set);
    if (!database_limit_statements(database, err))
        return false;
    set->changing = true;
    set->locks_since_ms = set_now_ms(set);
    set->round_trip_ms = set->locks_since_ms - began_ms;
    return session_find_and_lock(database, requests, limit, ret_candidates, ret_locked, err) ||
           error_wrap(err, "look for inactive sessions of %zu users and lock them",
                      requests->count);
}

/* The other locks, and takes out of the set the commands that met a lock of another transaction. */
static bool
set_lock_rest(SetRun *set, const SessionCandidates *candidates, bool *locked, Error *err)
{
    Database *database = set->context->database;
    if (!database_stop_waiting(database, err) ||
        !session_lock_rest(database, candidates, set->lock_children_first, locked, err))
        return error_wrap(err, "lock %zu sessions with their users", candidates->count);
    for (size_t c = 0; c < candidates->count; c++) {
        if (!locked[c])
            set_leave(set, set->members_of_request[candidates->ordinals[c]]);
    }
    for (size_t c = 0; c < candidates->count; c++) {
        if (!set->members[set->members_of_request[candidates->ordinals[c]]].runs)
            locked[c] = false;
    }
    return true;
}

/* Second look, and deletes. */
static bool
set_delete(SetRun *set, const SessionCandidates *candidates, const bool *locked,
           const SessionRequests *requests, Error *err)
{
    SessionDeletion deletion = {.counts = set->counts};
    if (!session_delete_locked(set->context->database, candidates, locked, requests, &deletion,
                               err))
        return error_wrap(err, "delete the locked sessions that are still inactive");
    if (deletion.kept_count > 0)
        return error_set(err, REASON_WORK_REFUSED,
                         "a trigger has kept %zu sessions or their records", deletion.kept_count);
    for (size_t r = 0; r < requests->count; r++)
        set->members[set->members_of_request[r]].counts = set->counts[r];
    return true;
}

static bool
set_clean(SetRun *set, Error *err)
{
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    const SessionRequests requests = set_requests(set);
    bool *locked = NULL;
    if (requests.count == 0)
        return true;
    if (!set_find_and_lock(set, &requests, &candidates, &locked, err))
        return false;
    set_count_candidates(set, &candidates);
    return candidates.count == 0 || (set_lock_rest(set, &candidates, locked, err) &&
                                     set_delete(set, &candidates, locked, &requests, err));
}

static bool
set_end_member(SetRun *set, size_t i, int64_t finished_us, Error *err)
{
    const CommandParams *params = &set->items[i].command->params;
    const TaskEntry entry = set_entry(set, i);
    const Report report = {
        .target = &target_sessions,
        .cutoff_us = target_cutoff_us(&target_sessions, params, set->now_us),
        .user_id = params->user_id,
        .tally = target_sessions_tally(&set->members[i].counts),
    };
    const Reports reports = {&report, 1};
    Arena *arena = database_arena(set->context->database);
    const char *message = report_message(arena, &reports);
    const char *data = report_data(arena, &reports, NULL);
    const TaskEnd end = {
        .status = RESULT_SUCCEEDED,
        .message = message,
        .data = data,
        .attempts = set->attempts,
        .started_us = set->now_us,
        .finished_us = finished_us,
    };
    if (message == NULL || data == NULL)
        return error_out_of_memory(err);
    return outcome_finish(&entry, &end, err);
}

/* The outcome has a copy of what is printed here. */
static bool
set_render_member(SetRun *set, size_t i, int64_t finished_us, Error *err)
{
    Arena *arena = database_arena(set->context->database);
    const ArenaMark mark = arena_mark(arena);
    const bool rendered = set_end_member(set, i, finished_us, err);
    arena_rewind(arena, mark);
    return rendered;
}

/* Enters the ends in the ledger; a command that left the set has no row in it. */
static bool
set_enter_ledger(SetRun *set, Error *err)
{
    int64_t finished_us;
    size_t ended = 0;
    if (!database_now(set->context->database, &finished_us, err))
        return false;
    for (size_t i = 0; i < set->count; i++) {
        const SetMember *member = &set->members[i];
        if (member->runs && !set_render_member(set, i, finished_us, err))
            return false;
        if (member->is_new && set->outcomes[i].step == TASK_FINISHED)
            set->records[ended++] = set->records[i];
    }
    return ended == 0 || ledger_enter(set->context->database, set->records, ended, err) ||
           error_wrap(err, "enter %zu results in the ledger", ended);
}

/* The transaction has ended, and with it its locks. */
static void
set_note_locks(const SetRun *set)
{
    const TaskContext *context = set->context;
    if (set->changing && context->set_time != NULL)
        *context->set_time = (BatchTime){set_now_ms(set) - set->locks_since_ms, set->round_trip_ms};
}

static bool
set_run_transaction(SetRun *set, Error *err)
{
    if (!catalog_watch_check(set->context->settings->catalog, set->context->database,
                             CATALOG_SESSIONS, CATALOG_WATCH_SET, err) ||
        !database_begin(set->context->database, DATABASE_WRITE, 0, &set->now_us, err))
        return false;
    const bool done = set_init(set, err) && set_look_up(set, err) && set_start_new(set, err) &&
                      set_clean(set, err) && set_enter_ledger(set, err) &&
                      database_commit(set->context->database, err);
    if (!done)
        database_rollback(set->context->database);
    set_note_locks(set);
    return done;
}

static void
set_forget(SetRun *set)
{
    for (size_t i = 0; i < set->count; i++)
        task_outcome_done(&set->outcomes[i]);
}

/* A child that the application holds, or an id that came meanwhile: worth another run at once. */
static bool
set_runs_again(SetRun *set, const Error *err)
{
    const bool again = err->reason == REASON_LEDGER_ENTERED;
    if (again || set->lock_children_first ||
        !(outcome_met_a_lock(err) || err->reason == REASON_TABLE_LOCKED))
        return again;
    set->lock_children_first = true;
    return true;
}

/* A command that has a row which fails for itself goes on as a long command, which finds and skips
 * that row. In a set of more it is found by halving the set. */
static bool
set_leaves(SetRun *set, const Error *err)
{
    if (set->count > 1 || !set->changing || !outcome_is_of_a_row(err))
        return false;
    set->outcomes[0].step = TASK_LEAVE_SET;
    return true;
}

bool
task_run_set(const TaskContext *context, const TaskItem *items, size_t count, int attempts,
             TaskOutcome *outcomes, Error *err)
{
    SetRun set = {
        .context = context,
        .items = items,
        .count = count,
        .attempts = attempts,
        .outcomes = outcomes,
    };
    memset(outcomes, 0, count * sizeof(*outcomes));
    for (int run = 1; !set_run_transaction(&set, err); run++) {
        set_forget(&set);
        if (run == RUNS_MAX || !set_runs_again(&set, err))
            return set_leaves(&set, err);
        set.changing = false;
    }
    return true;
}

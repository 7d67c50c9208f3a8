/* Equal commands that share one run: who joins when it begins, and their results when it ends. */
#include "worker/task/ledger_entry.h"
#include "worker/task/long_command/long_command_private.h"

bool
long_command_share_join(const TaskContext *context, const TaskFollowers *followers, int64_t now_us,
                        Error *err)
{
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    if (followers->count > 0 &&
        !ledger_entry_find(context, followers->items, followers->count, &rows, err))
        return error_wrap(err, "look up commands that would share the run");
    for (size_t i = 0; i < followers->count; i++) {
        const TaskItem *item = &followers->items[i];
        const LedgerStart start = ledger_start(item->command, item->source, now_us,
                                               context->settings->ledger_retention_hours);
        const bool known = ledger_rows_find(&rows, item->command, item->source) != NULL;
        followers->outcomes[i].step =
            !known && start == LEDGER_START_RUN ? TASK_FOLLOWS : TASK_LEAVE_SET;
    }
    return true;
}

/* The leader's targets, of which nothing was left. */
static void
found_nothing(const Reports *reports, Report *ret_nothing)
{
    for (size_t i = 0; i < reports->count; i++)
        ret_nothing[i] = (Report){
            .target = reports->each[i].target,
            .cutoff_us = reports->each[i].cutoff_us,
            .user_id = "",
        };
}

static bool
render_all(const TaskEntry *leader, const TaskFollowers *followers, const TaskEnd *end,
           LedgerRecord *records, Error *err)
{
    const TaskContext *context = leader->context;
    for (size_t i = 0; i < followers->count; i++) {
        const TaskItem *item = &followers->items[i];
        const TaskEntry entry = {context, item, &records[i], &followers->outcomes[i]};
        records[i] = ledger_record_new(item->command, item->source, context->settings->worker_id,
                                       leader->record->now_us);
        records[i].started_us = leader->record->started_us;
        if (!outcome_finish(&entry, end, err))
            return false;
    }
    return true;
}

static bool
enter_all(const TaskContext *context, const TaskFollowers *followers, const LedgerRecord *records,
          Error *err)
{
    bool *inserted =
        arena_alloc(database_arena(context->database), followers->count, sizeof(*inserted));
    if (inserted == NULL)
        return error_out_of_memory(err);
    if (!ledger_insert(context->database, records, followers->count, inserted, err))
        return false;
    for (size_t i = 0; i < followers->count; i++) {
        if (inserted[i])
            continue;
        task_outcome_done(&followers->outcomes[i]);
        followers->outcomes[i].step = TASK_LEAVE_SET;
    }
    return true;
}

bool
long_command_share_end(const TaskEntry *leader, const TaskFollowers *followers,
                       const Reports *reports, Error *err)
{
    Arena *arena = database_arena(leader->context->database);
    LedgerRecord *records = arena_alloc(arena, followers->count, sizeof(*records));
    Report *nothing = arena_alloc(arena, reports->count, sizeof(*nothing));
    if (records == NULL || nothing == NULL)
        return error_out_of_memory(err);
    if (followers->count == 0)
        return true;
    found_nothing(reports, nothing);
    const Reports found = {nothing, reports->count};
    const TaskEnd end = {
        .status = RESULT_SUCCEEDED,
        .message = report_message(arena, &found),
        .data = report_data(arena, &found, leader->item->command->id),
        .attempts = 1,
        .started_us = leader->record->started_us,
        .finished_us = leader->record->finished_us,
    };
    return ((end.message != NULL && end.data != NULL) || error_out_of_memory(err)) &&
           ((render_all(leader, followers, &end, records, err) &&
             enter_all(leader->context, followers, records, err)) ||
            error_wrap(err, "end %zu commands that shared the run", followers->count));
}

/* Equal commands that share one run: who joins when it begins, and their results when it ends. */
#include "worker/task/long_command/long_command.h"

bool
long_command_share_join(const TaskContext *context, const TaskFollowers *followers, int64_t now_us,
                        Error *err)
{
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    const char **ids =
        arena_alloc(database_arena(context->database), followers->count, sizeof(*ids));
    if (ids == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < followers->count; i++)
        ids[i] = followers->items[i].command->id;
    if (followers->count > 0 && !ledger_find(context->database, ids, followers->count, &rows, err))
        return error_wrap(err, "look up commands that would share the run");
    for (size_t i = 0; i < followers->count; i++) {
        const TaskItem *item = &followers->items[i];
        const LedgerStart start = ledger_start(item->command, item->source, now_us,
                                               context->settings->ledger_retention_hours);
        const bool known = ledger_rows_find(&rows, item->command->id) != NULL;
        followers->outcomes[i].step =
            !known && start == LEDGER_START_RUN ? TASK_FOLLOWS : TASK_LEAVE_SET;
    }
    return true;
}

/* The leader's halves, of which nothing was left. */
static void
found_nothing(const LongCommandReports *reports, Report *ret_nothing)
{
    for (size_t i = 0; i < reports->count; i++)
        ret_nothing[i] = (Report){
            .part = reports->reports[i].part,
            .cutoff_us = reports->reports[i].cutoff_us,
            .user_id = "",
        };
}

static bool
render(const TaskContext *context, const LedgerRecord *leader, const TaskItem *item,
       const TaskEnd *end, LedgerRecord *ret_record, TaskOutcome *outcome, Error *err)
{
    *ret_record = ledger_record_new(item->command, item->source, context->settings->worker_id,
                                    leader->now_us);
    ret_record->started_us = leader->started_us;
    return outcome_finish(context, item, end, ret_record, outcome, err);
}

static bool
render_all(const TaskContext *context, const LedgerRecord *leader, const TaskFollowers *followers,
           const LongCommandReports *reports, LedgerRecord *records, Error *err)
{
    Arena *arena = database_arena(context->database);
    const char *message = long_command_message(arena, reports);
    const char *data = long_command_data(arena, reports, leader->command_id);
    const TaskEnd end = {
        .status = RESULT_SUCCEEDED,
        .message = message,
        .data = data,
        .attempts = 1,
        .started_us = leader->started_us,
        .finished_us = leader->finished_us,
    };
    bool rendered = (message != NULL && data != NULL) || error_out_of_memory(err);
    for (size_t i = 0; i < followers->count && rendered; i++)
        rendered = render(context, leader, &followers->items[i], &end, &records[i],
                          &followers->outcomes[i], err);
    return rendered;
}

bool
long_command_share_end(const TaskContext *context, const LedgerRecord *leader,
                       const TaskFollowers *followers, const LongCommandReports *reports,
                       Error *err)
{
    Report nothing[LONG_COMMAND_HALVES_MAX];
    const LongCommandReports found = {nothing, reports->count};
    Arena *arena = database_arena(context->database);
    LedgerRecord *records = arena_alloc(arena, followers->count, sizeof(*records));
    bool *inserted = arena_alloc(arena, followers->count, sizeof(*inserted));
    if (records == NULL || inserted == NULL)
        return error_out_of_memory(err);
    if (followers->count == 0)
        return true;
    found_nothing(reports, nothing);
    if (!render_all(context, leader, followers, &found, records, err) ||
        !ledger_insert(context->database, records, followers->count, inserted, err))
        return error_wrap(err, "end %zu commands that shared the run", followers->count);
    for (size_t i = 0; i < followers->count; i++) {
        if (inserted[i])
            continue;
        task_outcome_done(&followers->outcomes[i]);
        followers->outcomes[i].step = TASK_LEAVE_SET;
    }
    return true;
}

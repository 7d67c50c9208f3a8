/* How a long command begins, is taken over by the next owner, or is settled by the ledger's rules.
 */
#include "worker/task/long_command/long_command.h"

#include <string.h>

static void
adopt(LongCommand *long_command, const LedgerRecord *row)
{
    long_command->epoch = row->owner_epoch;
    long_command->now_us = row->now_us;
    long_command->started_us = row->started_us;
}

static bool
insert_ranges(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
              Error *err)
{
    LedgerRange ranges[LONG_COMMAND_PARTS_MAX];
    return long_command_plan(context, item->command, long_command, ranges, err) &&
           ledger_range_insert(context->database, item->command->id, ranges,
                               (size_t)long_command->part_count, err);
}

static bool
begin_new(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
          const TaskFollowers *followers, LedgerRecord *record, TaskOutcome *outcome, Error *err)
{
    const LedgerStart start = ledger_start(item->command, item->source, record->now_us,
                                           context->settings->ledger_retention_hours);
    if (start != LEDGER_START_RUN) {
        return outcome_not_started(context, item, start, record->now_us, record, outcome, err) &&
               ledger_update(context->database, record, 1, err);
    }
    adopt(long_command, record);
    outcome->step = TASK_REQUEUE;
    return insert_ranges(context, item, long_command, err) &&
           (followers == NULL || long_command_share_join(context, followers, record->now_us, err));
}

/* The rows of the old owner are waited for (they are locked while a batch runs), then the epoch is
 * raised. */
static bool
take_over(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
          const LedgerRecord *row, Error *err)
{
    LedgerRange ranges[LONG_COMMAND_PARTS_MAX];
    size_t count = 0;
    if (!ledger_range_lock_all(context->database, item->command->id, ranges, LONG_COMMAND_PARTS_MAX,
                               &count, err))
        return false;
    adopt(long_command, row);
    long_command->epoch = row->owner_epoch + 1;
    long_command_adopt(context, long_command, ranges, count);
    return ledger_take_over(context->database, item->command->id, context->settings->worker_id,
                            long_command->epoch, err);
}

static bool
run_again(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
          LedgerRecord *record, const LedgerRecord *row, Error *err)
{
    record->owner_epoch = row->owner_epoch + 1;
    adopt(long_command, record);
    return ledger_range_delete_all(context->database, item->command->id, err) &&
           ledger_update(context->database, record, 1, err) &&
           insert_ranges(context, item, long_command, err);
}

static bool
begin_known(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
            LedgerRecord *record, TaskOutcome *outcome, Error *err)
{
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    const char *const ids[] = {item->command->id};
    if (!ledger_lock(context->database, ids, 1, &rows, err))
        return false;
    if (rows.count == 0)
        return error_set(err, REASON_LEDGER_BUSY, "a ledger row was there and is gone again");
    const LedgerRecord *row = &rows.rows[0];
    outcome->step = TASK_REQUEUE;
    switch (ledger_decide(row, item->command, item->source)) {
    case LEDGER_TAKE_OVER:
        return take_over(context, item, long_command, row, err);
    case LEDGER_RUN_AGAIN:
        return run_again(context, item, long_command, record, row, err);
    case LEDGER_PUBLISH:
        return outcome_from_stored(row, outcome, err);
    case LEDGER_ABSORB:
        outcome->step = TASK_DUPLICATE;
        return true;
    }
    return true;
}

static bool
begin_in_transaction(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
                     const TaskFollowers *followers, TaskOutcome *outcome, Error *err)
{
    int64_t now_us;
    bool inserted = false;
    if (!database_begin(context->database, DATABASE_WRITE, 0, &now_us, err))
        return false;
    LedgerRecord record =
        ledger_record_new(item->command, item->source, context->settings->worker_id, now_us);
    if (!ledger_insert(context->database, &record, 1, &inserted, err))
        return false;
    const bool settled =
        inserted ? begin_new(context, item, long_command, followers, &record, outcome, err)
                 : begin_known(context, item, long_command, &record, outcome, err);
    return settled && database_commit(context->database, err);
}

bool
long_command_begin(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
                   const TaskFollowers *followers, TaskOutcome *outcome, Error *err)
{
    if (!begin_in_transaction(context, item, long_command, followers, outcome, err)) {
        database_rollback(context->database);
        task_outcome_done(outcome);
        return error_wrap(err, "begin %s", command_task_name(item->command->task));
    }
    long_command->begun = outcome->step == TASK_REQUEUE;
    long_command_begin_progress(context, long_command);
    return true;
}

/* How a long command begins, is taken over by the next owner, or is settled by the ledger's rules.
 */
#include "worker/task/ledger_entry.h"
#include "worker/task/long_command/long_command_private.h"

static void
adopt_record(LongCommand *long_command, const LedgerRecord *record)
{
    long_command->epoch = record->owner_epoch;
    long_command->now_us = record->now_us;
    long_command->started_us = record->started_us;
}

/* In the memory of the transaction. */
static LongCommandRanges *
new_ranges(const TaskContext *context, Error *err)
{
    LongCommandRanges *ranges =
        arena_alloc(database_arena(context->database), 1, sizeof(LongCommandRanges));
    if (ranges == NULL)
        (void)error_out_of_memory(err);
    return ranges;
}

static bool
insert_ranges(const LongCommandStep *step, const LedgerRecord *record, Error *err)
{
    const TaskContext *context = step->context;
    const Command *command = step->item->command;
    LongCommandRanges *ranges = new_ranges(context, err);
    adopt_record(step->long_command, record);
    if (ranges == NULL || !long_command_plan(context, command, record->owner_epoch, ranges, err))
        return false;
    long_command_adopt(context, step->long_command, ranges);
    return ledger_range_insert(context->database, command->key, ranges->each, ranges->count, err);
}

static bool
begin_new(const LongCommandStep *step, const TaskEntry *entry, Error *err)
{
    const TaskContext *context = step->context;
    const LedgerRecord *record = entry->record;
    const LedgerStart start = ledger_start(step->item->command, step->item->source, record->now_us,
                                           context->settings->ledger_retention_hours);
    if (start != LEDGER_START_RUN) {
        return outcome_not_started(entry, start, err) &&
               ledger_update(context->database, record, 1, err);
    }
    step->outcome->step = TASK_REQUEUE;
    return insert_ranges(step, record, err) &&
           (step->followers == NULL ||
            long_command_share_join(context, step->followers, record->now_us, err));
}

/* The rows of the old owner are waited for (they are locked while a batch runs), then the epoch is
 * raised. */
static bool
take_over(const LongCommandStep *step, const LedgerRecord *row, Error *err)
{
    const TaskContext *context = step->context;
    const Command *command = step->item->command;
    LongCommand *long_command = step->long_command;
    LongCommandRanges *ranges = new_ranges(context, err);
    if (ranges == NULL || !long_command_lock_ranges(context, command, ranges, err))
        return false;
    adopt_record(long_command, row);
    long_command->epoch = row->owner_epoch + 1;
    long_command_adopt(context, long_command, ranges);
    step->outcome->step = TASK_REQUEUE;
    return ledger_take_over(context->database, command->key, context->settings->worker_id,
                            long_command->epoch, err);
}

static bool
run_again(const LongCommandStep *step, LedgerRecord *record, const LedgerRecord *row, Error *err)
{
    Database *database = step->context->database;
    record->owner_epoch = row->owner_epoch + 1;
    step->outcome->step = TASK_REQUEUE;
    return ledger_range_delete_all(database, record->command_id, err) &&
           ledger_update(database, record, 1, err) && insert_ranges(step, record, err);
}

static bool
begin_in_transaction(const LongCommandStep *step, Error *err)
{
    const TaskContext *context = step->context;
    int64_t now_us;
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    EntryVerdict verdict = ENTRY_NEW;
    if (!catalog_watch_check(context->settings->catalog, context->database, NULL,
                             CATALOG_WATCH_BEGIN, err) ||
        !database_begin(context->database, DATABASE_WRITE, 0, &now_us, err))
        return false;
    LedgerRecord record = ledger_record_new(step->item->command, step->item->source,
                                            context->settings->worker_id, now_us);
    const TaskEntry entry = {context, step->item, &record, step->outcome};
    if (!ledger_entry_add(&entry, &rows, &verdict, err))
        return false;
    bool begun = true;
    switch (verdict) {
    case ENTRY_SETTLED:
        break;
    case ENTRY_NEW:
        begun = begin_new(step, &entry, err);
        break;
    case ENTRY_UNDER_WAY:
        begun = take_over(step, &rows.rows[0], err);
        break;
    case ENTRY_REPLAY:
        begun = run_again(step, &record, &rows.rows[0], err);
        break;
    }
    return begun && database_commit(context->database, err);
}

bool
long_command_begin(const LongCommandStep *step, Error *err)
{
    if (!begin_in_transaction(step, err)) {
        database_rollback(step->context->database);
        task_outcome_done(step->outcome);
        return error_wrap(err, "begin %s", command_task_name(step->item->command->task));
    }
    step->long_command->begun = step->outcome->step == TASK_REQUEUE;
    long_command_begin_progress(step->context, step->long_command);
    return true;
}

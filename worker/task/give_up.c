/* The end of a command whose tries have run out: written after the rollback, in a transaction of
 * its own. */
#include "worker/task/ledger_entry.h"
#include "worker/task/long_command/long_command.h"

static bool
write_failed(const TaskEntry *entry, const TaskFailure *failure, Error *err)
{
    return outcome_fail(entry, failure->cause, failure->attempts, entry->record->now_us, err) &&
           ledger_update(entry->context->database, entry->record, 1, err);
}

static bool
fail_in_transaction(const TaskContext *context, const TaskItem *item, const TaskFailure *failure,
                    TaskOutcome *outcome, Error *err)
{
    int64_t now_us;
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    EntryVerdict verdict = ENTRY_NEW;
    if (!database_begin(context->database, DATABASE_WRITE, 0, &now_us, err))
        return false;
    LedgerRecord record =
        ledger_record_new(item->command, item->source, context->settings->worker_id, now_us);
    const TaskEntry entry = {context, item, &record, outcome};
    if (!ledger_entry_add(&entry, &rows, &verdict, err))
        return false;
    bool written = true;
    switch (verdict) {
    case ENTRY_SETTLED:
        break;
    case ENTRY_UNDER_WAY:
        written = long_command_end_failed(&entry, &rows.rows[0], failure, err);
        break;
    case ENTRY_REPLAY:
        record.owner_epoch = rows.rows[0].owner_epoch + 1;
        written = write_failed(&entry, failure, err);
        break;
    case ENTRY_NEW:
        written = write_failed(&entry, failure, err);
        break;
    }
    return written && database_commit(context->database, err);
}

bool
task_fail(const TaskContext *context, const TaskItem *item, const TaskFailure *failure,
          TaskOutcome *ret_outcome, Error *err)
{
    TaskOutcome outcome = {0};
    if (fail_in_transaction(context, item, failure, &outcome, err)) {
        *ret_outcome = outcome;
        return true;
    }
    database_rollback(context->database);
    task_outcome_done(&outcome);
    if (err->kind != ERROR_FATAL)
        error_hold(err);
    return error_wrap(err, "write that the command has failed");
}

/* The end of a command whose tries have run out: written after the rollback, in a transaction of
 * its own. */
#include "worker/task/long_command/long_command.h"

static bool
fail_known(const TaskContext *context, const TaskItem *item, const TaskFailure *failure,
           LedgerRecord *record, TaskOutcome *outcome, Error *err)
{
    const LongCommand *long_command = failure->long_command;
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    const char *const ids[] = {item->command->id};
    if (!ledger_lock(context->database, ids, 1, &rows, err))
        return false;
    if (rows.count == 0)
        return error_set(err, ERROR_HOLD, "ledger_busy", "a ledger row is gone again");
    const LedgerRecord *row = &rows.rows[0];
    switch (ledger_decide(row, item->command, item->source)) {
    case LEDGER_PUBLISH:
        return outcome_from_stored(row, outcome, err);
    case LEDGER_ABSORB:
        outcome->step = TASK_DUPLICATE;
        return true;
    case LEDGER_RUN_AGAIN:
        record->owner_epoch = row->owner_epoch + 1;
        return outcome_fail(context, item, failure->cause, failure->attempts, record->now_us,
                            record, outcome, err) &&
               ledger_update(context->database, record, 1, err);
    case LEDGER_TAKE_OVER:
        if (long_command != NULL && long_command->begun &&
            row->owner_epoch != long_command->epoch) {
            outcome->step = TASK_OWNERSHIP_LOST;
            return true;
        }
        return long_command_end_locked(context, item, row, NULL, failure->cause, failure->attempts,
                                       outcome, err);
    }
    return true;
}

static bool
fail_in_transaction(const TaskContext *context, const TaskItem *item, const TaskFailure *failure,
                    TaskOutcome *outcome, Error *err)
{
    int64_t now_us;
    bool inserted = false;
    if (!database_begin(context->database, DATABASE_WRITE, 0, &now_us, err))
        return false;
    LedgerRecord record =
        ledger_record_new(item->command, item->source, context->settings->worker_id, now_us);
    if (!ledger_insert(context->database, &record, 1, &inserted, err))
        return false;
    const bool written = inserted ? outcome_fail(context, item, failure->cause, failure->attempts,
                                                 now_us, &record, outcome, err) &&
                                        ledger_update(context->database, &record, 1, err)
                                  : fail_known(context, item, failure, &record, outcome, err);
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
    err->kind = err->kind == ERROR_FATAL ? ERROR_FATAL : ERROR_HOLD;
    return error_wrap(err, "write that the command has failed");
}

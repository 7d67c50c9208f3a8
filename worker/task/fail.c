/* The end of a command whose tries have run out: written after the rollback, in a transaction of
 * its own. */
#include "common/strbuf.h"
#include "worker/task/chain.h"

static char *
failure_message(Arena *arena, const Command *command, const Error *cause)
{
    StrBuf text = {.arena = arena};
    switch (command->task) {
    case COMMAND_GET_INACTIVE_SESSIONS_PREVIEW:
        strbuf_add_text(&text, "Error getting inactive sessions preview");
        break;
    case COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW:
        strbuf_add_text(&text, "Error getting expired bookings preview");
        break;
    case COMMAND_EXPIRE_PENDING_BOOKINGS:
        strbuf_add_text(&text, "Error expiring pending bookings");
        break;
    case COMMAND_CLEANUP_INACTIVE_SESSIONS:
    case COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER:
    case COMMAND_SCHEDULED_CLEANUP:
    case COMMAND_TASK_COUNT:
        strbuf_add_text(&text, "Error cleaning up inactive sessions");
        break;
    }
    if (command->task == COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER)
        strbuf_add_format(&text, " for user %s", command->params.user_id);
    strbuf_add_format(&text, ": %s", cause->detail);
    return strbuf_take(&text);
}

static bool
render_failure(const TaskContext *context, const TaskItem *item, const Error *cause, int attempts,
               LedgerRecord *record, TaskOutcome *outcome, Error *err)
{
    const char *message = failure_message(database_arena(context->database), item->command, cause);
    if (message == NULL)
        return error_out_of_memory(err);
    const TaskEnd end = {
        .status = RESULT_FAILED,
        .message = message,
        .has_error = true,
        .error_code = outcome_error_code(cause),
        .error_message = cause->detail,
        .error_sqlstate = cause->sqlstate,
        .attempts = attempts,
        .started_us = record->started_us,
        .finished_us = record->now_us,
        .dead_letter = true,
    };
    return outcome_finish(context, item, &end, record, outcome, err);
}

static bool
fail_known(const TaskContext *context, const TaskItem *item, Chain *chain, LedgerRecord *record,
           const Error *cause, int attempts, TaskOutcome *outcome, Error *err)
{
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
        outcome->step = TASK_ABSORBED;
        return true;
    case LEDGER_RUN_AGAIN:
        record->owner_epoch = row->owner_epoch + 1;
        return render_failure(context, item, cause, attempts, record, outcome, err) &&
               ledger_update(context->database, record, 1, err);
    case LEDGER_TAKE_OVER:
        if (chain != NULL && chain->begun && row->owner_epoch != chain->epoch) {
            outcome->step = TASK_FORGOTTEN;
            return true;
        }
        return chain_end_locked(context, item, row, NULL, cause, attempts, outcome, err);
    }
    return true;
}

static bool
fail_in_transaction(const TaskContext *context, const TaskItem *item, Chain *chain,
                    const Error *cause, int attempts, TaskOutcome *outcome, Error *err)
{
    int64_t now_us;
    bool inserted = false;
    if (!database_begin(context->database, DATABASE_WRITE, 0, &now_us, err))
        return false;
    LedgerRecord record =
        ledger_record_new(item->command, item->source, context->settings->worker_id, now_us);
    if (!ledger_insert(context->database, &record, 1, &inserted, err))
        return false;
    const bool written =
        inserted ? render_failure(context, item, cause, attempts, &record, outcome, err) &&
                       ledger_update(context->database, &record, 1, err)
                 : fail_known(context, item, chain, &record, cause, attempts, outcome, err);
    return written && database_commit(context->database, err);
}

bool
task_fail(const TaskContext *context, const TaskItem *item, Chain *chain, const Error *cause,
          int attempts, TaskOutcome *ret_outcome, Error *err)
{
    TaskOutcome outcome = {0};
    if (fail_in_transaction(context, item, chain, cause, attempts, &outcome, err)) {
        *ret_outcome = outcome;
        return true;
    }
    database_rollback(context->database);
    task_outcome_done(&outcome);
    err->kind = err->kind == ERROR_FATAL ? ERROR_FATAL : ERROR_HOLD;
    return error_wrap(err, "write that the command has failed");
}

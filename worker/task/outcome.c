#include "worker/task/outcome.h"

#include "common/strbuf.h"
#include "worker/task/kind.h"

#include <inttypes.h>
#include <string.h>

void
task_outcome_done(TaskOutcome *outcome)
{
    free(outcome->result);
    free(outcome->reason);
    free(outcome->progress);
    free(outcome->message);
    free(outcome->note);
    *outcome = (TaskOutcome){0};
}

static LedgerState
state_of_status(ResultStatus status)
{
    switch (status) {
    case RESULT_SUCCEEDED:
        return LEDGER_SUCCEEDED;
    case RESULT_FAILED:
    case RESULT_REJECTED:
        return LEDGER_FAILED;
    case RESULT_EXPIRED:
        return LEDGER_EXPIRED;
    case RESULT_BLOCKED:
        return LEDGER_BLOCKED;
    case RESULT_CANCELLED:
        return LEDGER_CANCELLED;
    }
    return LEDGER_FAILED;
}

static const char *
status_of_state(LedgerState state)
{
    switch (state) {
    case LEDGER_RUNNING:
        return "running";
    case LEDGER_SUCCEEDED:
        return result_status_name(RESULT_SUCCEEDED);
    case LEDGER_FAILED:
        return result_status_name(RESULT_FAILED);
    case LEDGER_EXPIRED:
        return result_status_name(RESULT_EXPIRED);
    case LEDGER_BLOCKED:
        return result_status_name(RESULT_BLOCKED);
    case LEDGER_CANCELLED:
        return result_status_name(RESULT_CANCELLED);
    }
    return "running";
}

static Result
result_of_end(const TaskContext *context, const TaskItem *item, const TaskEnd *end)
{
    Result result = {0};
    result_from_command(item->command, item->source, context->settings->worker_id, &result);
    result.status = end->status;
    result.message = end->message;
    result.data = end->data;
    result.has_error = end->has_error;
    result.error_code = end->error_code;
    result.error_message = end->error_message;
    result.error_sqlstate = end->error_sqlstate;
    result.attempts = end->attempts;
    result.has_started_at = end->started_us != 0;
    result.started_at_us = end->started_us;
    result.finished_at_us = end->finished_us;
    return result;
}

bool
outcome_finish(const TaskEntry *entry, const TaskEnd *end, Error *err)
{
    LedgerRecord *record = entry->record;
    TaskOutcome *outcome = entry->outcome;
    const int replay = entry->item->command->replay;
    const Result result = result_of_end(entry->context, entry->item, end);
    const char *printed = result_print(database_arena(entry->context->database), &result);
    task_outcome_done(outcome);
    outcome->result = printed != NULL ? strdup(printed) : NULL;
    outcome->message = strdup(end->message);
    if (end->dead_letter)
        outcome->reason = strdup(end->message);
    if (outcome->result == NULL || outcome->message == NULL ||
        (end->dead_letter && outcome->reason == NULL))
        return error_out_of_memory(err);
    outcome->step = TASK_FINISHED;
    outcome->started_at_us = end->started_us;
    outcome->finished_at_us = end->finished_us;
    outcome->replay = replay;
    outcome->dead_letter = end->dead_letter;
    outcome->attempts = end->attempts;
    outcome->status = result_status_name(end->status);

    record->state = state_of_status(end->status);
    record->replay = replay;
    record->finished_us = end->finished_us;
    record->attempts = end->attempts;
    record->dead_letter = end->dead_letter;
    record->reason = outcome->reason;
    record->result = outcome->result;
    return true;
}

/* A command of a set is about one user, and says about whom. */
static char *
failure_message(Arena *arena, const Command *command, const Error *cause)
{
    StrBuf text = {.arena = arena};
    const TaskKind *kind = task_kind(command);
    strbuf_add_text(&text, kind->failure);
    if (kind->shape == TASK_SHAPE_SET)
        strbuf_add_format(&text, " for user %s", command->params.user_id);
    strbuf_add_format(&text, ": %s", cause->detail);
    return strbuf_take(&text);
}

bool
outcome_fail(const TaskEntry *entry, const Error *cause, int attempts, int64_t finished_us,
             Error *err)
{
    const char *message =
        failure_message(database_arena(entry->context->database), entry->item->command, cause);
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
        .started_us = entry->record->started_us,
        .finished_us = finished_us,
        .dead_letter = true,
    };
    return outcome_finish(entry, &end, err);
}

/* What was compared. */
static char *
not_started_reason(const TaskEntry *entry, bool too_old)
{
    StrBuf text = {.arena = database_arena(entry->context->database)};
    char then[CLOCK_TEXT_BYTES];
    char now[CLOCK_TEXT_BYTES];
    const int64_t now_us = entry->record->now_us;
    const int remembered_hours = entry->context->settings->ledger_retention_hours - 1;
    clock_format(now_us, now);
    if (too_old) {
        clock_format(entry->item->source->timestamp_ms * CLOCK_US_PER_MS, then);
        strbuf_add_format(&text,
                          "the record's timestamp is %s, but at %s the ledger is sure of the "
                          "last %d hours alone (worker.ledger_retention_hours less one)",
                          then, now, remembered_hours);
    } else {
        clock_format(entry->item->command->expires_at_us, then);
        strbuf_add_format(&text, "expires_at was %s, and the command would have started at %s",
                          then, now);
    }
    return strbuf_take(&text);
}

static char *
not_started_message(const TaskEntry *entry, const char *reason, bool too_old)
{
    StrBuf text = {.arena = database_arena(entry->context->database)};
    strbuf_add_text(&text, "Expired before it started");
    if (too_old)
        strbuf_add_format(&text, ": %s", reason);
    return strbuf_take(&text);
}

bool
outcome_not_started(const TaskEntry *entry, LedgerStart start, Error *err)
{
    const bool too_old = start == LEDGER_START_TOO_OLD;
    const ErrorCode code = too_old ? ERROR_CODE_OLDER_THAN_LEDGER : ERROR_CODE_EXPIRED;
    const char *reason = not_started_reason(entry, too_old);
    const char *message = reason != NULL ? not_started_message(entry, reason, too_old) : NULL;
    if (message == NULL)
        return error_out_of_memory(err);
    const TaskEnd end = {
        .status = RESULT_EXPIRED,
        .message = message,
        .has_error = true,
        .error_code = code,
        .error_message = reason,
        .attempts = 0,
        .started_us = 0,
        .finished_us = entry->record->now_us,
        .dead_letter = too_old,
    };
    return outcome_finish(entry, &end, err);
}

bool
outcome_from_stored(const LedgerRecord *row, TaskOutcome *outcome, Error *err)
{
    task_outcome_done(outcome);
    outcome->result = strdup(row->result != NULL ? row->result : "");
    if (row->dead_letter)
        outcome->reason = strdup(row->reason != NULL ? row->reason : "");
    if (outcome->result == NULL || (row->dead_letter && outcome->reason == NULL))
        return error_out_of_memory(err);
    outcome->step = TASK_FINISHED;
    outcome->finished_at_us = row->finished_us;
    outcome->replay = row->replay;
    outcome->dead_letter = row->dead_letter;
    outcome->attempts = row->attempts;
    outcome->status = status_of_state(row->state);
    return true;
}

void
outcome_duplicate(const LedgerRecord *row, TaskOutcome *outcome)
{
    task_outcome_done(outcome);
    outcome->step = TASK_DUPLICATE;
    outcome->status = status_of_state(row->state);
    outcome->first_started_us = row->started_us;
    outcome->finished_at_us = row->finished_us;
}

/* A member of the outcome, as the sentence of the rejection. */
static char *
conflict_message(const Command *command, const LedgerRecord *row)
{
    StrBuf text = {0};
    char started[CLOCK_TEXT_BYTES];
    clock_format(row->started_us, started);
    strbuf_add_format(
        &text,
        "the id was used before, for %s%s, by record %" PRId64 " of partition %" PRId32
        " of %s, started at %s; another command takes "
        "another id",
        row->task,
        strcmp(row->task, command_task_name(command->task)) == 0 ? " with other params" : "",
        row->source_offset, row->source_partition, row->source_topic, started);
    return strbuf_take(&text);
}

bool
outcome_conflict(const TaskEntry *entry, const LedgerRecord *row, Error *err)
{
    const Command *command = entry->item->command;
    TaskOutcome *outcome = entry->outcome;
    Rejection rejection = {0};
    task_outcome_done(outcome);
    outcome->reason = conflict_message(command, row);
    if (outcome->reason == NULL)
        return error_out_of_memory(err);
    rejection_of_command(command, ERROR_CODE_ID_CONFLICT, outcome->reason, &rejection);
    const int64_t now_us = clock_now_us(entry->context->clock);
    const char *printed = result_print_rejection(
        database_arena(entry->context->database), &rejection, entry->item->source,
        entry->context->settings->worker_id, now_us, now_us);
    outcome->result = printed != NULL ? strdup(printed) : NULL;
    if (outcome->result == NULL)
        return error_out_of_memory(err);
    outcome->step = TASK_FINISHED;
    outcome->finished_at_us = now_us;
    outcome->dead_letter = true;
    outcome->id_conflict = true;
    outcome->status = result_status_name(RESULT_REJECTED);
    return true;
}

ErrorCode
outcome_error_code(const Error *cause)
{
    return cause->reason == REASON_TIMEOUT ? ERROR_CODE_TIMEOUT : ERROR_CODE_DATABASE_ERROR;
}

bool
outcome_met_a_lock(const Error *cause)
{
    return cause->reason == REASON_ROW_LOCKED;
}

bool
outcome_is_of_a_row(const Error *cause)
{
    return cause->reason == REASON_WORK_REFUSED || cause->reason == REASON_DATA_INVALID ||
           cause->reason == REASON_STILL_REFERENCED || cause->reason == REASON_CONFLICT ||
           cause->reason == REASON_ROW_LOCKED || cause->reason == REASON_TIMEOUT;
}

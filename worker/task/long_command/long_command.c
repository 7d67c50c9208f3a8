/*
 * A long command, step by step: begin, batches of each range, end. Each step is one transaction, so
 * that a crash resumes at the cursors and nothing else in the queue waits for longer than one
 * batch.
 */
#include "worker/task/long_command/long_command_private.h"

#include "common/backoff.h"

#include <string.h>

static bool
is_connection_error(const Error *err)
{
    return err->reason == REASON_CONNECTION_LOST || err->reason == REASON_CLOCK_SKEW ||
           err->reason == REASON_COMMIT_UNCONFIRMED;
}

static int
failure_delay_ms(const TaskContext *context, RangeRun *run, const Error *err)
{
    if (err->kind == ERROR_HOLD && err->reason != REASON_TABLE_LOCKED)
        return LONG_COMMAND_HELD_DELAY_MS;
    if (!err->counts_as_attempt)
        return LONG_COMMAND_BUSY_DELAY_MS;
    const Backoff retry = {context->settings->retry_backoff_ms,
                           context->settings->retry_backoff_max_ms};
    run->attempts++;
    return backoff_wait_ms(&retry, run->attempts, &run->seed);
}

/* A batch that failed, and what its range says of it. */
typedef struct FailedBatch {
    RangeRun *run;
    bool changing; /* it had begun to change rows */
    bool ownership_lost;
} FailedBatch;

/* The same rows again, half as many: one of them is the cause, or there are too many of them. What
 * takes too long without a change is no row's fault, so nothing closes in on one. */
static void
halve(RangeRun *run, const Error *err)
{
    if (err->reason != REASON_TIMEOUT)
        run->suspects = run->batch_rows;
    run->batch_rows /= 2;
}

enum {
    SKIP_MESSAGE_BYTES = 300, /* of what PostgreSQL says of a row */
};

/* Cut at the end of a character. */
static void
cut_message(const char *message, char ret_cut[SKIP_MESSAGE_BYTES])
{
    size_t length = strlen(message);
    if (length >= SKIP_MESSAGE_BYTES) {
        length = SKIP_MESSAGE_BYTES - 1;
        while (length > 0 && ((unsigned char)message[length] & 0xC0U) == 0x80U)
            length--;
    }
    memcpy(ret_cut, message, length);
    ret_cut[length] = '\0';
}

static SkipReason
skip_reason_of(const Error *cause)
{
    if (cause->reason == REASON_ROW_LOCKED)
        return SKIP_LOCKED;
    /* By records that the same batch has deleted, but for a trigger. */
    return cause->reason == REASON_STILL_REFERENCED ? SKIP_TRIGGER : SKIP_ERROR;
}

/* Without memory the log does not tell. */
static void
note_failure(const LongCommandStep *step, const Error *err, bool row_skipped)
{
    TaskOutcome *outcome = step->outcome;
    if (outcome->note == NULL)
        outcome->note = malloc(sizeof(*outcome->note));
    if (outcome->note == NULL)
        return;
    *outcome->note = *err;
    outcome->row_skipped = row_skipped;
}

/* A row that fails alone is skipped, unless there are so many of them that it is no row's fault. */
static bool
skip_row(const LongCommandStep *step, FailedBatch *failed, Error *err)
{
    char message[SKIP_MESSAGE_BYTES];
    const Error failure = *err;
    const SkipReason reason = skip_reason_of(err);
    const bool locked = reason == SKIP_LOCKED;
    const SkipCause cause = {reason, locked ? "" : failure.sqlstate, locked ? "" : message};
    bool too_many = false;
    cut_message(failure.detail, message);
    if (!locked)
        note_failure(step, &failure, true);
    if (!long_command_skip_row(step, failed->run, &cause, &too_many, &failed->ownership_lost, err))
        return false;
    if (failure.reason != REASON_TIMEOUT)
        failed->run->batch_rows = long_command_first_rows(step->context);
    return !too_many ||
           long_command_fail_range(step, failed->run, &failure, &failed->ownership_lost, err);
}

static bool
can_be_halved(const FailedBatch *failed, const Error *err)
{
    return (failed->changing && outcome_is_of_a_row(err)) || err->reason == REASON_TIMEOUT;
}

/* Waits, tries again, or ends the range. */
static bool
wait_or_fail(const LongCommandStep *step, FailedBatch *failed, Error *err)
{
    const TaskContext *context = step->context;
    RangeRun *run = failed->run;
    const Error failure = *err;
    run->not_before_ms = clock_monotonic_ms(context->clock) + failure_delay_ms(context, run, err);
    run->held = err->kind == ERROR_HOLD;
    /* With many who wait for one record the server does not say that it was a record. */
    run->lock_children_first |= err->reason == REASON_TABLE_LOCKED;
    note_failure(step, err, false);
    if (!err->counts_as_attempt || run->attempts < context->settings->max_attempts)
        return true;
    return long_command_fail_range(step, run, &failure, &failed->ownership_lost, err);
}

/* Decides what a failed batch means for its range: a smaller one, a wait, another try, its end, or
 * an error for the caller. */
static bool
absorb_failure(const LongCommandStep *step, FailedBatch *failed, Error *err)
{
    RangeRun *run = failed->run;
    if (err->kind == ERROR_FATAL || is_connection_error(err))
        return false;
    /* The batch again at once, with the locks of the children. */
    if (!run->lock_children_first && outcome_met_a_lock(err)) {
        run->lock_children_first = true;
        return true;
    }
    if (can_be_halved(failed, err)) {
        if (run->batch_rows > 1) {
            halve(run, err);
            return true;
        }
        if (failed->changing && skip_row(step, failed, err))
            return true;
        if (err->kind == ERROR_FATAL || is_connection_error(err))
            return false;
    }
    return wait_or_fail(step, failed, err);
}

static bool
run_range(const LongCommandStep *step, int claim, Error *err)
{
    RangeRun run = long_command_claimed_range(step->long_command, claim);
    FailedBatch failed = {.run = &run};
    const bool done =
        long_command_run_batch(step, &run, &failed.ownership_lost, &failed.changing, err) ||
        absorb_failure(step, &failed, err);
    const bool held_up = long_command_unclaim(step->long_command, claim, &run);
    if (!done || (held_up && run.held))
        return false;
    step->outcome->step = failed.ownership_lost ? TASK_OWNERSHIP_LOST : TASK_REQUEUE;
    return failed.ownership_lost || step->outcome->note != NULL ||
           long_command_add_progress(step, err);
}

bool
task_step_long_command(const TaskContext *context, const TaskItem *item, const TaskTurn *turn,
                       TaskOutcome *ret_outcome, Error *err)
{
    TaskOutcome outcome = {0};
    const LongCommandStep step = {context, item, turn->long_command, turn->followers, &outcome};
    bool done;
    if (!turn->long_command->begun)
        done = long_command_begin(&step, err);
    else if (turn->claim == CLAIM_EXCLUSIVE)
        done = long_command_end(&step, err);
    else
        done = run_range(&step, turn->claim, err);
    if (done)
        *ret_outcome = outcome;
    else
        task_outcome_done(&outcome);
    return done;
}

/*
 * A long command, step by step: begin, batches of each range, end. Each step is one transaction, so
 * that a crash resumes at the cursors and nothing else in the queue waits for longer than one
 * batch.
 */
#include "worker/task/long_command/long_command_private.h"

#include "common/backoff.h"

static bool
is_connection_error(const Error *err)
{
    return err->reason == REASON_CONNECTION_LOST || err->reason == REASON_CLOCK_SKEW ||
           err->reason == REASON_COMMIT_UNCONFIRMED;
}

static int
failure_delay_ms(const TaskContext *context, RangeRun *run, const Error *err)
{
    if (err->kind == ERROR_HOLD)
        return LONG_COMMAND_HELD_DELAY_MS;
    if (!err->counts_as_attempt)
        return LONG_COMMAND_BUSY_DELAY_MS;
    const Backoff retry = {context->settings->retry_backoff_ms,
                           context->settings->retry_backoff_max_ms};
    run->attempts++;
    return backoff_wait_ms(&retry, run->attempts, &run->seed);
}

/* Decides what a failed batch means for its range: a wait, another try, its end, or an error for
 * the caller. */
static bool
absorb_failure(const LongCommandStep *step, RangeRun *run, bool *ret_ownership_lost, Error *err)
{
    const TaskContext *context = step->context;
    TaskOutcome *outcome = step->outcome;
    if (err->kind == ERROR_FATAL || is_connection_error(err))
        return false;
    /* The batch again at once, with the locks of the children. */
    if (!run->lock_children_first && outcome_met_a_lock(err)) {
        run->lock_children_first = true;
        return true;
    }
    run->not_before_ms = clock_monotonic_ms(context->clock) + failure_delay_ms(context, run, err);
    run->held = err->kind == ERROR_HOLD;
    outcome->has_note = true;
    outcome->note = *err;
    if (!err->counts_as_attempt || run->attempts < context->settings->max_attempts)
        return true;
    return long_command_fail_range(step, run, &outcome->note, ret_ownership_lost, err);
}

static bool
run_range(const LongCommandStep *step, int claim, Error *err)
{
    bool ownership_lost = false;
    RangeRun run = long_command_claimed_range(step->long_command, claim);
    const bool done = long_command_run_batch(step, &run, &ownership_lost, err) ||
                      absorb_failure(step, &run, &ownership_lost, err);
    const bool held_up = long_command_unclaim(step->long_command, claim, &run);
    if (!done || (held_up && run.held))
        return false;
    step->outcome->step = ownership_lost ? TASK_OWNERSHIP_LOST : TASK_REQUEUE;
    return ownership_lost || step->outcome->has_note || long_command_add_progress(step, err);
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
    return done;
}

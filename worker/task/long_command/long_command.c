/*
 * A long command, step by step: begin, batches of each range, end. Each step is one transaction, so
 * that a crash resumes at the cursors and nothing else in the queue waits for longer than one
 * batch.
 */
#include "worker/task/long_command/long_command.h"

#include "common/backoff.h"

#include <string.h>

const char *
long_command_part_name(ReportPart kind)
{
    return kind == REPORT_SESSIONS ? "sessions" : "bookings";
}

static bool
is_connection_error(const TaskContext *context, const Error *err)
{
    return err->kind == ERROR_HOLD &&
           (database_is_lost(context->database) || err->sqlstate[0] == '\0');
}

/* A wait is not a try: for the environment, or for a row of the ledger that somebody else holds. */
static bool
is_waiting(const Error *err)
{
    return err->kind == ERROR_HOLD || (err->code != NULL && strcmp(err->code, "ledger_busy") == 0);
}

static int
failure_delay_ms(const TaskContext *context, LongCommandPart *part, const Error *err)
{
    if (err->kind == ERROR_HOLD)
        return LONG_COMMAND_HELD_PART_DELAY_MS;
    if (is_waiting(err))
        return LONG_COMMAND_BUSY_DELAY_MS;
    const Backoff retry = {context->settings->retry_backoff_ms,
                           context->settings->retry_backoff_max_ms};
    part->attempts++;
    return backoff_wait_ms(&retry, part->attempts, &part->seed);
}

/* Decides what a failed batch means for its part: a wait, another try, its end, or an error for the
 * caller. */
static bool
absorb_failure(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
               LongCommandPart *part, TaskOutcome *outcome, bool *ret_ownership_lost, Error *err)
{
    if (err->kind == ERROR_FATAL || is_connection_error(context, err))
        return false;
    /* The batch again at once, with the locks of the children. */
    if (!part->lock_children_first && outcome_met_a_lock(err)) {
        part->lock_children_first = true;
        return true;
    }
    part->not_before_ms = clock_monotonic_ms(context->clock) + failure_delay_ms(context, part, err);
    part->held = err->kind == ERROR_HOLD;
    outcome->has_note = true;
    outcome->note = *err;
    if (is_waiting(err) || part->attempts < context->settings->max_attempts)
        return true;
    return long_command_fail_part(context, item, long_command, part, &outcome->note,
                                  ret_ownership_lost, err);
}

static bool
run_part(const TaskContext *context, const TaskItem *item, LongCommand *long_command, int claim,
         TaskOutcome *outcome, Error *err)
{
    bool ownership_lost = false;
    LongCommandPart part = long_command_claimed_part(long_command, claim);
    const bool done =
        long_command_run_batch(context, item, long_command, &part, &ownership_lost, err) ||
        absorb_failure(context, item, long_command, &part, outcome, &ownership_lost, err);
    const bool held_up = long_command_unclaim(long_command, claim, &part);
    if (!done)
        return false;
    if (held_up && part.held)
        return false;
    outcome->step = ownership_lost ? TASK_OWNERSHIP_LOST : TASK_REQUEUE;
    return ownership_lost || outcome->has_note ||
           long_command_add_progress(context, item, long_command, outcome, err);
}

bool
task_step_long_command(const TaskContext *context, const TaskItem *item, const TaskTurn *turn,
                       TaskOutcome *ret_outcome, Error *err)
{
    TaskOutcome outcome = {0};
    LongCommand *long_command = turn->long_command;
    bool done;
    if (!long_command->begun)
        done = long_command_begin(context, item, long_command, turn->followers, &outcome, err);
    else if (turn->claim == CLAIM_EXCLUSIVE)
        done = long_command_end(context, item, long_command, turn->followers,
                                1 + long_command_attempts(long_command), &outcome, err);
    else
        done = run_part(context, item, long_command, turn->claim, &outcome, err);
    if (done)
        *ret_outcome = outcome;
    return done;
}

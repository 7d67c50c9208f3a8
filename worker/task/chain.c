/*
 * A long command, step by step: begin, batches of each range, end. Each step is one transaction, so
 * that a crash resumes at the cursors and nothing else in the queue waits for longer than one
 * batch.
 */
#include "worker/task/chain.h"

#include "common/backoff.h"

#include <string.h>

const char *
chain_part_name(ReportPart kind)
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
failure_delay_ms(const TaskContext *context, ChainPart *part, const Error *err)
{
    if (err->kind == ERROR_HOLD)
        return CHAIN_HELD_PART_DELAY_MS;
    if (is_waiting(err))
        return CHAIN_BUSY_DELAY_MS;
    const Backoff retry = {context->settings->retry_backoff_ms,
                           context->settings->retry_backoff_max_ms};
    part->attempts++;
    return backoff_wait_ms(&retry, part->attempts, &part->seed);
}

/* Decides what a failed batch means for its part: a wait, another try, its end, or an error for the
 * caller. */
static bool
absorb_failure(const TaskContext *context, const TaskItem *item, Chain *chain, ChainPart *part,
               TaskOutcome *outcome, bool *ret_forgotten, Error *err)
{
    if (err->kind == ERROR_FATAL || is_connection_error(context, err))
        return false;
    /* The batch again at once, with the locks of the children. */
    if (!part->careful && outcome_met_a_lock(err)) {
        part->careful = true;
        return true;
    }
    part->not_before_ms = clock_monotonic_ms(context->clock) + failure_delay_ms(context, part, err);
    part->held = err->kind == ERROR_HOLD;
    outcome->has_note = true;
    outcome->note = *err;
    if (is_waiting(err) || part->attempts < context->settings->max_attempts)
        return true;
    return chain_fail_part(context, item, chain, part, &outcome->note, ret_forgotten, err);
}

static bool
run_part(const TaskContext *context, const TaskItem *item, Chain *chain, int claim,
         TaskOutcome *outcome, Error *err)
{
    bool forgotten = false;
    ChainPart part = chain_claimed_part(chain, claim);
    const bool done = chain_run_batch(context, item, chain, &part, &forgotten, err) ||
                      absorb_failure(context, item, chain, &part, outcome, &forgotten, err);
    const bool held_up = chain_unclaim(chain, claim, &part);
    if (!done)
        return false;
    if (held_up && part.held)
        return false;
    outcome->step = forgotten ? TASK_FORGOTTEN : TASK_AGAIN;
    return forgotten || outcome->has_note || chain_add_progress(context, item, chain, outcome, err);
}

bool
task_step_chain(const TaskContext *context, const TaskItem *item, Chain *chain, int claim,
                const TaskFollowers *followers, TaskOutcome *ret_outcome, Error *err)
{
    TaskOutcome outcome = {0};
    bool done;
    if (!chain->begun)
        done = chain_begin(context, item, chain, followers, &outcome, err);
    else if (claim == CHAIN_ALONE)
        done = chain_end(context, item, chain, followers, 1 + chain_attempts(chain), &outcome, err);
    else
        done = run_part(context, item, chain, claim, &outcome, err);
    if (done)
        *ret_outcome = outcome;
    return done;
}

/*
 * A long command, step by step: begin, batches of each part in turn, end. Each step is one
 * transaction, so that a crash resumes at the cursor and nothing else in the queue waits for longer
 * than one batch.
 */
#include "worker/task/chain.h"

#include "common/backoff.h"

#include <string.h>

Chain *
chain_new(void)
{
    return calloc(1, sizeof(Chain));
}

void
chain_free(Chain *chain)
{
    free(chain);
}

const char *
chain_part_name(ReportPart kind)
{
    return kind == REPORT_SESSIONS ? "sessions" : "bookings";
}

/* The first that may run now; held ones have their turn by how long ago they were tried. */
static ChainPart *
pick_part(Chain *chain, int64_t now_ms, int *ret_delay_ms)
{
    ChainPart *soonest = NULL;
    for (int i = 0; i < chain->part_count; i++) {
        ChainPart *part = &chain->parts[i];
        if (!part->done && (soonest == NULL || part->not_before_ms < soonest->not_before_ms))
            soonest = part;
        if (soonest == part && !part->held && part->not_before_ms <= now_ms)
            break;
    }
    *ret_delay_ms = soonest != NULL && soonest->not_before_ms > now_ms
                        ? (int)(soonest->not_before_ms - now_ms)
                        : 0;
    return soonest;
}

static void
come_again(TaskOutcome *outcome, int delay_ms)
{
    outcome->step = TASK_AGAIN;
    outcome->delay_ms = delay_ms;
}

static bool
is_connection_error(const TaskContext *context, const Error *err)
{
    return database_is_lost(context->database) || err->sqlstate[0] == '\0';
}

static bool
has_other_pending(const Chain *chain, const ChainPart *part)
{
    for (int i = 0; i < chain->part_count; i++) {
        if (&chain->parts[i] != part && !chain->parts[i].done)
            return true;
    }
    return false;
}

/* Nothing of the command can go on until the environment is mended. */
static bool
is_held_up(const Chain *chain)
{
    for (int i = 0; i < chain->part_count; i++) {
        if (!chain->parts[i].done && !chain->parts[i].held)
            return false;
    }
    return true;
}

/* A wait is not a try: for the environment, or for a row of the ledger that somebody else holds. */
static bool
is_waiting(const Error *err)
{
    return err->kind == ERROR_HOLD || (err->code != NULL && strcmp(err->code, "ledger_busy") == 0);
}

static int
failure_delay_ms(const TaskContext *context, Chain *chain, ChainPart *part, const Error *err)
{
    if (err->kind == ERROR_HOLD)
        return CHAIN_HELD_PART_DELAY_MS;
    if (is_waiting(err))
        return CHAIN_BUSY_DELAY_MS;
    const Backoff retry = {context->settings->retry_backoff_ms,
                           context->settings->retry_backoff_max_ms};
    part->attempts++;
    return backoff_wait_ms(&retry, part->attempts, &chain->seed);
}

/* Decides what a failed batch means: a wait, another try, the end of its part, or an error for the
 * caller. */
static bool
absorb_failure(const TaskContext *context, const TaskItem *item, Chain *chain, ChainPart *part,
               TaskOutcome *outcome, Error *err)
{
    if (err->kind == ERROR_FATAL || is_connection_error(context, err))
        return false;
    const int delay_ms = failure_delay_ms(context, chain, part, err);
    part->held = err->kind == ERROR_HOLD;
    part->not_before_ms = clock_monotonic_ms(context->clock) + delay_ms;
    if (is_held_up(chain))
        return false;
    outcome->has_note = true;
    outcome->note = *err;
    if (is_waiting(err) || part->attempts < context->settings->max_attempts) {
        come_again(outcome, has_other_pending(chain, part) ? 0 : delay_ms);
        return true;
    }
    bool forgotten = false;
    const Error cause = *err;
    if (!chain_fail_part(context, item, chain, part, &cause, &forgotten, err))
        return false;
    come_again(outcome, 0);
    if (forgotten)
        outcome->step = TASK_FORGOTTEN;
    return true;
}

static bool
run_part(const TaskContext *context, const TaskItem *item, Chain *chain, ChainPart *part,
         TaskOutcome *outcome, Error *err)
{
    bool forgotten = false;
    int delay_ms = 0;
    if (!chain_run_batch(context, item, chain, part, &forgotten, &delay_ms, err))
        return absorb_failure(context, item, chain, part, outcome, err);
    come_again(outcome, delay_ms);
    if (!forgotten)
        return chain_add_progress(context, item, chain, outcome, err);
    outcome->step = TASK_FORGOTTEN;
    return true;
}

bool
task_step_chain(const TaskContext *context, const TaskItem *item, Chain *chain,
                TaskOutcome *ret_outcome, Error *err)
{
    TaskOutcome outcome = {0};
    if (!chain->begun) {
        if (!chain_begin(context, item, chain, &outcome, err))
            return false;
        *ret_outcome = outcome;
        return true;
    }
    int delay_ms = 0;
    ChainPart *part = pick_part(chain, clock_monotonic_ms(context->clock), &delay_ms);
    if (part == NULL) {
        if (!chain_end(context, item, chain, NULL, 1 + chain->attempts, &outcome, err))
            return false;
    } else if (delay_ms > 0 && !is_held_up(chain)) {
        come_again(&outcome, delay_ms);
    } else if (!run_part(context, item, chain, part, &outcome, err)) {
        return false;
    }
    *ret_outcome = outcome;
    return true;
}

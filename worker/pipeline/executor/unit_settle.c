#include "worker/pipeline/executor/unit_settle.h"

#include "common/backoff.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

enum {
    BUSY_DELAY_MS = 250,     /* another transaction has the ledger row, or a table */
    ODD_DELAY_MS = 1000,     /* something unexpected */
    MISSING_DELAY_MS = 5000, /* an object of the database is missing */
    DONE_BYTES = 256,
};

#define LOG_JOB(job)                                                                               \
    LOG_STR("command_id", (job)->command.id),                                                      \
        LOG_STR("task", command_task_name((job)->command.task)),                                   \
        LOG_STR("topic", (job)->record->topic), LOG_INT("partition", (job)->record->partition),    \
        LOG_INT("offset", (job)->record->offset)

/* Without the user of "… for user U": a param is not logged. */
static void
cut_user(const char *message, char text[DONE_BYTES])
{
    const char *user = strstr(message, " for user ");
    const size_t length = user != NULL ? (size_t)(user - message) : strlen(message);
    (void)snprintf(text, DONE_BYTES, "%.*s", (int)length, message);
}

static bool
has_succeeded(const TaskOutcome *outcome)
{
    return outcome->status == NULL || strcmp(outcome->status, "succeeded") == 0;
}

/* A command that took longer than a set has a line of its own; the unit counts the others. */
static void
log_finished(const Job *job, const TaskOutcome *outcome, bool is_single)
{
    const bool succeeded = has_succeeded(outcome);
    const bool timed = outcome->started_at_us != 0;
    const LogLevel level = is_single && job->shape != TASK_SHAPE_SET ? LOG_INFO : LOG_DEBUG;
    if (succeeded && !log_enabled(level))
        return;
    char done[DONE_BYTES] = "";
    if (outcome->message != NULL)
        cut_user(outcome->message, done);
    const int64_t took_ms =
        timed ? (outcome->finished_at_us - outcome->started_at_us) / CLOCK_US_PER_MS : 0;
    if (succeeded)
        LOG_EVENT(level, "command succeeded", LOG_JOB(job), LOG_STR("done", log_or_null(done)),
                  LOG_INT("took_ms", took_ms), LOG_INT("attempts", outcome->attempts));
    else
        log_warn("command did not succeed", LOG_JOB(job), LOG_STR("status", outcome->status),
                 LOG_INT("took_ms", took_ms), LOG_INT("attempts", outcome->attempts),
                 LOG_STR("reason", outcome->reason));
}

static void
fail_process(const PipelineShared *shared, const Error *err)
{
    log_error("the worker cannot go on", LOG_STR("code", err->code), LOG_ERR(err));
    completions_fail(shared->completions, err);
}

/* NULL, and the process failing, without memory. */
static Outgoing *
make_item(const PipelineShared *shared, Job *job, TaskOutcome *outcome)
{
    Outgoing *item = outgoing_from_outcome(job, outcome);
    if (item == NULL) {
        Error err = {0};
        (void)error_out_of_memory(&err);
        fail_process(shared, &err);
    }
    return item;
}

/* A progress that cannot be made for want of memory is no loss. */
static void
push_progress(const PipelineShared *shared, const Job *job, TaskOutcome *outcome)
{
    OutgoingList items = OUTGOING_LIST(items);
    Outgoing *item = outgoing_from_progress(job, outcome);
    if (item == NULL)
        return;
    outgoing_list_add(&items, item);
    publisher_push(shared->publisher, &items, false);
}

/* How long a lock on a table lasts, and who has it, is told by lock_wait. */
static void
log_note(const Job *job, const TaskOutcome *outcome)
{
    const char *text =
        outcome->row_skipped ? "a row failed and is skipped" : "a batch failed and is tried again";
    LOG_EVENT(outcome->note->reason == REASON_TABLE_LOCKED ? LOG_DEBUG : LOG_WARN, text,
              LOG_JOB(job), LOG_STR("code", outcome->note->code), LOG_ERR(outcome->note));
}

static void
go_on(const PipelineShared *shared, Job **job, TaskOutcome *outcome)
{
    if (outcome->progress != NULL)
        push_progress(shared, *job, outcome);
    if (outcome->note != NULL)
        log_note(*job, outcome);
    batcher_requeue(shared->batcher, job, BATCHER_BACK, 0);
}

static void
log_duplicate(const Job *job, const TaskOutcome *outcome)
{
    char started[CLOCK_TEXT_BYTES];
    char finished[CLOCK_TEXT_BYTES] = "";
    clock_format(outcome->first_started_us, started);
    if (outcome->finished_at_us != 0)
        clock_format(outcome->finished_at_us, finished);
    log_info("duplicate absorbed", LOG_JOB(job), LOG_STR("first_status", outcome->status),
             LOG_STR("first_started_at", started), LOG_STR("first_finished_at", finished));
}

/* True when the job has ended with something for the publisher; else it has been placed. */
static bool
settle_step(const PipelineShared *shared, Job **job, TaskOutcome *outcome, bool is_single)
{
    switch (outcome->step) {
    case TASK_FINISHED:
        log_finished(*job, outcome, is_single);
        return true;
    case TASK_DUPLICATE:
        /* Nothing to publish; its offset is finished like any other. */
        log_duplicate(*job, outcome);
        return true;
    case TASK_REQUEUE:
        go_on(shared, job, outcome);
        return false;
    case TASK_LEAVE_SET:
        (*job)->shape = TASK_SHAPE_LONG_COMMAND;
        batcher_requeue(shared->batcher, job, BATCHER_BACK, 0);
        return false;
    case TASK_OWNERSHIP_LOST:
        log_warn("another worker has taken the command over", LOG_JOB(*job));
        batcher_release(shared->batcher, job);
        return false;
    case TASK_PENDING:
    case TASK_FOLLOWS: /* no task says that of a unit's own job */
        batcher_requeue(shared->batcher, job, BATCHER_BACK, ODD_DELAY_MS);
        return false;
    }
    return false;
}

void
unit_settle_outcomes(const PipelineShared *shared, Job **jobs, TaskOutcome *outcomes, size_t count)
{
    OutgoingList items = OUTGOING_LIST(items);
    for (size_t i = 0; i < count; i++) {
        Outgoing *item = settle_step(shared, &jobs[i], &outcomes[i], count == 1)
                             ? make_item(shared, jobs[i], &outcomes[i])
                             : NULL;
        if (item != NULL)
            outgoing_list_add(&items, item);
        task_outcome_done(&outcomes[i]);
    }
    /* The next commands of those users need not wait until there is room among what waits to be
     * published. */
    batcher_release_all(shared->batcher, jobs, count);
    if (items.count > 0)
        publisher_push(shared->publisher, &items, true);
}

static void
keep_apart(const PipelineShared *shared, Job **jobs, size_t count, const Error *err, unsigned *seed)
{
    int delay_ms = err->scope == ERROR_SCOPE_TARGET ? MISSING_DELAY_MS : ODD_DELAY_MS;
    if (err->reason == REASON_TABLE_LOCKED) {
        delay_ms = BUSY_DELAY_MS;
        log_debug("commands wait for a lock on a table", LOG_JOB(jobs[0]),
                  LOG_INT("commands", count), LOG_ERR(err));
    } else if (hold_one_is_news(shared->hold))
        log_warn("commands wait until this is mended", LOG_JOB(jobs[0]), LOG_INT("commands", count),
                 LOG_ERR(err));
    for (size_t i = 0; i < count; i++)
        batcher_requeue(shared->batcher, &jobs[i], BATCHER_BACK, backoff_spread_ms(delay_ms, seed));
}

void
unit_settle_kept(const PipelineShared *shared, Job **jobs, size_t count, const Error *err,
                 unsigned *seed)
{
    if (err->kind != ERROR_HOLD) {
        fail_process(shared, err);
        return;
    }
    if (err->scope != ERROR_SCOPE_EVERYTHING) {
        keep_apart(shared, jobs, count, err, seed);
        return;
    }
    hold_all(shared->hold, err, seed);
    for (size_t i = count; i > 0; i--)
        batcher_requeue(shared->batcher, &jobs[i - 1], BATCHER_FRONT, 0);
}

bool
unit_settle_retry(const PipelineShared *shared, Job **job, int max_attempts, const Error *err,
                  unsigned *seed)
{
    Job *failed = *job;
    failed->isolated = true;
    if (!err->counts_as_attempt) {
        log_debug("command is tried again, which is no attempt", LOG_JOB(failed), LOG_ERR(err));
        batcher_requeue(shared->batcher, job, BATCHER_BACK, backoff_spread_ms(BUSY_DELAY_MS, seed));
        return true;
    }
    failed->attempts++;
    const bool again = failed->attempts < max_attempts;
    log_warn(again ? "command failed and is tried again" : "command failed, its tries have run out",
             LOG_JOB(failed), LOG_INT("attempts", failed->attempts), LOG_STR("code", err->code),
             LOG_ERR(err));
    if (!again)
        return false;
    const TaskSettings *settings = shared->settings->task;
    const Backoff backoff = {settings->retry_backoff_ms, settings->retry_backoff_max_ms};
    batcher_requeue(shared->batcher, job, BATCHER_BACK,
                    backoff_wait_ms(&backoff, failed->attempts, seed));
    return true;
}

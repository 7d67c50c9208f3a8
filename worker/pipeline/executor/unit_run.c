#include "worker/pipeline/executor/unit_run.h"

#include "common/log.h"
#include "worker/pipeline/executor/unit_followers.h"
#include "worker/pipeline/executor/unit_settle.h"
#include "worker/task/lock_report.h"

enum {
    NO_LOCKS = -1,
};

struct UnitRun {
    const PipelineShared *shared;
    TaskContext context;
    unsigned seed;
    TaskItem *items;
    TaskOutcome *outcomes;
    int claim;          /* of the current unit */
    BatchTime set_time; /* of the last set; locked for NO_LOCKS: nothing was */
    bool held;          /* of the current unit: something was kept for later by a hold */
};

UnitRun *
unit_run_new(const PipelineShared *shared, Database *database, unsigned seed)
{
    UnitRun *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return NULL;
    const size_t room = (size_t)shared->settings->set_commands + 1;
    run->shared = shared;
    run->context = (TaskContext){database, shared->settings->task, shared->clock, &run->set_time};
    run->seed = seed;
    run->items = calloc(room, sizeof(*run->items));
    run->outcomes = calloc(room, sizeof(*run->outcomes));
    if (run->items != NULL && run->outcomes != NULL)
        return run;
    unit_run_free(run);
    return NULL;
}

void
unit_run_free(UnitRun *run)
{
    if (run == NULL)
        return;
    free(run->items);
    free(run->outcomes);
    free(run);
}

/* Says who holds a lock on a table, when it has lasted for long. */
static void
note_lock(const UnitRun *run, const Error *err)
{
    int64_t waited_ms = 0;
    if (err->reason == REASON_TABLE_LOCKED && lock_wait_note(run->shared->lock_wait, &waited_ms))
        task_report_lock(&run->context, waited_ms);
}

static void
keep(UnitRun *run, Job **jobs, size_t count, const Error *err)
{
    run->held = true;
    note_lock(run, err);
    unit_settle_kept(run->shared, jobs, count, err, &run->seed);
}

/* Writes `failed`; when that cannot be done now, the job comes back for nothing else. */
static void
give_up(UnitRun *run, Job **job)
{
    TaskOutcome outcome = {0};
    Error err = {0};
    const TaskItem item = job_item(*job);
    const TaskFailure failure = {(*job)->cause, (*job)->attempts, (*job)->long_command};
    if (task_fail(&run->context, &item, &failure, &outcome, &err)) {
        hold_end(run->shared->hold);
        unit_settle_outcomes(run->shared, job, &outcome, 1);
        return;
    }
    keep(run, job, 1, &err);
}

/* A try of one command failed because of that command. */
static void
count_failure(UnitRun *run, Job **job, const Error *err)
{
    const int max_attempts = run->context.settings->max_attempts;
    if (unit_settle_retry(run->shared, job, max_attempts, err, &run->seed))
        return;
    (*job)->cause = malloc(sizeof(Error));
    if ((*job)->cause == NULL) {
        Error no_memory = {0};
        (void)error_out_of_memory(&no_memory);
        completions_fail(run->shared->completions, &no_memory);
        return;
    }
    *(*job)->cause = *err;
    give_up(run, job);
}

static void
handle_single(UnitRun *run, Job **job, const Error *err)
{
    switch (err->kind) {
    case ERROR_RETRY:
    case ERROR_REJECT:
        hold_end(run->shared->hold);
        count_failure(run, job, err);
        return;
    case ERROR_HOLD:
    case ERROR_FATAL:
    case ERROR_NONE:
        keep(run, job, 1, err);
        return;
    }
}

static bool
run_exclusive(UnitRun *run, Job *job, TaskOutcome *outcome, Error *err)
{
    const TaskItem item = job_item(job);
    UnitFollowers followers = {0};
    if (job->share_key[0] != '\0')
        unit_followers_take(run->shared, job, &followers);
    const TaskFollowers of_task = unit_followers_of_task(&followers);
    const TaskTurn turn = {job->long_command, CLAIM_EXCLUSIVE, &of_task};
    const bool done = task_step_long_command(&run->context, &item, &turn, outcome, err);
    unit_followers_settle(run->shared, &followers, done);
    return done;
}

static bool
run_read_or_step(UnitRun *run, Job *job, TaskOutcome *outcome, Error *err)
{
    const TaskItem item = job_item(job);
    const TaskTurn turn = {job->long_command, run->claim, NULL};
    switch (job->shape) {
    case TASK_SHAPE_SET:
        return task_run_set(&run->context, &item, 1, job->attempts + 1, outcome, err);
    case TASK_SHAPE_READ:
        return task_run_read(&run->context, &item, job->attempts + 1, outcome, err);
    case TASK_SHAPE_LONG_COMMAND:
        return run->claim == CLAIM_EXCLUSIVE
                   ? run_exclusive(run, job, outcome, err)
                   : task_step_long_command(&run->context, &item, &turn, outcome, err);
    }
    return error_set(err, REASON_INTERNAL, "a job without a shape");
}

static void
run_single(UnitRun *run, Job **job)
{
    Error err = {0};
    if ((*job)->cause != NULL) {
        give_up(run, job);
        return;
    }
    if ((*job)->shape == TASK_SHAPE_LONG_COMMAND && (*job)->long_command == NULL)
        (*job)->long_command = long_command_new();
    if ((*job)->shape == TASK_SHAPE_LONG_COMMAND && (*job)->long_command == NULL) {
        (void)error_out_of_memory(&err);
        handle_single(run, job, &err);
        return;
    }
    TaskOutcome outcome = {0};
    if (!run_read_or_step(run, *job, &outcome, &err)) {
        handle_single(run, job, &err);
        return;
    }
    hold_end(run->shared->hold);
    if (outcome.note != NULL)
        note_lock(run, outcome.note);
    /* An executor that has a range of it must not touch the job. */
    if (outcome.step == TASK_REQUEUE && run->claim == CLAIM_EXCLUSIVE) {
        (*job)->begun = true;
        (*job)->attempts = 0;
    }
    unit_settle_outcomes(run->shared, job, &outcome, 1);
}

static void run_set(UnitRun *run, Job **jobs, size_t count);

/* One command of a set that fails must not fail the others: half by half until it is a set of one.
 */
static void
run_halves(UnitRun *run, Job **jobs, size_t count, const Error *err)
{
    log_debug("a set failed and is halved", LOG_INT("commands", count), LOG_ERR(err));
    run_set(run, jobs, count / 2);
    run_set(run, jobs + count / 2, count - count / 2);
}

static void
run_set(UnitRun *run, Job **jobs, size_t count)
{
    if (count == 1) {
        run_single(run, jobs);
        return;
    }
    Error err = {0};
    for (size_t i = 0; i < count; i++) {
        run->items[i] = job_item(jobs[i]);
    }
    run->set_time.locked_ms = NO_LOCKS;
    const bool done = task_run_set(&run->context, run->items, count, 1, run->outcomes, &err);
    if (run->set_time.locked_ms != NO_LOCKS)
        batcher_note_set(run->shared->batcher, count, &run->set_time);
    if (done) {
        hold_end(run->shared->hold);
        unit_settle_outcomes(run->shared, jobs, run->outcomes, count);
        return;
    }
    if (err.kind == ERROR_RETRY || err.kind == ERROR_REJECT)
        run_halves(run, jobs, count, &err);
    else
        keep(run, jobs, count, &err);
}

static const char *
shape_name(TaskShape shape)
{
    switch (shape) {
    case TASK_SHAPE_SET:
        return "set";
    case TASK_SHAPE_READ:
        return "read";
    case TASK_SHAPE_LONG_COMMAND:
        return "batch";
    }
    return "unit";
}

void
unit_run(UnitRun *run, Unit *unit)
{
    const Clock *clock = run->shared->clock;
    const int64_t started_ms = clock_monotonic_ms(clock);
    const char *task = command_task_name(unit->jobs[0]->command.task);
    run->claim = unit->claim;
    run->held = false;
    run_set(run, unit->jobs, unit->count);
    /* The hold has a line of its own, and so has a command that is no set when it ends: their tries
     * and batches would fill the log. */
    const LogLevel level = run->held || unit->shape != TASK_SHAPE_SET ? LOG_DEBUG : LOG_INFO;
    LOG_EVENT(level, run->held ? "unit held" : "unit finished",
              LOG_STR("kind", shape_name(unit->shape)), LOG_STR("task", task),
              LOG_INT("commands", unit->count),
              LOG_INT("duration_ms", clock_monotonic_ms(clock) - started_ms));
}

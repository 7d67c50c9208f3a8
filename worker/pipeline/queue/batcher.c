#include "common/thread.h"
#include "worker/pipeline/queue/batcher_private.h"

#include <limits.h>

enum {
    LONGEST_WAIT_MS = 1000,
};

static void
list_insert(JobList *list, Job *job, BatcherPlace place)
{
    switch (place) {
    case BATCHER_FRONT:
        TAILQ_INSERT_HEAD(&list->jobs, job, entry);
        break;
    case BATCHER_BACK:
        TAILQ_INSERT_TAIL(&list->jobs, job, entry);
        break;
    }
    list->count++;
    job->queued = true;
}

static void
list_remove(JobList *list, Job *job)
{
    TAILQ_REMOVE(&list->jobs, job, entry);
    job->queued = false;
    list->count--;
}

Batcher *
batcher_new(int executors, int set_commands, const Clock *clock)
{
    Batcher *batcher = calloc(1, sizeof(*batcher));
    if (batcher == NULL)
        return NULL;
    batcher->in_work = in_work_new();
    if (batcher->in_work == NULL || !thread_cond_init(&batcher->changed)) {
        in_work_free(batcher->in_work);
        free(batcher);
        return NULL;
    }
    for (int shape = 0; shape < SHAPES; shape++)
        TAILQ_INIT(&batcher->lists[shape].jobs);
    pthread_mutex_init(&batcher->lock, NULL);
    batcher->clock = clock;
    batcher->executors = executors > 0 ? (size_t)executors : 1;
    batcher->set_commands = set_commands > 0 ? (size_t)set_commands : 1;
    batcher->set_limit = size_least(BATCHER_FIRST_SET, batcher->set_commands);
    return batcher;
}

void
batcher_add(Batcher *batcher, Job *job)
{
    pthread_mutex_lock(&batcher->lock);
    list_insert(&batcher->lists[job->shape], job, BATCHER_BACK);
    pthread_cond_signal(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
}

/* How many of `queued` jobs one set takes: its share among the executors that have nothing to do,
 * the taker included. */
static size_t
set_share(const Batcher *batcher, size_t queued)
{
    const size_t idle =
        batcher->executors > batcher->units_out ? batcher->executors - batcher->units_out : 1;
    const size_t share = (queued + idle - 1) / idle;
    return size_least(share, batcher->set_limit);
}

/* A whole set for each executor. Sets that became small make no backlog of a few commands. */
static size_t
backlog_of(const Batcher *batcher)
{
    const size_t first = size_least(BATCHER_FIRST_SET, batcher->set_commands);
    return batcher->executors * (batcher->set_limit > first ? batcher->set_limit : first);
}

bool
batcher_has_backlog(Batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    const bool runs =
        !batcher->stopped && batcher->hold_until_ms <= clock_monotonic_ms(batcher->clock);
    const bool has = runs && batcher->lists[TASK_SHAPE_SET].count >= backlog_of(batcher);
    pthread_mutex_unlock(&batcher->lock);
    return has;
}

void
batcher_note_set(Batcher *batcher, size_t commands, const BatchTime *time)
{
    pthread_mutex_lock(&batcher->lock);
    const size_t limit = batcher->set_limit;
    const size_t next = (size_t)batch_size_next((int)commands, time, SET_AIM_MS, INT_MAX / 2);
    if (next < commands && next < limit)
        batcher->set_limit = next > BATCHER_LEAST_SET ? next : size_least(BATCHER_LEAST_SET, limit);
    else if (commands >= limit)
        batcher->set_limit = size_least(next, batcher->set_commands);
    pthread_mutex_unlock(&batcher->lock);
}

static size_t
shape_limit(const Batcher *batcher, TaskShape shape)
{
    switch (shape) {
    case TASK_SHAPE_SET:
        return set_share(batcher, batcher->lists[shape].count);
    case TASK_SHAPE_READ: {
        const size_t most = batcher->executors > 1 ? batcher->executors - 1 : 1;
        return batcher->reads_out < most ? 1 : 0;
    }
    case TASK_SHAPE_LONG_COMMAND:
        return 1;
    }
    return 0;
}

/* A long command whose claim is one of its ranges stays queued for other executors, at the end. */
static void
unit_add(Batcher *batcher, Unit *unit, Job *job, int claim)
{
    JobList *list = &batcher->lists[unit->shape];
    list_remove(list, job);
    if (claim != CLAIM_EXCLUSIVE)
        list_insert(list, job, BATCHER_BACK);
    job_add_holder(job);
    unit->claim = claim;
    unit->jobs[unit->count++] = job;
}

/* Takes keys and a claim, or nothing. Ranges of one user's command do not run side by side: it has
 * one. */
static bool
job_take(Batcher *batcher, Job *job, int64_t now_ms, int *ret_claim)
{
    if (lane_state(job->lane) != LANE_OPEN || (job->holders > 0 && in_work_needs_user(job)) ||
        (job->holders == 0 && !in_work_acquire(batcher->in_work, job)))
        return false;
    if (job_claim(job, now_ms, ret_claim))
        return true;
    if (job->holders == 0)
        in_work_release_user(batcher->in_work, job);
    return false;
}

static void
unit_fill(Batcher *batcher, Unit *unit, size_t limit, int64_t now_ms)
{
    Job *next = NULL;
    for (Job *job = TAILQ_FIRST(&batcher->lists[unit->shape].jobs);
         job != NULL && unit->count < limit; job = next) {
        int claim;
        next = TAILQ_NEXT(job, entry);
        if (job->leader != NULL || job->not_before_ms > now_ms ||
            (job->isolated && unit->count > 0) || !job_take(batcher, job, now_ms, &claim))
            continue;
        unit_add(batcher, unit, job, claim);
        if (claim == CLAIM_EXCLUSIVE)
            batcher_gather(batcher, job);
        if (job->isolated)
            return;
    }
}

static Unit *
pick_shape(Batcher *batcher, TaskShape shape, int64_t now_ms)
{
    const size_t limit = batcher->lists[shape].count > 0 ? shape_limit(batcher, shape) : 0;
    if (limit == 0)
        return NULL;
    Unit *unit = malloc(sizeof(*unit) + limit * sizeof(unit->jobs[0]));
    if (unit == NULL)
        return NULL;
    unit->shape = shape;
    unit->claim = CLAIM_EXCLUSIVE;
    unit->count = 0;
    unit_fill(batcher, unit, limit, now_ms);
    if (unit->count == 0) {
        free(unit);
        return NULL;
    }
    batcher->units_out++;
    batcher->reads_out += shape == TASK_SHAPE_READ;
    return unit;
}

static Unit *
pick(Batcher *batcher, int64_t now_ms)
{
    if (now_ms < batcher->hold_until_ms)
        return NULL;
    for (int i = 0; i < SHAPES; i++) {
        const int shape = (batcher->next_shape + i) % SHAPES;
        Unit *unit = pick_shape(batcher, (TaskShape)shape, now_ms);
        if (unit != NULL) {
            batcher->next_shape = (shape + 1) % SHAPES;
            return unit;
        }
    }
    return NULL;
}

/* When the next job that waits for its time may run, or the hold ends, but no later than
 * `limit_ms`. */
static int64_t
next_time(const Batcher *batcher, int64_t now_ms, int64_t limit_ms)
{
    int64_t next_ms = limit_ms;
    if (batcher->hold_until_ms > now_ms && batcher->hold_until_ms < next_ms)
        next_ms = batcher->hold_until_ms;
    for (int shape = 0; shape < SHAPES; shape++) {
        Job *job;
        TAILQ_FOREACH (job, &batcher->lists[shape].jobs, entry) {
            const int64_t job_ms = job->leader != NULL ? INT64_MAX : job_next_ms(job);
            if (job_ms > now_ms && job_ms < next_ms)
                next_ms = job_ms;
        }
    }
    return next_ms;
}

Unit *
batcher_take(Batcher *batcher, int wait_ms)
{
    Unit *unit = NULL;
    pthread_mutex_lock(&batcher->lock);
    const int64_t end_ms = wait_ms < 0 ? INT64_MAX : clock_monotonic_ms(batcher->clock) + wait_ms;
    while (!batcher->stopped) {
        const int64_t now_ms = clock_monotonic_ms(batcher->clock);
        unit = pick(batcher, now_ms);
        if (unit != NULL || now_ms >= end_ms)
            break;
        const int64_t limit_ms =
            end_ms - now_ms < LONGEST_WAIT_MS ? end_ms : now_ms + LONGEST_WAIT_MS;
        thread_cond_wait(&batcher->changed, &batcher->lock,
                         next_time(batcher, now_ms, limit_ms) - now_ms);
    }
    pthread_mutex_unlock(&batcher->lock);
    return unit;
}

/* A long command keeps its id between its batches: a second command of that id waits for its end.
 */
static void
put_back(Batcher *batcher, Job *job, BatcherPlace place, int delay_ms)
{
    JobList *list = &batcher->lists[job->shape];
    if (job->shape == TASK_SHAPE_LONG_COMMAND)
        in_work_release_user(batcher->in_work, job);
    else
        in_work_release(batcher->in_work, job);
    job->not_before_ms = delay_ms > 0 ? clock_monotonic_ms(batcher->clock) + delay_ms : 0;
    if (job->queued)
        list_remove(list, job);
    list_insert(list, job, place);
}

/* No executor gets it any more. True when none has it either: then it is to be freed. */
static bool
end_job(Batcher *batcher, Job *job)
{
    job->ended = true;
    if (job->queued)
        list_remove(&batcher->lists[job->shape], job);
    batcher_dismiss(batcher, job);
    if (job->holders > 0)
        return false;
    in_work_release(batcher->in_work, job);
    return true;
}

bool
batcher_requeue(Batcher *batcher, Job **job, BatcherPlace place, int delay_ms)
{
    Job *taken = *job;
    bool unused = false;
    *job = NULL;
    pthread_mutex_lock(&batcher->lock);
    const bool kept = lane_state(taken->lane) == LANE_OPEN && !taken->ended;
    job_remove_holder(taken);
    if (kept)
        put_back(batcher, taken, place, delay_ms);
    else
        unused = end_job(batcher, taken);
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    if (unused)
        job_free(taken);
    return kept;
}

/* Its leader may have been dropped meanwhile, and it may have been dropped itself. */
void
batcher_return_follower(Batcher *batcher, Job **job, BatcherFollower fate)
{
    Job *taken = *job;
    bool unused = false;
    *job = NULL;
    pthread_mutex_lock(&batcher->lock);
    job_remove_holder(taken);
    if (taken->ended || lane_state(taken->lane) != LANE_OPEN) {
        unused = end_job(batcher, taken);
    } else if (fate != FOLLOWER_STAYS) {
        batcher_leave(batcher, taken);
        if (fate == FOLLOWER_RUNS_SEPARATELY)
            taken->share_key[0] = '\0';
    }
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    if (unused)
        job_free(taken);
}

/* Under the lock. True when no executor has the job any more: then it is to be freed. */
static bool
give_up_job(Batcher *batcher, Job *job)
{
    job_remove_holder(job);
    return end_job(batcher, job);
}

void
batcher_release(Batcher *batcher, Job **job)
{
    batcher_release_all(batcher, job, 1);
}

/* Under the lock. Leaves those that are to be freed. */
static void
give_up_jobs(Batcher *batcher, Job **jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (jobs[i] != NULL && !give_up_job(batcher, jobs[i]))
            jobs[i] = NULL;
    }
}

static void
free_jobs(Job **jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        job_free(jobs[i]);
        jobs[i] = NULL;
    }
}

void
batcher_release_all(Batcher *batcher, Job **jobs, size_t count)
{
    pthread_mutex_lock(&batcher->lock);
    give_up_jobs(batcher, jobs, count);
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    free_jobs(jobs, count);
}

void
batcher_end_unit(Batcher *batcher, Unit *unit)
{
    pthread_mutex_lock(&batcher->lock);
    give_up_jobs(batcher, unit->jobs, unit->count);
    batcher->units_out--;
    batcher->reads_out -= unit->shape == TASK_SHAPE_READ;
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    free_jobs(unit->jobs, unit->count);
    free(unit);
}

size_t
batcher_drop_lane(Batcher *batcher, const Lane *lane)
{
    size_t dropped = 0;
    pthread_mutex_lock(&batcher->lock);
    for (int shape = 0; shape < SHAPES; shape++) {
        Job *next = NULL;
        for (Job *job = TAILQ_FIRST(&batcher->lists[shape].jobs); job != NULL; job = next) {
            next = TAILQ_NEXT(job, entry);
            if (job->lane != lane)
                continue;
            if (end_job(batcher, job))
                job_free(job);
            dropped++;
        }
    }
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    return dropped;
}

void
batcher_hold(Batcher *batcher, int64_t until_ms)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->hold_until_ms = until_ms;
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
}

void
batcher_stop(Batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->stopped = true;
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
}

void
batcher_free(Batcher *batcher)
{
    if (batcher == NULL)
        return;
    for (int shape = 0; shape < SHAPES; shape++) {
        while (!TAILQ_EMPTY(&batcher->lists[shape].jobs)) {
            Job *job = TAILQ_FIRST(&batcher->lists[shape].jobs);
            list_remove(&batcher->lists[shape], job);
            job_free(job);
        }
    }
    in_work_free(batcher->in_work);
    pthread_cond_destroy(&batcher->changed);
    pthread_mutex_destroy(&batcher->lock);
    free(batcher);
}

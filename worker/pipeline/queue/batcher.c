#include "common/thread.h"
#include "worker/pipeline/queue/batcher_private.h"

enum {
    LONGEST_WAIT_MS = 1000,
};

static void
list_insert(JobList *list, Job *job, BatcherPlace place)
{
    job->previous = place == BATCHER_BACK ? list->last : NULL;
    job->next = place == BATCHER_BACK ? NULL : list->first;
    *(job->previous != NULL ? &job->previous->next : &list->first) = job;
    *(job->next != NULL ? &job->next->previous : &list->last) = job;
    list->count++;
    job->queued = true;
}

static void
list_remove(JobList *list, Job *job)
{
    *(job->previous != NULL ? &job->previous->next : &list->first) = job->next;
    *(job->next != NULL ? &job->next->previous : &list->last) = job->previous;
    job->previous = NULL;
    job->next = NULL;
    job->queued = false;
    list->count--;
}

Batcher *
batcher_new(int executors, int set_commands, const Clock *clock)
{
    Batcher *batcher = calloc(1, sizeof(*batcher));
    if (batcher == NULL)
        return NULL;
    batcher->in_work = key_set_new();
    if (batcher->in_work == NULL || !thread_cond_init(&batcher->changed)) {
        key_set_free(batcher->in_work);
        free(batcher);
        return NULL;
    }
    pthread_mutex_init(&batcher->lock, NULL);
    batcher->clock = clock;
    batcher->executors = executors > 0 ? (size_t)executors : 1;
    batcher->set_commands = set_commands > 0 ? (size_t)set_commands : 1;
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

/* How many of `queued` jobs one set takes: its share among those who have nothing to do, the taker
 * included. */
static size_t
set_share(const Batcher *batcher, size_t queued)
{
    const size_t idle =
        batcher->executors > batcher->units_out ? batcher->executors - batcher->units_out : 1;
    const size_t share = (queued + idle - 1) / idle;
    return share < batcher->set_commands ? share : batcher->set_commands;
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

/* A long command whose claim is one of its ranges stays queued for the others, at the end. */
static void
unit_add(Batcher *batcher, Unit *unit, Job *job, int claim)
{
    JobList *list = &batcher->lists[unit->shape];
    list_remove(list, job);
    if (claim != CLAIM_EXCLUSIVE)
        list_insert(list, job, BATCHER_BACK);
    lane_busy_begin(job->lane);
    job->holders++;
    unit->claim = claim;
    unit->jobs[unit->count++] = job;
}

/* Takes keys and a claim, or nothing. Ranges of one user's command do not run side by side: it has
 * one. */
static bool
job_take(Batcher *batcher, Job *job, int64_t now_ms, int *ret_claim)
{
    if (lane_state(job->lane) != LANE_OPEN || (job->holders > 0 && batcher_needs_user(job)) ||
        (job->holders == 0 && !batcher_keys_acquire(batcher, job)))
        return false;
    if (job_claim(job, now_ms, ret_claim))
        return true;
    if (job->holders == 0)
        batcher_keys_release_user(batcher, job);
    return false;
}

static void
unit_fill(Batcher *batcher, Unit *unit, size_t limit, int64_t now_ms)
{
    Job *next = NULL;
    for (Job *job = batcher->lists[unit->shape].first; job != NULL && unit->count < limit;
         job = next) {
        int claim;
        next = job->next;
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
        for (Job *job = batcher->lists[shape].first; job != NULL; job = job->next) {
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
        batcher_keys_release_user(batcher, job);
    else
        batcher_keys_release(batcher, job);
    job->not_before_ms = delay_ms > 0 ? clock_monotonic_ms(batcher->clock) + delay_ms : 0;
    if (job->queued)
        list_remove(list, job);
    list_insert(list, job, place);
}

bool
batcher_end_job(Batcher *batcher, Job *job)
{
    job->ended = true;
    if (job->queued)
        list_remove(&batcher->lists[job->shape], job);
    batcher_dismiss(batcher, job);
    if (job->holders > 0)
        return false;
    batcher_keys_release(batcher, job);
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
    lane_busy_end(taken->lane);
    taken->holders--;
    if (kept)
        put_back(batcher, taken, place, delay_ms);
    else
        unused = batcher_end_job(batcher, taken);
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    if (unused)
        job_free(taken);
    return kept;
}

/* Under the lock. True when nobody has the job any more: then it is to be freed. */
static bool
give_up_job(Batcher *batcher, Job *job, bool still_busy)
{
    if (!still_busy)
        lane_busy_end(job->lane);
    job->holders--;
    return batcher_end_job(batcher, job);
}

void
batcher_release(Batcher *batcher, Job **job, bool still_busy)
{
    Job *taken = *job;
    *job = NULL;
    pthread_mutex_lock(&batcher->lock);
    const bool unused = give_up_job(batcher, taken, still_busy);
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    if (unused)
        job_free(taken);
}

void
batcher_release_published(Batcher *batcher, Job **jobs, size_t count)
{
    pthread_mutex_lock(&batcher->lock);
    for (size_t i = 0; i < count; i++) {
        if (jobs[i] != NULL && !give_up_job(batcher, jobs[i], true))
            jobs[i] = NULL;
    }
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    for (size_t i = 0; i < count; i++) {
        job_free(jobs[i]);
        jobs[i] = NULL;
    }
}

void
batcher_end_unit(Batcher *batcher, Unit *unit)
{
    for (size_t i = 0; i < unit->count; i++) {
        if (unit->jobs[i] != NULL)
            batcher_release(batcher, &unit->jobs[i], false);
    }
    pthread_mutex_lock(&batcher->lock);
    batcher->units_out--;
    batcher->reads_out -= unit->shape == TASK_SHAPE_READ;
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    free(unit);
}

size_t
batcher_drop_lane(Batcher *batcher, const Lane *lane)
{
    size_t dropped = 0;
    pthread_mutex_lock(&batcher->lock);
    for (int shape = 0; shape < SHAPES; shape++) {
        Job *next = NULL;
        for (Job *job = batcher->lists[shape].first; job != NULL; job = next) {
            next = job->next;
            if (job->lane != lane)
                continue;
            if (batcher_end_job(batcher, job))
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

size_t
batcher_queued(Batcher *batcher)
{
    size_t queued = 0;
    pthread_mutex_lock(&batcher->lock);
    for (int shape = 0; shape < SHAPES; shape++)
        queued += batcher->lists[shape].count;
    pthread_mutex_unlock(&batcher->lock);
    return queued;
}

void
batcher_free(Batcher *batcher)
{
    if (batcher == NULL)
        return;
    for (int shape = 0; shape < SHAPES; shape++) {
        while (batcher->lists[shape].first != NULL) {
            Job *job = batcher->lists[shape].first;
            list_remove(&batcher->lists[shape], job);
            job_free(job);
        }
    }
    key_set_free(batcher->in_work);
    pthread_cond_destroy(&batcher->changed);
    pthread_mutex_destroy(&batcher->lock);
    free(batcher);
}

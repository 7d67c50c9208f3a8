/* Equal commands over the whole table that wait together: one runs, the others follow it. A
 * follower stays where it is in the queue, so that the oldest leads when the leader does not
 * succeed. */
#include "worker/pipeline/queue/batcher_private.h"

#include <string.h>

static bool
may_follow(const Job *job, const Job *leader)
{
    return job->leader == NULL && job->long_command == NULL && job->cause == NULL &&
           job->holders == 0 && !job->isolated && !job->holds_id &&
           lane_state(job->lane) == LANE_OPEN && strcmp(job->share_key, leader->share_key) == 0;
}

void
batcher_gather(Batcher *batcher, Job *leader)
{
    size_t count = 0;
    if (leader->share_key[0] == '\0' || leader->begun || leader->cause != NULL)
        return;
    for (Job *job = batcher->lists[leader->shape].first;
         job != NULL && count < BATCHER_FOLLOWERS_MAX; job = job->next) {
        if (may_follow(job, leader) && batcher_keys_acquire_id(batcher, job))
            job->leader = leader;
        count += job->leader == leader;
    }
    leader->leads = count > 0;
}

static void
leave(Batcher *batcher, Job *job)
{
    job->leader = NULL;
    batcher_keys_release(batcher, job);
}

void
batcher_dismiss(Batcher *batcher, Job *leader)
{
    if (!leader->leads)
        return;
    leader->leads = false;
    for (Job *job = batcher->lists[TASK_SHAPE_LONG_COMMAND].first; job != NULL; job = job->next) {
        if (job->leader == leader)
            leave(batcher, job);
    }
}

size_t
batcher_take_followers(Batcher *batcher, const Job *leader, Job **jobs)
{
    size_t count = 0;
    pthread_mutex_lock(&batcher->lock);
    for (Job *job = batcher->lists[TASK_SHAPE_LONG_COMMAND].first;
         job != NULL && count < BATCHER_FOLLOWERS_MAX; job = job->next) {
        if (job->leader != leader || lane_state(job->lane) != LANE_OPEN)
            continue;
        lane_busy_begin(job->lane);
        job->holders++;
        jobs[count++] = job;
    }
    pthread_mutex_unlock(&batcher->lock);
    return count;
}

/* Its leader may have been dropped meanwhile, and it may have been dropped itself. */
void
batcher_return_follower(Batcher *batcher, Job **job, BatcherFollower fate)
{
    Job *taken = *job;
    bool unused = false;
    *job = NULL;
    pthread_mutex_lock(&batcher->lock);
    lane_busy_end(taken->lane);
    taken->holders--;
    if (taken->ended || lane_state(taken->lane) != LANE_OPEN) {
        unused = batcher_end_job(batcher, taken);
    } else if (fate != FOLLOWER_STAYS) {
        leave(batcher, taken);
        if (fate == FOLLOWER_RUNS_SEPARATELY)
            taken->share_key[0] = '\0';
    }
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
    if (unused)
        job_free(taken);
}

void
batcher_dismiss_followers(Batcher *batcher, Job *leader)
{
    pthread_mutex_lock(&batcher->lock);
    batcher_dismiss(batcher, leader);
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
}

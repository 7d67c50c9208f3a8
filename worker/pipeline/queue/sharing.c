/* Equal commands over the whole table that wait together: one runs, the others follow it. A
 * follower stays where it is in the queue, so that the oldest leads when the leader does not
 * succeed. */
#include "worker/pipeline/queue/batcher_private.h"

#include <string.h>

static bool
may_follow(const Job *job, const Job *leader)
{
    return job->leader == NULL && job->long_command == NULL && job->cause == NULL &&
           job->holders == 0 && !job->isolated && !job->id_key.held &&
           lane_state(job->lane) == LANE_OPEN && strcmp(job->share_key, leader->share_key) == 0;
}

void
batcher_gather(Batcher *batcher, Job *leader)
{
    size_t count = 0;
    if (leader->share_key[0] == '\0' || leader->begun || leader->cause != NULL)
        return;
    Job *job;
    TAILQ_FOREACH (job, &batcher->lists[leader->shape].jobs, entry) {
        if (count == BATCHER_FOLLOWERS_MAX)
            break;
        if (may_follow(job, leader) && in_work_acquire_id(batcher->in_work, job))
            job->leader = leader;
        count += job->leader == leader;
    }
    leader->leads = count > 0;
}

void
batcher_leave(Batcher *batcher, Job *job)
{
    job->leader = NULL;
    in_work_release(batcher->in_work, job);
}

void
batcher_dismiss(Batcher *batcher, Job *leader)
{
    if (!leader->leads)
        return;
    leader->leads = false;
    Job *job;
    TAILQ_FOREACH (job, &batcher->lists[TASK_SHAPE_LONG_COMMAND].jobs, entry) {
        if (job->leader == leader)
            batcher_leave(batcher, job);
    }
}

size_t
batcher_take_followers(Batcher *batcher, const Job *leader, Job **jobs)
{
    size_t count = 0;
    Job *job;
    pthread_mutex_lock(&batcher->lock);
    TAILQ_FOREACH (job, &batcher->lists[TASK_SHAPE_LONG_COMMAND].jobs, entry) {
        if (count == BATCHER_FOLLOWERS_MAX)
            break;
        if (job->leader != leader || lane_state(job->lane) != LANE_OPEN)
            continue;
        job_add_holder(job);
        jobs[count++] = job;
    }
    pthread_mutex_unlock(&batcher->lock);
    return count;
}

void
batcher_dismiss_followers(Batcher *batcher, Job *leader)
{
    pthread_mutex_lock(&batcher->lock);
    batcher_dismiss(batcher, leader);
    pthread_cond_broadcast(&batcher->changed);
    pthread_mutex_unlock(&batcher->lock);
}

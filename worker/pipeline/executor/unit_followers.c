#include "worker/pipeline/executor/unit_followers.h"

#include "worker/pipeline/executor/unit_settle.h"

static void
followers_done(UnitFollowers *followers)
{
    free(followers->jobs);
    free(followers->items);
    free(followers->outcomes);
    *followers = (UnitFollowers){0};
}

void
unit_followers_take(const PipelineShared *shared, Job *leader, UnitFollowers *followers)
{
    *followers = (UnitFollowers){
        .jobs = calloc(BATCHER_FOLLOWERS_MAX, sizeof(Job *)),
        .items = calloc(BATCHER_FOLLOWERS_MAX, sizeof(TaskItem)),
    };
    if (followers->jobs != NULL && followers->items != NULL)
        followers->count = batcher_take_followers(shared->batcher, leader, followers->jobs);
    followers->outcomes = calloc(followers->count + 1, sizeof(*followers->outcomes));
    if (followers->jobs != NULL && followers->items != NULL && followers->outcomes != NULL) {
        for (size_t i = 0; i < followers->count; i++)
            followers->items[i] = job_item(followers->jobs[i]);
        return;
    }
    for (size_t i = 0; i < followers->count; i++)
        batcher_return_follower(shared->batcher, &followers->jobs[i], FOLLOWER_LEAVES);
    batcher_dismiss_followers(shared->batcher, leader);
    followers_done(followers);
}

TaskFollowers
unit_followers_of_task(const UnitFollowers *followers)
{
    return (TaskFollowers){followers->items, followers->outcomes, followers->count};
}

/* Where a follower goes that has not ended. */
static BatcherFollower
fate_of(TaskStep step)
{
    switch (step) {
    case TASK_FOLLOWS:
        return FOLLOWER_STAYS;
    case TASK_LEAVE_SET:
        return FOLLOWER_RUNS_SEPARATELY;
    case TASK_PENDING:
    case TASK_FINISHED:
    case TASK_DUPLICATE:
    case TASK_REQUEUE:
    case TASK_OWNERSHIP_LOST:
        return FOLLOWER_LEAVES;
    }
    return FOLLOWER_LEAVES;
}

void
unit_followers_settle(const PipelineShared *shared, UnitFollowers *followers, bool done)
{
    size_t finished = 0;
    for (size_t i = 0; i < followers->count; i++) {
        TaskOutcome *outcome = &followers->outcomes[i];
        if (done && outcome->step == TASK_FINISHED) {
            followers->jobs[finished] = followers->jobs[i];
            followers->outcomes[finished++] = *outcome;
            continue;
        }
        batcher_return_follower(shared->batcher, &followers->jobs[i],
                                done ? fate_of(outcome->step) : FOLLOWER_STAYS);
        task_outcome_done(outcome);
    }
    if (finished > 0)
        unit_settle_outcomes(shared, followers->jobs, followers->outcomes, finished);
    followers_done(followers);
}

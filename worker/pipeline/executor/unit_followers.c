#include "worker/pipeline/executor/unit_followers.h"

#include "worker/pipeline/executor/unit_settle.h"

static void
share_done(UnitFollowers *share)
{
    free(share->jobs);
    free(share->items);
    free(share->outcomes);
    *share = (UnitFollowers){0};
}

void
unit_followers_take(const PipelineShared *shared, Job *leader, UnitFollowers *share)
{
    *share = (UnitFollowers){
        .jobs = calloc(BATCHER_FOLLOWERS_MAX, sizeof(Job *)),
        .items = calloc(BATCHER_FOLLOWERS_MAX, sizeof(TaskItem)),
    };
    if (share->jobs != NULL && share->items != NULL)
        share->count = batcher_take_followers(shared->batcher, leader, share->jobs);
    share->outcomes = calloc(share->count + 1, sizeof(*share->outcomes));
    if (share->jobs != NULL && share->items != NULL && share->outcomes != NULL) {
        for (size_t i = 0; i < share->count; i++)
            share->items[i] = job_item(share->jobs[i]);
        return;
    }
    for (size_t i = 0; i < share->count; i++)
        batcher_return_follower(shared->batcher, &share->jobs[i], FOLLOWER_LEAVES);
    batcher_dismiss_followers(shared->batcher, leader);
    share_done(share);
}

TaskFollowers
unit_followers_of_task(const UnitFollowers *share)
{
    return (TaskFollowers){share->items, share->outcomes, share->count};
}

/* Where one goes that has not ended. */
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
unit_followers_settle(const PipelineShared *shared, UnitFollowers *share, bool done)
{
    size_t finished = 0;
    for (size_t i = 0; i < share->count; i++) {
        TaskOutcome *outcome = &share->outcomes[i];
        if (done && outcome->step == TASK_FINISHED) {
            share->jobs[finished] = share->jobs[i];
            share->outcomes[finished++] = *outcome;
            continue;
        }
        batcher_return_follower(shared->batcher, &share->jobs[i],
                                done ? fate_of(outcome->step) : FOLLOWER_STAYS);
        task_outcome_done(outcome);
    }
    if (finished > 0)
        unit_settle_outcomes(shared, share->jobs, share->outcomes, finished);
    share_done(share);
}

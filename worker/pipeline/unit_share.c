#include "worker/pipeline/unit_share.h"

#include "worker/pipeline/unit_settle.h"

static void
share_done(UnitShare *share)
{
    free(share->jobs);
    free(share->items);
    free(share->outcomes);
    *share = (UnitShare){0};
}

void
unit_share_take(const Stations *stations, Job *leader, UnitShare *share)
{
    *share = (UnitShare){
        .jobs = calloc(BATCHER_FOLLOWERS_MAX, sizeof(Job *)),
        .items = calloc(BATCHER_FOLLOWERS_MAX, sizeof(TaskItem)),
    };
    if (share->jobs != NULL && share->items != NULL)
        share->count = batcher_take_followers(stations->batcher, leader, share->jobs);
    share->outcomes = calloc(share->count + 1, sizeof(*share->outcomes));
    if (share->jobs != NULL && share->items != NULL && share->outcomes != NULL) {
        for (size_t i = 0; i < share->count; i++)
            share->items[i] = job_item(share->jobs[i]);
        return;
    }
    for (size_t i = 0; i < share->count; i++)
        batcher_return_follower(stations->batcher, &share->jobs[i], FOLLOWER_LEAVES);
    batcher_dismiss_followers(stations->batcher, leader);
    share_done(share);
}

TaskFollowers
unit_share_followers(const UnitShare *share)
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
    case TASK_ALONE:
        return FOLLOWER_GOES_ALONE;
    case TASK_PENDING:
    case TASK_FINISHED:
    case TASK_ABSORBED:
    case TASK_AGAIN:
    case TASK_FORGOTTEN:
        return FOLLOWER_LEAVES;
    }
    return FOLLOWER_LEAVES;
}

void
unit_share_settle(const Stations *stations, UnitShare *share, bool done)
{
    size_t finished = 0;
    for (size_t i = 0; i < share->count; i++) {
        TaskOutcome *outcome = &share->outcomes[i];
        if (done && outcome->step == TASK_FINISHED) {
            share->jobs[finished] = share->jobs[i];
            share->outcomes[finished++] = *outcome;
            continue;
        }
        batcher_return_follower(stations->batcher, &share->jobs[i],
                                done ? fate_of(outcome->step) : FOLLOWER_STAYS);
        task_outcome_done(outcome);
    }
    if (finished > 0)
        unit_settle_outcomes(stations, share->jobs, share->outcomes, finished);
    share_done(share);
}

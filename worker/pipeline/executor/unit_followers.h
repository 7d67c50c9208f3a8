/*
 * unit_followers: the commands that share the run of the command an executor has.
 *
 * Owns:      room for them, their items and outcomes.
 * Threads:   one executor.
 */
#ifndef WORKER_PIPELINE_EXECUTOR_UNIT_FOLLOWERS_H
#define WORKER_PIPELINE_EXECUTOR_UNIT_FOLLOWERS_H

#include "worker/pipeline/shared.h"

/* Begins as {0}. */
typedef struct UnitFollowers {
    Job **jobs;
    TaskItem *items;
    TaskOutcome *outcomes;
    size_t count;
} UnitFollowers;

/* Takes the leader's followers, of which there may be none. Without memory they leave it. */
void unit_followers_take(const PipelineShared *shared, Job *leader, UnitFollowers *followers);

TaskFollowers unit_followers_of_task(const UnitFollowers *followers);

/* The step is over: each goes where its outcome says, or stays when the step was not `done`. */
void unit_followers_settle(const PipelineShared *shared, UnitFollowers *followers, bool done);

#endif

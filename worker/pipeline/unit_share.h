/*
 * unit_share: the commands that share the run of the one an executor has.
 *
 * Owns:      room for them, their items and outcomes.
 * Threads:   one executor.
 */
#ifndef WORKER_PIPELINE_UNIT_SHARE_H
#define WORKER_PIPELINE_UNIT_SHARE_H

#include "worker/pipeline/stations.h"

/* Begins as {0}. */
typedef struct UnitShare {
    Job **jobs;
    TaskItem *items;
    TaskOutcome *outcomes;
    size_t count;
} UnitShare;

/* Takes the leader's followers, of whom there may be none. Without memory they leave it. */
void unit_share_take(const Stations *stations, Job *leader, UnitShare *share);

TaskFollowers unit_share_followers(const UnitShare *share);

/* The step is over: each goes where its outcome says, or stays when the step was not `done`. */
void unit_share_settle(const Stations *stations, UnitShare *share, bool done);

#endif

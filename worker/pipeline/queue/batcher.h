/*
 * batcher: what waits to be executed, and how it becomes units.
 *
 * Owns:      the queued jobs; which users and command ids are in work.
 * Threads:   any; it is a monitor.
 * Invariant: commands of one user are never in two units at once nor twice in one set; one command
 *            id is never in two units at once, but for the ranges of one long command, which stays
 *            queued while it has another to run. Equal commands over the whole table do not run at
 *            the same time: one leads, those that wait when it begins follow it, the others wait
 *            for its end. Jobs of a lane that is not open are neither queued nor handed out.
 */
#ifndef WORKER_PIPELINE_QUEUE_BATCHER_H
#define WORKER_PIPELINE_QUEUE_BATCHER_H

#include "worker/pipeline/queue/job.h"

typedef struct Batcher Batcher;

/* What one executor runs. A job that was requeued or released leaves NULL in its place. */
typedef struct Unit {
    TaskShape shape;
    int claim; /* of a long command: as long_command_claim; else CLAIM_EXCLUSIVE */
    size_t count;
    Job *jobs[];
} Unit;

/* NULL when out of memory. `clock` is borrowed. */
Batcher *batcher_new(int executors, int set_commands, const Clock *clock) MUST_CHECK;

/* Queues a new job; takes ownership. */
void batcher_add(Batcher *batcher, Job *job);

enum {
    BATCHER_WAIT_FOREVER = -1,
};

/* Takes the next unit, waiting at most `wait_ms` for one: as many per-user commands as a set may
 * have now, at most set_commands, divided among the idle executors; or one preview or dry run (at
 * most executors - 1 at a time, at least one); or one batch of a long command, of which other
 * executors may run other ranges. NULL when there was none in time, or after batcher_stop. The
 * caller ends it with batcher_end_unit. */
Unit *batcher_take(Batcher *batcher, int wait_ms) MUST_CHECK;

/* True while a whole set of per-user commands waits for each executor, of BATCHER_FIRST_SET or
 * set_commands at least. */
bool batcher_has_backlog(Batcher *batcher);

enum {
    BATCHER_FIRST_SET = 500, /* commands of a set, before any was measured */
    BATCHER_LEAST_SET = 50,
};

/* A set of so many commands has kept rows locked for so long: those that follow are smaller when
 * that was too long, and larger when there was time for more and the set was a whole one. */
void batcher_note_set(Batcher *batcher, size_t commands, const BatchTime *time);

typedef enum BatcherPlace { BATCHER_FRONT, BATCHER_BACK } BatcherPlace;

/* Queues a job of a unit again, not before `delay_ms` have passed; sets *job to NULL.
 * False when it was dropped instead, because its lane is no longer open or it has ended. A job that
 * other executors still have is freed by the last of them. */
bool batcher_requeue(Batcher *batcher, Job **job, BatcherPlace place, int delay_ms);

/* Ends a job of a unit: frees its user and id for other jobs, and the job, as soon as no other
 * executor has it; sets *job to NULL. */
void batcher_release(Batcher *batcher, Job **job);

/* The same for all that are not NULL. */
void batcher_release_all(Batcher *batcher, Job **jobs, size_t count);

enum {
    BATCHER_FOLLOWERS_MAX = 1000,
};

/* Equal commands that waited when `leader` was taken to begin; the caller has it as
 * CLAIM_EXCLUSIVE. The caller has them too, until batcher_return_follower or batcher_release.
 * `jobs` has room for BATCHER_FOLLOWERS_MAX; returns how many there are. */
size_t batcher_take_followers(Batcher *batcher, const Job *leader, Job **jobs);

typedef enum BatcherFollower {
    FOLLOWER_STAYS,
    FOLLOWER_LEAVES,          /* waits for itself again, where it was in the queue */
    FOLLOWER_RUNS_SEPARATELY, /* the same, and shares no run any more */
} BatcherFollower;

/* Gives a follower back; sets *job to NULL. */
void batcher_return_follower(Batcher *batcher, Job **job, BatcherFollower fate);

/* All followers of the job leave it. */
void batcher_dismiss_followers(Batcher *batcher, Job *leader);

/* Frees the unit, with the jobs still in it. */
void batcher_end_unit(Batcher *batcher, Unit *unit);

/* Drops the queued jobs of a lane, which is no longer open; returns how many. What runs of them is
 * let finish. */
size_t batcher_drop_lane(Batcher *batcher, const Lane *lane);

/* Hands out nothing before that time (monotonic); 0 ends a hold. */
void batcher_hold(Batcher *batcher, int64_t until_ms);

/* From here on nothing is handed out, and all takers return. */
void batcher_stop(Batcher *batcher);

void batcher_free(Batcher *batcher);

#endif

/*
 * batcher_private: the inside of a Batcher, shared by the batcher….c files alone.
 *
 * Threads: whoever holds its lock.
 */
#ifndef WORKER_PIPELINE_QUEUE_BATCHER_PRIVATE_H
#define WORKER_PIPELINE_QUEUE_BATCHER_PRIVATE_H

#include "worker/pipeline/queue/batcher.h"
#include "worker/pipeline/queue/key_set.h"

#include <pthread.h>

enum {
    SHAPES = TASK_SHAPE_LONG_COMMAND + 1,
};

typedef struct JobList {
    Job *first;
    Job *last;
    size_t count;
} JobList;

struct Batcher {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const Clock *clock;
    size_t executors;
    size_t set_commands;
    JobList lists[SHAPES];
    KeySet *in_work;
    size_t units_out;
    size_t reads_out;
    int next_shape; /* shapes take turns, so that none starves the others */
    int64_t hold_until_ms;
    bool stopped;
};

/* Reading changes nothing, so previews of a user whose sessions are being cleaned may run. */
bool batcher_needs_user(const Job *job);

/* Takes the job's id, user and, of a command that shares its run, that run into work; false, and
 * nothing taken, when somebody else has one of them. */
bool batcher_keys_acquire(Batcher *batcher, Job *job) MUST_CHECK;
bool batcher_keys_acquire_id(Batcher *batcher, Job *job) MUST_CHECK; /* that alone */
void batcher_keys_release_user(Batcher *batcher, Job *job);
void batcher_keys_release(Batcher *batcher, Job *job);

/* Makes equal commands that wait follow the job, when that is about to begin. */
void batcher_gather(Batcher *batcher, Job *leader);

/* Nobody follows the job any more. */
void batcher_dismiss(Batcher *batcher, Job *leader);

/* Nobody gets it any more. True when nobody has it either: then it is to be freed. */
bool batcher_end_job(Batcher *batcher, Job *job) MUST_CHECK;

#endif

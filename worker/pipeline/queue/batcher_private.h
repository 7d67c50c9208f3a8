/*
 * batcher_private: the inside of a Batcher, for batcher.c and sharing.c.
 *
 * Threads: the one that holds its lock.
 */
#ifndef WORKER_PIPELINE_QUEUE_BATCHER_PRIVATE_H
#define WORKER_PIPELINE_QUEUE_BATCHER_PRIVATE_H

#include "worker/pipeline/queue/batcher.h"
#include "worker/pipeline/queue/in_work.h"

#include <pthread.h>

enum {
    SHAPES = TASK_SHAPE_LONG_COMMAND + 1,
};

typedef struct JobList {
    TAILQ_HEAD(JobQueue, Job) jobs;
    size_t count;
} JobList;

struct Batcher {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const Clock *clock;
    size_t executors;
    size_t set_commands; /* the most of one set */
    size_t set_limit;    /* of the next set */
    JobList lists[SHAPES];
    InWork *in_work;
    size_t units_out;
    size_t reads_out;
    int next_shape; /* shapes take turns, so that none starves the others */
    int64_t hold_until_ms;
    bool stopped;
};

/* Makes equal commands that wait follow the job, when that is about to begin. */
void batcher_gather(Batcher *batcher, Job *leader);

/* The job leaves its leader and waits for itself. */
void batcher_leave(Batcher *batcher, Job *job);

/* All followers of the job leave it. */
void batcher_dismiss(Batcher *batcher, Job *leader);

#endif

/*
 * shared: what the threads of one pipeline share.
 *
 * Owns:      nothing; pipeline.c makes and frees what it points to.
 * Threads:   any may read it.
 */
#ifndef WORKER_PIPELINE_SHARED_H
#define WORKER_PIPELINE_SHARED_H

#include "worker/pipeline/publisher/publisher.h"
#include "worker/pipeline/queue/hold.h"
#include "worker/pipeline/queue/lock_wait.h"

typedef struct PipelineShared {
    const PipelineSettings *settings;
    const Clock *clock;
    Batcher *batcher;
    Hold *hold;
    LockWait *lock_wait;
    Completions *completions;
    Publisher *publisher;
} PipelineShared;

#endif

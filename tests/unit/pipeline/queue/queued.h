/*
 * queued: how many jobs wait in a batcher, of all shapes.
 *
 * Threads: any.
 */
#ifndef TESTS_UNIT_PIPELINE_QUEUE_QUEUED_H
#define TESTS_UNIT_PIPELINE_QUEUE_QUEUED_H

#include "worker/pipeline/queue/batcher_private.h"

static inline size_t
queued(Batcher *batcher)
{
    size_t count = 0;
    pthread_mutex_lock(&batcher->lock);
    for (int shape = 0; shape < SHAPES; shape++)
        count += batcher->lists[shape].count;
    pthread_mutex_unlock(&batcher->lock);
    return count;
}

#endif

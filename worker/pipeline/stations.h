/*
 * stations: what the threads of one pipeline share.
 *
 * Owns:      nothing; pipeline.c makes and frees what it points to.
 * Threads:   any may read it.
 */
#ifndef WORKER_PIPELINE_STATIONS_H
#define WORKER_PIPELINE_STATIONS_H

#include "worker/pipeline/hold.h"
#include "worker/pipeline/publisher.h"

typedef struct Stations {
    const PipelineSettings *settings;
    const Clock *clock;
    Batcher *batcher;
    Hold *hold;
    Inbox *inbox;
    Publisher *publisher;
} Stations;

#endif

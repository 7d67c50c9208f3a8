/*
 * unit_run: runs one unit through its task and decides what becomes of each job.
 *
 * Owns:      room for the items and outcomes of a set.
 * Threads:   one executor.
 * Invariant: every job of a unit ends in exactly one of: handed to the publisher, queued again,
 *            given up to its new owner, dropped with its lane.
 */
#ifndef WORKER_PIPELINE_EXECUTOR_UNIT_RUN_H
#define WORKER_PIPELINE_EXECUTOR_UNIT_RUN_H

#include "worker/pipeline/shared.h"

typedef struct UnitRun UnitRun;

/* `seed` starts the jitter. NULL when out of memory. */
UnitRun *unit_run_new(const PipelineShared *shared, Database *database, unsigned seed) MUST_CHECK;
void unit_run_free(UnitRun *run); /* NULL is harmless */

/* Runs it and logs one line. Jobs that could not be placed (the process is failing) stay in the
 * unit. */
void unit_run(UnitRun *run, Unit *unit);

#endif

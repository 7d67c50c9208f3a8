/*
 * unit_settle: where a job goes after its task has run: to the publisher, or into the queue again.
 *
 * Owns:      nothing.
 * Threads:   any executor; each function leaves NULL for each job, unless the process is failing.
 */
#ifndef WORKER_PIPELINE_EXECUTOR_UNIT_SETTLE_H
#define WORKER_PIPELINE_EXECUTOR_UNIT_SETTLE_H

#include "worker/pipeline/shared.h"

/* The task has run: does what each outcome->step says and ends the outcomes. */
void unit_settle_outcomes(const PipelineShared *shared, Job **jobs, TaskOutcome *outcomes,
                          size_t count);

/* ERROR_HOLD: queues the jobs again, in front and with every unit waiting, or only these delayed
 * when an object that they need is missing. Any other kind fails the process and leaves the jobs
 * where they are. */
void unit_settle_kept(const PipelineShared *shared, Job **jobs, size_t count, const Error *err,
                      unsigned *seed);

/* Counts a failure of one job and queues it again with backoff; waiting for a ledger row does not
 * count. False when its tries have run out: the job is left as it is, with the attempts counted. */
bool unit_settle_retry(const PipelineShared *shared, Job **job, int max_attempts, const Error *err,
                       unsigned *seed) MUST_CHECK;

#endif

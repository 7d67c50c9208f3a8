/*
 * intake: a record becomes a job, or the outcome of a rejection. No I/O but the log.
 *
 * Owns:      the old task names that were warned about.
 * Threads:   the coordinator's (command_parse wants one thread).
 */
#ifndef WORKER_PIPELINE_COORDINATOR_INTAKE_H
#define WORKER_PIPELINE_COORDINATOR_INTAKE_H

#include "worker/pipeline/publisher/publisher.h"
#include "worker/pipeline/queue/job.h"

typedef struct Intake Intake;

/* Borrows all. NULL when out of memory. */
Intake *intake_new(const CommandFloors *floors, const char *worker_id,
                   const Clock *clock) MUST_CHECK;
void intake_free(Intake *intake); /* NULL is harmless */

/* Reads the record: fills exactly one of the outputs and leaves NULL in the other. Takes ownership
 * of the record, also when it fails, which only happens without memory (ERROR_FATAL). */
bool intake_read(Intake *intake, Record *record, Lane *lane, Job **ret_job, Outgoing **ret_rejected,
                 Error *err) MUST_CHECK;

#endif

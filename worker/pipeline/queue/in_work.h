/*
 * in_work: which command ids, users and shared runs are in work.
 *
 * Owns:      three sets; their members are the keys inside the jobs, which the jobs own.
 * Threads:   one at a time; the batcher uses it under its lock.
 * Invariant: two jobs never hold the same id, user or run; a job that holds a key is not freed
 *            before it has released it, but when the sets are freed right after.
 */
#ifndef WORKER_PIPELINE_QUEUE_IN_WORK_H
#define WORKER_PIPELINE_QUEUE_IN_WORK_H

#include "worker/pipeline/queue/job.h"

typedef struct InWork InWork;

InWork *in_work_new(void) MUST_CHECK; /* NULL when out of memory */
void in_work_free(InWork *in_work);   /* NULL is harmless */

/* True when the job must be the only one in work for its user. Reading changes nothing, so previews
 * of a user whose sessions are being cleaned may run. */
bool in_work_needs_user(const Job *job);

/* Takes the job's id, user and, of a command that shares its run, that run into work; what it holds
 * already stays with it. False, and nothing more taken, when another job holds one of them. */
bool in_work_acquire(InWork *in_work, Job *job) MUST_CHECK;

/* The same for the id only. */
bool in_work_acquire_id(InWork *in_work, Job *job) MUST_CHECK;

/* What the job does not hold stays as it is. */
void in_work_release_user(InWork *in_work, Job *job);
void in_work_release(InWork *in_work, Job *job);

#endif

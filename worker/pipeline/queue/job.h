/*
 * job: one accepted command on its way through the worker.
 *
 * Owns:      its command, record, long command and, when its tries have run out, the cause; a
 * reference to its lane.
 * Threads:   one at a time: coordinator, then batcher, then an executor, and back to the batcher. A
 * long command may be with several executors, each with a claim of its long command's range, and
 * with the batcher too; then they only read it. Whoever has it with CLAIM_EXCLUSIVE has it for
 * himself.
 */
#ifndef WORKER_PIPELINE_QUEUE_JOB_H
#define WORKER_PIPELINE_QUEUE_JOB_H

#include "worker/pipeline/queue/lane.h"
#include "worker/task/task.h"

typedef struct Job Job;

struct Job {
    Command command;
    Record *record;
    Lane *lane;
    TaskShape shape;
    LongCommand *long_command; /* a long command's, from its first batch on */
    Error *cause;              /* tries have run out; only task_fail is left to do */
    int attempts;              /* failures that count */
    bool isolated; /* shares a set or a run with nobody: it has failed or waited before */
    bool begun;    /* its long command has */
    int64_t not_before_ms;
    size_t size_bytes;
    /* The batcher's own. */
    bool holds_id;
    bool holds_user;
    bool holds_run;
    char share_key[TASK_SHARE_KEY_BYTES]; /* as task_share_key; "" = shares no run */
    Job *leader;                          /* whose run it shares; or NULL */
    bool leads;                           /* others share its run */
    bool queued;
    bool ended;  /* whoever has it last frees it */
    int holders; /* executors that have it */
    Job *previous;
    Job *next;
};

/* Takes ownership of `record` and of what `command` holds, and a reference to the lane, but on NULL
 * (out of memory). */
Job *job_new(Command *command, Record *record, Lane *lane) MUST_CHECK;
void job_free(Job *job);
DEFINE_FREEP(Job, job_free)

/* Claims what an executor may do with it at `now_ms`: of a long command that has begun, one of its
 * ranges, else the whole job, CLAIM_EXCLUSIVE, which only somebody gets while nobody has it. The
 * batcher's. */
bool job_claim(Job *job, int64_t now_ms, int *ret_claim) MUST_CHECK;

/* When there may be something to claim, as far as the clock alone decides (monotonic); else
 * INT64_MAX. The batcher's. */
int64_t job_next_ms(Job *job);

/* Borrows from the job. */
TaskItem job_item(const Job *job);

#endif

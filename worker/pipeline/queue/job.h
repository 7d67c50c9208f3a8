/*
 * job: one accepted command on its way through the worker.
 *
 * Owns:      its command, record, long command and, when its tries have run out, the cause; a
 *            reference to its lane, and one that counts as busy for each executor that has it.
 * Threads:   one at a time: coordinator, then batcher, then an executor, and back to the batcher. A
 *            long command may be with several executors, each with a claim of one of its ranges,
 *            and with the batcher too; then they only read it. An executor that has it with
 *            CLAIM_EXCLUSIVE is the only one that has it.
 */
#ifndef WORKER_PIPELINE_QUEUE_JOB_H
#define WORKER_PIPELINE_QUEUE_JOB_H

#include "worker/pipeline/queue/lane.h"
#include "worker/task/task.h"

#include <sys/queue.h>

typedef struct Job Job;

/* A member of one of in_work's sets, while it is held. */
typedef struct JobKey {
    LIST_ENTRY(JobKey) entry;
    const char *text; /* the job's own */
    uint32_t hash;
    bool held;
} JobKey;

struct Job {
    Command command;
    Record *record;
    Lane *lane;
    TaskShape shape;
    LongCommand *long_command; /* a long command's, from its first batch on */
    Error *cause;              /* tries have run out; only task_fail is left to do */
    int attempts;              /* failures that count */
    bool isolated;             /* shares no set and no run: it has failed or waited before */
    bool begun;                /* its long command has */
    int64_t not_before_ms;
    /* The batcher's own. */
    JobKey id_key;
    JobKey user_key;
    JobKey run_key;
    char share_key[TASK_SHARE_KEY_BYTES]; /* as task_share_key; "" = shares no run */
    Job *leader;                          /* whose run it shares; or NULL */
    bool leads;                           /* others share its run */
    bool queued;
    bool ended;  /* the last executor that has it frees it */
    int holders; /* executors that have it */
    TAILQ_ENTRY(Job) entry;
};

/* What a command takes in memory whose record has so many bytes, for budgets. */
static inline size_t
job_size(size_t record_bytes)
{
    return sizeof(Job) + record_bytes;
}

/* Takes ownership of `record` and of what `command` holds, and a reference to the lane, but on NULL
 * (out of memory). */
Job *job_new(Command *command, Record *record, Lane *lane) MUST_CHECK;
void job_free(Job *job);
DEFINE_FREEP(Job, job_free)

/* An executor gets the job, or gives it back. The batcher's. */
void job_add_holder(Job *job);
void job_remove_holder(Job *job);

/* Claims what an executor may do with it at `now_ms`: of a long command that has begun, one of its
 * ranges, else the whole job, CLAIM_EXCLUSIVE, which is granted only while no executor has it. The
 * batcher's. */
bool job_claim(Job *job, int64_t now_ms, int *ret_claim) MUST_CHECK;

/* When there may be something to claim, as far as the clock alone decides (monotonic); else
 * INT64_MAX. The batcher's. */
int64_t job_next_ms(Job *job);

/* Borrows from the job. */
TaskItem job_item(const Job *job);

#endif

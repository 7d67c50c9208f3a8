#include "worker/pipeline/queue/job.h"

Job *
job_new(Command *command, Record *record, Lane *lane)
{
    Job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    job->command = *command;
    *command = (Command){0};
    job->record = record;
    job->lane = lane_ref(lane);
    job->shape = task_shape(&job->command);
    task_share_key(&job->command, job->share_key);
    return job;
}

void
job_free(Job *job)
{
    if (job == NULL)
        return;
    command_done(&job->command);
    record_free(job->record);
    lane_unref(job->lane);
    long_command_free(job->long_command);
    free(job->cause);
    free(job);
}

void
job_add_holder(Job *job)
{
    (void)lane_ref_busy(job->lane);
    job->holders++;
}

void
job_remove_holder(Job *job)
{
    lane_unref_busy(job->lane);
    job->holders--;
}

/* Only its taker may touch the long command of a job that is taken as a whole; such a job is not
 * queued. */
static bool
has_ranges(const Job *job)
{
    return job->shape == TASK_SHAPE_LONG_COMMAND && job->long_command != NULL && job->cause == NULL;
}

bool
job_claim(Job *job, int64_t now_ms, int *ret_claim)
{
    int claim = CLAIM_EXCLUSIVE;
    if (job->not_before_ms > now_ms ||
        (has_ranges(job) && !long_command_claim(job->long_command, now_ms, &claim)) ||
        (claim == CLAIM_EXCLUSIVE && job->holders > 0))
        return false;
    *ret_claim = claim;
    return true;
}

int64_t
job_next_ms(Job *job)
{
    const int64_t next_ms = has_ranges(job) ? long_command_next_ms(job->long_command) : 0;
    return next_ms > job->not_before_ms ? next_ms : job->not_before_ms;
}

TaskItem
job_item(const Job *job)
{
    return (TaskItem){.command = &job->command, .source = job->record};
}

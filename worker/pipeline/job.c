#include "worker/pipeline/job.h"

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
    job->size_bytes = record_size(record);
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
    chain_free(job->chain);
    free(job->cause);
    free(job);
}

TaskItem
job_item(const Job *job)
{
    return (TaskItem){.command = &job->command, .source = job->record};
}

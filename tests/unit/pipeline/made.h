/*
 * made: lanes, records, jobs and outcomes as the pipeline makes them, for tests.
 *
 * Threads: any.
 */
#ifndef TESTS_UNIT_PIPELINE_MADE_H
#define TESTS_UNIT_PIPELINE_MADE_H

#include "worker/pipeline/publisher/outgoing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    MADE_FIRST_OFFSET = 100,
};

/* Has accepted so many records, from MADE_FIRST_OFFSET on, of one byte each. */
static inline Lane *
made_lane(int32_t partition, int64_t offsets)
{
    Lane *lane = lane_new(partition, NULL);
    assert_non_null(lane);
    for (int64_t i = 0; i < offsets; i++)
        assert_int_equal(lane_accept(lane, MADE_FIRST_OFFSET + i, 1), OFFSET_STARTED);
    return lane;
}

static inline Record *
made_record(const Lane *lane, int64_t offset)
{
    const Record source = {.topic = "commands",
                           .partition = lane_partition(lane),
                           .offset = offset,
                           .timestamp_ms = -1};
    Record *record = record_copy(&source);
    assert_non_null(record);
    return record;
}

/* The command that it ends had a value of so many bytes. */
static inline void
make_source_large(Outgoing *item, size_t bytes)
{
    char *value = malloc(bytes);
    assert_non_null(value);
    memset(value, 'x', bytes);
    Record source = *item->source;
    source.value = (Bytes){value, bytes};
    Record *large = record_copy(&source);
    assert_non_null(large);
    record_free(item->source);
    free(value);
    item->source = large;
}

/* `user` "" is none. */
static inline Job *
made_job(Lane *lane, int64_t offset, CommandTask task, const char *id, const char *user)
{
    Command command = {.task = task, .params = {.inactive_hours = 24}};
    assert_in_range(snprintf(command.id, sizeof(command.id), "%s", id), 1, COMMAND_ID_MAX);
    memcpy(command.key, command.id, sizeof(command.key));
    assert_in_range(snprintf(command.params.user_id, sizeof(command.params.user_id), "%s", user), 0,
                    UUID_TEXT_LENGTH);
    Job *job = job_new(&command, made_record(lane, offset), lane);
    assert_non_null(job);
    return job;
}

static inline TaskOutcome
made_outcome(const char *result, const char *reason)
{
    TaskOutcome outcome = {.step = TASK_FINISHED, .status = "succeeded", .attempts = 1};
    outcome.result = result != NULL ? strdup(result) : NULL;
    outcome.dead_letter = reason != NULL;
    outcome.reason = reason != NULL ? strdup(reason) : NULL;
    return outcome;
}

/* The end of a command; `result` NULL for nothing to publish, `reason` not NULL for a dead letter
 * too. */
static inline Outgoing *
made_outgoing(Lane *lane, int64_t offset, const char *result, const char *reason)
{
    Job *job = made_job(lane, offset, COMMAND_CLEANUP_INACTIVE_SESSIONS, "id", "");
    TaskOutcome outcome = made_outcome(result, reason);
    Outgoing *item = outgoing_from_outcome(job, &outcome);
    assert_non_null(item);
    task_outcome_done(&outcome);
    job_free(job);
    return item;
}

static inline Outgoing *
made_progress(Lane *lane, int64_t offset)
{
    Job *job = made_job(lane, offset, COMMAND_CLEANUP_INACTIVE_SESSIONS, "id", "");
    TaskOutcome outcome = {.step = TASK_REQUEUE, .progress = strdup("{}"), .progress_number = 1};
    Outgoing *item = outgoing_from_progress(job, &outcome);
    assert_non_null(item);
    task_outcome_done(&outcome);
    job_free(job);
    return item;
}

#endif

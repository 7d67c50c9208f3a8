#include "worker/message/result.h"

#include "common/strbuf.h"
#include "worker/message/members.h"

#include <math.h>
#include <stdio.h>

const char *
result_status_name(ResultStatus status)
{
    switch (status) {
    case RESULT_SUCCEEDED:
        return "succeeded";
    case RESULT_FAILED:
        return "failed";
    case RESULT_REJECTED:
        return "rejected";
    case RESULT_EXPIRED:
        return "expired";
    case RESULT_BLOCKED:
        return "blocked";
    case RESULT_CANCELLED:
        return "cancelled";
    }
    return "failed";
}

static void
add_error(StrBuf *json, const Result *result)
{
    if (!result->has_error) {
        json_add_raw(json, "error", NULL);
        return;
    }
    const char *sqlstate = result->error_sqlstate;
    json_open_object(json, "error");
    member_add_text(json, "code", error_code_name(result->error_code));
    member_add_text(json, "message", result->error_message);
    member_add_text(json, "sqlstate", sqlstate != NULL && sqlstate[0] != '\0' ? sqlstate : NULL);
    json_close_object(json);
}

/* Milliseconds with one decimal. */
static void
add_duration(StrBuf *json, const Result *result)
{
    const int64_t duration_us = result->finished_at_us - result->started_at_us;
    if (result->has_started_at)
        json_add_tenths(json, "duration_ms", llround((double)duration_us / 100.0));
    else
        json_add_raw(json, "duration_ms", NULL);
}

static void
add_source(StrBuf *json, const Result *result)
{
    json_open_object(json, "source");
    member_add_text(json, "topic", result->source_topic);
    json_add_int64(json, "partition", result->source_partition);
    json_add_int64(json, "offset", result->source_offset);
    json_close_object(json);
}

static void
add_what(StrBuf *json, const Result *result)
{
    member_add_text(json, "schema", "cleanup.result/1");
    member_add_text(json, "command_id", result->command_id);
    member_add_text(json, "task", result->task);
    if (result->deprecated_task != NULL)
        member_add_text(json, "deprecated_task", result->deprecated_task);
    member_add_text(json, "status", result_status_name(result->status));
    json_add_bool(json, "success", result->status == RESULT_SUCCEEDED);
    member_add_text(json, "message", result->message);
    json_add_raw(json, "data", result->data);
    add_error(json, result);
}

static void
add_when_and_where(StrBuf *json, const Result *result)
{
    json_add_int64(json, "attempts", result->attempts);
    member_add_text(json, "worker_id", result->worker_id);
    member_add_text(json, "requested_by", result->requested_by);
    member_add_time(json, "requested_at", result->has_requested_at, result->requested_at_us);
    member_add_time(json, "started_at", result->has_started_at, result->started_at_us);
    member_add_time(json, "finished_at", true, result->finished_at_us);
    add_duration(json, result);
    add_source(json, result);
    if (result->replay != 0)
        json_add_int64(json, "replay", result->replay);
}

char *
result_print(Arena *arena, const Result *result)
{
    StrBuf json = {.arena = arena};
    json_open_object(&json, NULL);
    add_what(&json, result);
    add_when_and_where(&json, result);
    json_close_object(&json);
    return strbuf_take(&json);
}

void
result_from_command(const Command *command, const Record *source, const char *worker_id,
                    Result *ret_result)
{
    ret_result->command_id = command->id;
    ret_result->task = command_task_name(command->task);
    ret_result->deprecated_task = command->deprecated_task;
    ret_result->worker_id = worker_id;
    ret_result->requested_by = command->requested_by;
    ret_result->has_requested_at = command->has_requested_at;
    ret_result->requested_at_us = command->requested_at_us;
    ret_result->source_topic = source->topic;
    ret_result->source_partition = source->partition;
    ret_result->source_offset = source->offset;
    ret_result->replay = command->replay;
}

char *
result_print_rejection(Arena *arena, const Rejection *rejection, const Record *source,
                       const char *worker_id, int64_t received_at_us, int64_t finished_at_us)
{
    StrBuf text = {.arena = arena};
    strbuf_add_format(&text, "Rejected: %s", rejection->message);
    const char *message = strbuf_take(&text);
    if (message == NULL)
        return NULL;
    const Result result = {
        .command_id = rejection->id,
        .task = rejection->task,
        .status = RESULT_REJECTED,
        .message = message,
        .has_error = true,
        .error_code = rejection->code,
        .error_message = rejection->message,
        .attempts = 0,
        .worker_id = worker_id,
        .requested_by = rejection->requested_by,
        .has_requested_at = rejection->has_requested_at,
        .requested_at_us = rejection->requested_at_us,
        .has_started_at = true,
        .started_at_us = received_at_us,
        .finished_at_us = finished_at_us,
        .source_topic = source->topic,
        .source_partition = source->partition,
        .source_offset = source->offset,
    };
    return result_print(arena, &result);
}

Record *
result_record(const char *topic, const EventContent *content, int replay, const Record *source)
{
    char id[EVENT_ID_BYTES];
    if (replay == 0)
        return event_record(topic, content->event_id, "cleanup.result.v1", content, source);
    (void)snprintf(id, sizeof(id), "%s/replay/%d", content->event_id, replay);
    return event_record(topic, id, "cleanup.result.v1", content, source);
}

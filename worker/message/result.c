#include "worker/message/result.h"

#include "common/json.h"
#include "common/strbuf.h"
#include "worker/message/event.h"
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

static bool
add_data(cJSON *object, const cJSON *data)
{
    return member_add(object, "data",
                      data != NULL ? cJSON_Duplicate(data, true) : cJSON_CreateNull());
}

static bool
add_error(cJSON *object, const Result *result)
{
    if (!result->has_error)
        return member_add(object, "error", cJSON_CreateNull());
    cJSON *error = cJSON_CreateObject();
    if (!member_add(object, "error", error))
        return false;
    const char *sqlstate = result->error_sqlstate;
    return member_add_text(error, "code", error_code_name(result->error_code)) &&
           member_add_text(error, "message", result->error_message) &&
           member_add_text(error, "sqlstate",
                           sqlstate != NULL && sqlstate[0] != '\0' ? sqlstate : NULL);
}

/* Milliseconds with one decimal. */
static bool
add_duration(cJSON *object, const Result *result)
{
    if (!result->has_started_at)
        return member_add_text(object, "duration_ms", NULL);
    const double duration_us = (double)(result->finished_at_us - result->started_at_us);
    return member_add_number(object, "duration_ms", round(duration_us / 100.0) / 10.0);
}

static bool
add_source(cJSON *object, const Result *result)
{
    cJSON *source = cJSON_CreateObject();
    return member_add(object, "source", source) &&
           member_add_text(source, "topic", result->source_topic) &&
           member_add_number(source, "partition", result->source_partition) &&
           member_add_int64(source, "offset", result->source_offset);
}

static bool
add_what(cJSON *object, const Result *result)
{
    return member_add_text(object, "schema", "cleanup.result/1") &&
           member_add_text(object, "command_id", result->command_id) &&
           member_add_text(object, "task", result->task) &&
           (result->deprecated_task == NULL ||
            member_add_text(object, "deprecated_task", result->deprecated_task)) &&
           member_add_text(object, "status", result_status_name(result->status)) &&
           member_add(object, "success", cJSON_CreateBool(result->status == RESULT_SUCCEEDED)) &&
           member_add_text(object, "message", result->message) && add_data(object, result->data) &&
           add_error(object, result);
}

static bool
add_when_and_where(cJSON *object, const Result *result)
{
    return member_add_number(object, "attempts", result->attempts) &&
           member_add_text(object, "worker_id", result->worker_id) &&
           member_add_text(object, "requested_by", result->requested_by) &&
           member_add_time(object, "requested_at", result->has_requested_at,
                           result->requested_at_us) &&
           member_add_time(object, "started_at", result->has_started_at, result->started_at_us) &&
           member_add_time(object, "finished_at", true, result->finished_at_us) &&
           add_duration(object, result) && add_source(object, result) &&
           (result->replay == 0 || member_add_number(object, "replay", result->replay));
}

char *
result_print(const Result *result)
{
    CLEANUP(json_deletep) cJSON *object = cJSON_CreateObject();
    if (object == NULL || !add_what(object, result) || !add_when_and_where(object, result))
        return NULL;
    return cJSON_PrintUnformatted(object);
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
result_print_rejection(const Rejection *rejection, const Record *source, const char *worker_id,
                       int64_t received_at_us, int64_t finished_at_us)
{
    StrBuf text = {0};
    strbuf_add_format(&text, "Rejected: %s", rejection->message);
    CLEANUP(autofree) char *message = strbuf_take(&text);
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
    return result_print(&result);
}

Record *
result_record(const char *topic, const char *command_id, int replay, const char *json,
              int64_t finished_at_us, const char *worker_id, const Record *source)
{
    char id[COMMAND_ID_MAX + 32];
    if (replay > 0)
        (void)snprintf(id, sizeof(id), "%s/replay/%d", command_id, replay);
    else
        (void)snprintf(id, sizeof(id), "%s", command_id);
    const Event event = {
        .id = id,
        .type = "cleanup.result.v1",
        .time_us = finished_at_us,
        .worker_id = worker_id,
        .key = command_id,
        .json = json,
    };
    return event_record(topic, &event, source);
}

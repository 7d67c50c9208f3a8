#include "worker/message/result.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/strbuf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    /* Of a message or a name that came with the command. Four of them, each character escaped to
     * six bytes, fit beside the largest lists. */
    TEXT_MAX_BYTES = 4 * 1024,
};

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
add_item(cJSON *object, const char *name, cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObjectCS(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* A text that came with the command could be as large as the command; cut between characters. */
static bool
add_text(cJSON *object, const char *name, const char *text)
{
    if (text == NULL)
        return add_item(object, name, cJSON_CreateNull());
    if (strlen(text) <= TEXT_MAX_BYTES)
        return add_item(object, name, cJSON_CreateString(text));
    size_t cut = TEXT_MAX_BYTES;
    while (cut > 0 && ((unsigned char)text[cut] & 0xC0U) == 0x80U)
        cut--;
    CLEANUP(strbuf_done) StrBuf shorter = {0};
    strbuf_add(&shorter, text, cut);
    strbuf_add_text(&shorter, "…");
    return !shorter.failed && add_item(object, name, cJSON_CreateString(shorter.data));
}

static bool
add_time(cJSON *object, const char *name, bool has, int64_t time_us)
{
    char text[CLOCK_TEXT_BYTES];
    if (has)
        clock_format(time_us, text);
    return add_text(object, name, has ? text : NULL);
}

static bool
add_number(cJSON *object, const char *name, double number)
{
    return add_item(object, name, cJSON_CreateNumber(number));
}

static bool
add_data(cJSON *object, const cJSON *data)
{
    return add_item(object, "data",
                    data != NULL ? cJSON_Duplicate(data, true) : cJSON_CreateNull());
}

static bool
add_error(cJSON *object, const Result *result)
{
    if (!result->has_error)
        return add_item(object, "error", cJSON_CreateNull());
    cJSON *error = cJSON_CreateObject();
    if (!add_item(object, "error", error))
        return false;
    const char *sqlstate = result->error_sqlstate;
    return add_text(error, "code", error_code_name(result->error_code)) &&
           add_text(error, "message", result->error_message) &&
           add_text(error, "sqlstate", sqlstate != NULL && sqlstate[0] != '\0' ? sqlstate : NULL);
}

/* Milliseconds with one decimal. */
static bool
add_duration(cJSON *object, const Result *result)
{
    if (!result->has_started_at)
        return add_text(object, "duration_ms", NULL);
    const double duration_us = (double)(result->finished_at_us - result->started_at_us);
    return add_number(object, "duration_ms", round(duration_us / 100.0) / 10.0);
}

/* cJSON keeps numbers as doubles and prints 15 digits. */
static bool
add_offset(cJSON *object, int64_t offset)
{
    char digits[24];
    (void)snprintf(digits, sizeof(digits), "%" PRId64, offset);
    return add_item(object, "offset", cJSON_CreateRaw(digits));
}

static bool
add_source(cJSON *object, const Result *result)
{
    cJSON *source = cJSON_CreateObject();
    return add_item(object, "source", source) && add_text(source, "topic", result->source_topic) &&
           add_number(source, "partition", result->source_partition) &&
           add_offset(source, result->source_offset);
}

static bool
add_what(cJSON *object, const Result *result)
{
    return add_text(object, "schema", "cleanup.result/1") &&
           add_text(object, "command_id", result->command_id) &&
           add_text(object, "task", result->task) &&
           (result->deprecated_task == NULL ||
            add_text(object, "deprecated_task", result->deprecated_task)) &&
           add_text(object, "status", result_status_name(result->status)) &&
           add_item(object, "success", cJSON_CreateBool(result->status == RESULT_SUCCEEDED)) &&
           add_text(object, "message", result->message) && add_data(object, result->data) &&
           add_error(object, result);
}

static bool
add_when_and_where(cJSON *object, const Result *result)
{
    return add_number(object, "attempts", result->attempts) &&
           add_text(object, "worker_id", result->worker_id) &&
           add_text(object, "requested_by", result->requested_by) &&
           add_time(object, "requested_at", result->has_requested_at, result->requested_at_us) &&
           add_time(object, "started_at", result->has_started_at, result->started_at_us) &&
           add_time(object, "finished_at", true, result->finished_at_us) &&
           add_duration(object, result) && add_source(object, result) &&
           (result->replay == 0 || add_number(object, "replay", result->replay));
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
    char event_id[COMMAND_ID_MAX + 32];
    CLEANUP(strbuf_done) StrBuf event_source = {0};
    char time[CLOCK_TEXT_BYTES];
    if (replay > 0)
        (void)snprintf(event_id, sizeof(event_id), "%s/replay/%d", command_id, replay);
    else
        (void)snprintf(event_id, sizeof(event_id), "%s", command_id);
    strbuf_add_format(&event_source, "cleanup-worker/%s", worker_id);
    if (event_source.failed)
        return NULL;
    clock_format(finished_at_us, time);

    RecordHeader headers[8] = {
        {"ce_specversion", BYTES_TEXT("1.0")},
        {"ce_id", BYTES_TEXT(event_id)},
        {"ce_type", BYTES_TEXT("cleanup.result.v1")},
        {"ce_source", BYTES_TEXT(strbuf_text(&event_source))},
        {"ce_time", BYTES_TEXT(time)},
        {"content-type", BYTES_TEXT("application/json")},
    };
    size_t count = 6;
    static const char *const passed_on[] = {"traceparent", "tracestate"};
    for (size_t i = 0; i < ARRAY_LEN(passed_on); i++) {
        const RecordHeader *header = record_header(source, passed_on[i]);
        if (header != NULL)
            headers[count++] = *header;
    }
    const Record record = {
        .topic = topic,
        .partition = -1,
        .offset = -1,
        .timestamp_ms = -1,
        .key = BYTES_TEXT(command_id),
        .value = BYTES_TEXT(json),
        .headers = headers,
        .header_count = count,
    };
    return record_copy(&record);
}

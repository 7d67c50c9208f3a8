#include "worker/message/progress.h"

#include "common/json.h"
#include "worker/message/command.h"
#include "worker/message/event.h"
#include "worker/message/members.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define EVENT_TYPE "cleanup.progress.v1"

static bool
add_rows(cJSON *object, const Progress *progress)
{
    const double rate = isfinite(progress->rows_per_second) ? progress->rows_per_second : 0;
    return member_add_int64(object, "rows_done", progress->rows_done) &&
           (progress->rows_total > 0 ? member_add_int64(object, "rows_total", progress->rows_total)
                                     : member_add_text(object, "rows_total", NULL)) &&
           member_add_number(object, "rows_per_second", round(rate * 10) / 10);
}

char *
progress_print(const Progress *progress)
{
    CLEANUP(json_deletep) cJSON *object = cJSON_CreateObject();
    if (object == NULL || !member_add_text(object, "schema", "cleanup.progress/1") ||
        !member_add_text(object, "command_id", progress->command_id) ||
        !member_add_text(object, "task", progress->task) ||
        !member_add_int64(object, "progress", progress->number) || !add_rows(object, progress) ||
        !member_add_text(object, "worker_id", progress->worker_id) ||
        !member_add_time(object, "started_at", true, progress->started_at_us) ||
        !member_add_time(object, "updated_at", true, progress->updated_at_us))
        return NULL;
    return cJSON_PrintUnformatted(object);
}

Record *
progress_record(const char *topic, const char *command_id, int64_t number, const char *json,
                int64_t updated_at_us, const char *worker_id, const Record *source)
{
    char id[COMMAND_ID_MAX + 40];
    (void)snprintf(id, sizeof(id), "%s/progress/%" PRId64, command_id, number);
    const Event event = {
        .id = id,
        .type = EVENT_TYPE,
        .time_us = updated_at_us,
        .worker_id = worker_id,
        .key = command_id,
        .json = json,
    };
    return event_record(topic, &event, source);
}

bool
progress_is_record(const Record *record)
{
    return event_has_type(record, EVENT_TYPE);
}

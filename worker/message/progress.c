#include "worker/message/progress.h"

#include "worker/message/limits.h"
#include "worker/message/members.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define EVENT_TYPE "cleanup.progress.v1"

static void
add_rows(StrBuf *json, const Progress *progress)
{
    const double rate = isfinite(progress->rows_per_second) ? progress->rows_per_second : 0;
    json_add_int64(json, "rows_done", progress->rows_done);
    if (progress->rows_total > 0)
        json_add_int64(json, "rows_total", progress->rows_total);
    else
        json_add_raw(json, "rows_total", NULL);
    json_add_tenths(json, "rows_per_second", llround(rate * 10));
}

char *
progress_print(const Progress *progress)
{
    StrBuf json = {0};
    json_open_object(&json, NULL);
    member_add_text(&json, "schema", "cleanup.progress/1");
    member_add_text(&json, "command_id", progress->command_id);
    member_add_text(&json, "task", progress->task);
    json_add_int64(&json, "progress", progress->number);
    add_rows(&json, progress);
    member_add_text(&json, "worker_id", progress->worker_id);
    member_add_time(&json, "started_at", true, progress->started_at_us);
    member_add_time(&json, "updated_at", true, progress->updated_at_us);
    json_close_object(&json);
    return strbuf_take(&json);
}

Record *
progress_record(const char *topic, const EventContent *content, int64_t number,
                const Record *source)
{
    char id[EVENT_ID_BYTES];
    (void)snprintf(id, sizeof(id), "%s/progress/%" PRId64, content->event_id, number);
    return event_record(topic, id, EVENT_TYPE, content, source);
}

bool
progress_is_record(const Record *record)
{
    return event_has_type(record, EVENT_TYPE);
}

#include "worker/message/event.h"

#include "common/clock.h"
#include "common/strbuf.h"

#include <string.h>

enum {
    OWN_HEADERS = 6,
    HEADERS_MAX = 8,
};

/* Lets whoever follows a trace find what came of the command. */
static size_t
pass_on(const Record *command, RecordHeader *headers, size_t count)
{
    static const char *const names[HEADERS_MAX - OWN_HEADERS] = {"traceparent", "tracestate"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const RecordHeader *header = record_header(command, names[i]);
        if (header != NULL)
            headers[count++] = *header;
    }
    return count;
}

Record *
event_record(const char *topic, const Event *event, const Record *command)
{
    CLEANUP(strbuf_done) StrBuf source = {0};
    char time[CLOCK_TEXT_BYTES];
    strbuf_add_format(&source, "cleanup-worker/%s", event->worker_id);
    if (source.failed)
        return NULL;
    clock_format(event->time_us, time);
    RecordHeader headers[HEADERS_MAX] = {
        {"ce_specversion", BYTES_TEXT("1.0")}, {"ce_id", BYTES_TEXT(event->id)},
        {"ce_type", BYTES_TEXT(event->type)},  {"ce_source", BYTES_TEXT(strbuf_text(&source))},
        {"ce_time", BYTES_TEXT(time)},         {"content-type", BYTES_TEXT("application/json")},
    };
    const Record record = {
        .topic = topic,
        .partition = -1,
        .offset = -1,
        .timestamp_ms = -1,
        .key = BYTES_TEXT(event->key),
        .value = BYTES_TEXT(event->json),
        .headers = headers,
        .header_count = pass_on(command, headers, OWN_HEADERS),
    };
    return record_copy(&record);
}

bool
event_has_type(const Record *record, const char *type)
{
    const RecordHeader *header = record_header(record, "ce_type");
    return header != NULL && header->value.data != NULL && header->value.size == strlen(type) &&
           memcmp(header->value.data, type, header->value.size) == 0;
}

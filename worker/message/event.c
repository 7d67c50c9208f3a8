#include "worker/message/event.h"

#include "common/clock.h"
#include "common/strbuf.h"

#include <string.h>

enum {
    OWN_HEADERS = 6,
    PASSED_ON = 2,
    HEADERS_MAX = OWN_HEADERS + PASSED_ON + 1,
    PASSED_ON_BYTES_MAX = 8192, /* names and values together */
};

static const char dropped_name[] = "cleanup-headers-dropped";

/* With these headers, a reader of a trace finds what came of the command. A sender's header that is
 * larger than any trace needs must not make a result that its topic does not take. */
static size_t
pass_on(const Record *command, RecordHeader *headers, size_t count)
{
    static const char *const names[PASSED_ON] = {"traceparent", "tracestate"};
    static const char *const dropped_texts[] = {NULL, "traceparent", "tracestate",
                                                "traceparent,tracestate"};
    size_t room = PASSED_ON_BYTES_MAX;
    size_t dropped = 0; /* a bit for each name */
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const RecordHeader *header = record_header(command, names[i]);
        if (header == NULL)
            continue;
        const size_t size = strlen(names[i]) + header->value.size;
        if (size > room) {
            dropped |= (size_t)1 << i;
            continue;
        }
        room -= size;
        headers[count++] = *header;
    }
    if (dropped > 0)
        headers[count++] = (RecordHeader){dropped_name, BYTES_TEXT(dropped_texts[dropped])};
    return count;
}

Record *
event_record(const char *topic, const char *id, const char *type, const EventContent *content,
             const Record *command)
{
    CLEANUP(strbuf_done) StrBuf source = {0};
    char time[CLOCK_TEXT_BYTES];
    strbuf_add_text(&source, "cleanup-worker/");
    strbuf_add_text(&source, content->worker_id);
    if (source.failed)
        return NULL;
    clock_format(content->time_us, time);
    RecordHeader headers[HEADERS_MAX] = {
        {"ce_specversion", BYTES_TEXT("1.0")}, {"ce_id", BYTES_TEXT(id)},
        {"ce_type", BYTES_TEXT(type)},         {"ce_source", BYTES_TEXT(strbuf_text(&source))},
        {"ce_time", BYTES_TEXT(time)},         {"content-type", BYTES_TEXT("application/json")},
    };
    const Record record = {
        .topic = topic,
        .partition = -1,
        .offset = -1,
        .timestamp_ms = -1,
        .key = BYTES_TEXT(content->command_id),
        .value = BYTES_TEXT(content->json),
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

#include "worker/message/event.h"

#include "common/clock.h"

#include <string.h>

enum {
    OWN_HEADERS = 6,
    PASSED_ON = 2,
    HEADERS_MAX = OWN_HEADERS + PASSED_ON + 1,
    PASSED_ON_BYTES_MAX = 8192, /* names and values together */
    SOURCE_PREFIX_LENGTH = sizeof("cleanup-worker/") - 1,
};

static const char source_prefix[SOURCE_PREFIX_LENGTH + 1] = "cleanup-worker/";

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

/* The record with what it does not borrow, in one piece that record_free frees. */
typedef struct EventPiece {
    Record record; /* first */
    RecordHeader headers[HEADERS_MAX];
    char time[CLOCK_TEXT_BYTES];
    char texts[]; /* id and source */
} EventPiece;

/* Copies the text to *at and moves on. */
static Bytes
place(char **at, Bytes text)
{
    char *copy = *at;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *at += text.size + 1;
    return (Bytes){copy, text.size};
}

static Bytes
place_source(char **at, Bytes worker_id)
{
    char *source = *at;
    memcpy(source, source_prefix, SOURCE_PREFIX_LENGTH);
    *at += SOURCE_PREFIX_LENGTH;
    (void)place(at, worker_id);
    return (Bytes){source, SOURCE_PREFIX_LENGTH + worker_id.size};
}

Record *
event_record(const char *topic, const char *id, const char *type, const EventContent *content,
             const Record *command)
{
    const Bytes id_text = BYTES_TEXT(id);
    const Bytes worker_id = BYTES_TEXT(content->worker_id);
    EventPiece *piece =
        malloc(sizeof(*piece) + id_text.size + SOURCE_PREFIX_LENGTH + worker_id.size + 2);
    if (piece == NULL)
        return NULL;
    char *at = piece->texts;
    clock_format(content->time_us, piece->time);
    const RecordHeader own[OWN_HEADERS] = {
        {"ce_specversion", BYTES_TEXT("1.0")}, {"ce_id", place(&at, id_text)},
        {"ce_type", BYTES_TEXT(type)},         {"ce_source", place_source(&at, worker_id)},
        {"ce_time", BYTES_TEXT(piece->time)},  {"content-type", BYTES_TEXT("application/json")},
    };
    memcpy(piece->headers, own, sizeof(own));
    piece->record = (Record){
        .topic = topic,
        .partition = -1,
        .offset = -1,
        .timestamp_ms = -1,
        .key = BYTES_TEXT(content->command_id),
        .value = BYTES_TEXT(content->json),
        .headers = piece->headers,
        .header_count = pass_on(command, piece->headers, OWN_HEADERS),
    };
    return &piece->record;
}

bool
event_has_type(const Record *record, const char *type)
{
    const RecordHeader *header = record_header(record, "ce_type");
    return header != NULL && header->value.data != NULL && header->value.size == strlen(type) &&
           memcmp(header->value.data, type, header->value.size) == 0;
}

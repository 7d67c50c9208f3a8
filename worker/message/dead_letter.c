#include "worker/message/dead_letter.h"

#include "common/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "__dlq.errors."

enum {
    REASON_HEADERS = 6,
    RECORD_OVERHEAD_BYTES = 1024, /* the protocol's own, and the reason's headers */
    HEADER_OVERHEAD_BYTES = 10,   /* two lengths, at most five bytes each */
};

static bool
is_reason_header(const char *name)
{
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

static size_t
copy_headers(const Record *original, RecordHeader *headers)
{
    size_t count = 0;
    for (size_t i = 0; i < original->header_count; i++) {
        if (!is_reason_header(original->headers[i].name))
            headers[count++] = original->headers[i];
    }
    return count;
}

static size_t
headers_size(const RecordHeader *headers, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(headers[i].name) + headers[i].value.size + HEADER_OVERHEAD_BYTES;
    return size;
}

/* Cuts the bytes to what is left of the room; tells whether anything was lost. */
static bool
fit(Bytes *bytes, size_t *room)
{
    const bool cut = bytes->size > *room;
    if (cut)
        bytes->size = *room;
    *room -= bytes->size;
    return cut;
}

/* The header is UTF-8: what does not fit is cut between characters. */
static void
write_message(const char *text, bool record_was_cut, char message[ERROR_TEXT_BYTES])
{
    const char *start = record_was_cut ? "(the record was cut) " : "";
    const size_t room = ERROR_TEXT_BYTES - 1 - strlen(start);
    const size_t length = utf8_cut(text, strlen(text), room);
    (void)snprintf(message, ERROR_TEXT_BYTES, "%s%.*s", start, (int)length, text);
}

Record *
dead_letter_record(const char *topic, const Record *original, const DeadLetterReason *reason,
                   size_t max_bytes)
{
    char partition[16];
    char offset[24];
    char count_text[16];
    char message[ERROR_TEXT_BYTES];
    (void)snprintf(partition, sizeof(partition), "%" PRId32, original->partition);
    (void)snprintf(offset, sizeof(offset), "%" PRId64, original->offset);
    (void)snprintf(count_text, sizeof(count_text), "%d",
                   reason->delivery_count > 0 ? reason->delivery_count : 1);

    CLEANUP(autofree)
    RecordHeader *headers = calloc(original->header_count + REASON_HEADERS, sizeof(*headers));
    if (headers == NULL)
        return NULL;
    size_t kept = copy_headers(original, headers);
    size_t room = max_bytes > RECORD_OVERHEAD_BYTES + ERROR_TEXT_BYTES
                      ? max_bytes - RECORD_OVERHEAD_BYTES - ERROR_TEXT_BYTES
                      : 0;
    Record record = *original;
    bool cut = fit(&record.key, &room);
    if (headers_size(headers, kept) > room) {
        kept = 0;
        cut = true;
    }
    room -= headers_size(headers, kept);
    cut |= fit(&record.value, &room);
    write_message(reason->message, cut, message);
    const RecordHeader reasons[REASON_HEADERS] = {
        {PREFIX "topic", BYTES_TEXT(original->topic)},
        {PREFIX "partition", BYTES_TEXT(partition)},
        {PREFIX "offset", BYTES_TEXT(offset)},
        {PREFIX "group", BYTES_TEXT(reason->group)},
        {PREFIX "delivery.count", BYTES_TEXT(count_text)},
        {PREFIX "message", BYTES_TEXT(message)},
    };
    memcpy(headers + kept, reasons, sizeof(reasons));
    record.topic = topic;
    record.partition = -1;
    record.offset = -1;
    record.timestamp_ms = -1;
    record.headers = headers;
    record.header_count = kept + REASON_HEADERS;
    return record_copy(&record);
}

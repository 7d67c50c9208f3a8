#include "common/record.h"

#include <string.h>

static size_t
bytes_room(Bytes bytes)
{
    return bytes.data != NULL ? bytes.size + 1 : 0;
}

size_t
record_size(const Record *record)
{
    size_t size = sizeof(*record) + record->header_count * sizeof(RecordHeader);
    size += strlen(record->topic) + 1 + bytes_room(record->key) + bytes_room(record->value);
    for (size_t i = 0; i < record->header_count; i++)
        size += strlen(record->headers[i].name) + 1 + bytes_room(record->headers[i].value);
    return size;
}

/* Copies the bytes to *at, adds the NUL and moves on. */
static Bytes
place_bytes(char **at, Bytes source)
{
    if (source.data == NULL)
        return source;
    char *copy = *at;
    memcpy(copy, source.data, source.size);
    copy[source.size] = '\0';
    *at += source.size + 1;
    return (Bytes){copy, source.size};
}

static const char *
place_text(char **at, const char *text)
{
    return place_bytes(at, BYTES_TEXT(text)).data;
}

Record *
record_copy(const Record *source)
{
    Record *record = malloc(record_size(source));
    if (record == NULL)
        return NULL;
    RecordHeader *headers = (RecordHeader *)(record + 1);
    char *at = (char *)(headers + source->header_count);
    *record = *source;
    record->headers = headers;
    record->topic = place_text(&at, source->topic);
    record->key = place_bytes(&at, source->key);
    record->value = place_bytes(&at, source->value);
    for (size_t i = 0; i < source->header_count; i++) {
        headers[i].name = place_text(&at, source->headers[i].name);
        headers[i].value = place_bytes(&at, source->headers[i].value);
    }
    return record;
}

void
record_free(Record *record)
{
    free(record);
}

const RecordHeader *
record_header(const Record *record, const char *name)
{
    for (size_t i = record->header_count; i > 0; i--) {
        if (strcmp(record->headers[i - 1].name, name) == 0)
            return &record->headers[i - 1];
    }
    return NULL;
}

static bool
is_equal(Bytes a, Bytes b)
{
    return (a.data == NULL) == (b.data == NULL) && a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool
record_header_is_ambiguous(const Record *record, const char *name)
{
    const RecordHeader *last = record_header(record, name);
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0 &&
            !is_equal(record->headers[i].value, last->value))
            return true;
    }
    return false;
}

/*
 * record: one Kafka record in memory, in or out.
 *
 * Owns:      all of its bytes, in one piece made by record_new.
 * Threads:   one at a time; may be handed from thread to thread.
 * Invariant: key, value and header values carry their length and may hold any byte; each is
 * followed by a NUL that does not count.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include "common/error.h"

#include <stdint.h>
#include <string.h>

/* Bytes that may be absent (data NULL), which Kafka keeps apart from empty. */
typedef struct Bytes {
    const char *data;
    size_t size;
} Bytes;

typedef struct RecordHeader {
    const char *name;
    Bytes value;
} RecordHeader;

typedef struct Record {
    const char *topic;
    int32_t partition;    /* -1 in a record to be sent: the partitioner decides */
    int64_t offset;       /* -1 in a record to be sent */
    int64_t timestamp_ms; /* since 1970; -1 when the broker gave none */
    Bytes key;
    Bytes value;
    const RecordHeader *headers;
    size_t header_count;
} Record;

#define BYTES_TEXT(text) ((Bytes){(text), strlen(text)})

/* Copies `source` with everything it points to. The caller frees it with record_free. NULL when out
 * of memory. */
Record *record_copy(const Record *source) MUST_CHECK;
void record_free(Record *record);
DEFINE_FREEP(Record, record_free)

/* The last header of that name (case counts), or NULL. */
const RecordHeader *record_header(const Record *record, const char *name);

/* Whether headers of that name have different values, so that none of them is the one. */
bool record_header_is_ambiguous(const Record *record, const char *name);

/* How many bytes the record takes in memory, for budgets. */
size_t record_size(const Record *record);

#endif

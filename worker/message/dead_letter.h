/*
 * dead_letter: the record for the dead-letter topic; no I/O.
 *
 * Header names are those of KIP-1191 (`__dlq.errors.…`).
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_DEAD_LETTER_H
#define WORKER_MESSAGE_DEAD_LETTER_H

#include "common/record.h"

typedef struct DeadLetterReason {
    const char *group;
    int delivery_count; /* attempts; at least 1 */
    const char *message;
} DeadLetterReason;

/* Original key, value and headers, plus the reason's headers. What would exceed `max_bytes` (the
 * producer's message.max.bytes, with room for the protocol's own) is cut, the value first, and the
 * message says so. Headers of an earlier dead letter in the original are replaced. The caller frees
 * it. NULL when out of memory. */
Record *dead_letter_record(const char *topic, const Record *original,
                           const DeadLetterReason *reason, size_t max_bytes) MUST_CHECK;

#endif

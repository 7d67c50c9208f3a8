/*
 * size_limit: how many bytes a topic takes at once, learnt from what it has refused.
 *
 * Owns:      nothing; one for each topic of a delivery.
 * Threads:   the publisher's.
 * Invariant: what a topic has refused is not sent to it again as large as it was for a minute; from
 *            then on the limit doubles each minute, because the topic may take more by now.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_SIZE_LIMIT_H
#define WORKER_PIPELINE_PUBLISHER_SIZE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

typedef struct SizeLimit {
    size_t bytes; /* 0: nothing was refused */
    int64_t refused_ms;
} SizeLimit;

/* Notes that so many bytes were too much for the topic, together or as one record: it is to get at
 * most half of that. Logs it. */
void size_limit_refused(SizeLimit *limit, const char *topic, size_t bytes, int64_t now_ms);

/* How many bytes the topic may get at once; at most `max_bytes`, what the producer takes. */
size_t size_limit_bytes(const SizeLimit *limit, size_t max_bytes, int64_t now_ms);

#endif

/*
 * offset_tracker: decides which offset of one partition is safe to commit.
 *
 * Owns:      the offsets in flight of that partition, and those finished ahead of an unfinished
 * one. Threads:   not thread-safe; the coordinator thread alone uses it. Invariant: no offset below
 * the committable one is unfinished.
 */
#ifndef COMMON_KAFKA_OFFSET_TRACKER_H
#define COMMON_KAFKA_OFFSET_TRACKER_H

#include "common/error.h"

#include <stdint.h>

#define OFFSET_TRACKER_NONE INT64_C(-1)

typedef struct OffsetTracker OffsetTracker;

typedef enum OffsetStart {
    OFFSET_STARTED,
    OFFSET_BELOW, /* at or below one that was started before: a redelivery, to be dropped */
    OFFSET_OUT_OF_MEMORY,
} OffsetStart;

/* NULL when out of memory. */
OffsetTracker *offset_tracker_new(void) MUST_CHECK;

/* Takes note of a record that was polled. Offsets only go up; gaps are usual (transaction markers).
 */
OffsetStart offset_tracker_start(OffsetTracker *tracker, int64_t offset) MUST_CHECK;

/* Marks `offset` finished; a second time is harmless.
 * Fails with ERROR_FATAL when `offset` is not one that was started in this assignment. */
bool offset_tracker_finish(OffsetTracker *tracker, int64_t offset, Error *err) MUST_CHECK;

/* The offset to commit: everything below it is finished. OFFSET_TRACKER_NONE when nothing was
 * started. */
int64_t offset_tracker_committable(const OffsetTracker *tracker);

/* The offset after the last one that was started, or OFFSET_TRACKER_NONE. */
int64_t offset_tracker_position(const OffsetTracker *tracker);

/* How many were started and are not finished. */
size_t offset_tracker_in_flight(const OffsetTracker *tracker);

/* How many are finished while an earlier one is not. */
size_t offset_tracker_finished_ahead(const OffsetTracker *tracker);

/* The index-th offset finished ahead, in ascending order; OFFSET_TRACKER_NONE beyond the last.
 * Walks the offsets, so meant for writing them down, not for lookups. */
int64_t offset_tracker_ahead_at(const OffsetTracker *tracker, size_t index);

void offset_tracker_free(OffsetTracker *tracker);
DEFINE_FREEP(OffsetTracker, offset_tracker_free)

#endif

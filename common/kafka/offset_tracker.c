#include "common/kafka/offset_tracker.h"

#include <inttypes.h>
#include <string.h>

enum {
    TRACKER_FIRST_CAPACITY = 64,
};

typedef struct Entry {
    int64_t offset;
    bool finished;
} Entry;

/* A ring in ascending order of offset; its first entry is never finished. */
struct OffsetTracker {
    Entry *ring;
    size_t capacity; /* a power of two, or 0 */
    size_t head;
    size_t count;
    size_t unfinished;
    int64_t position;
};

OffsetTracker *
offset_tracker_new(void)
{
    OffsetTracker *tracker = calloc(1, sizeof(*tracker));
    if (tracker != NULL)
        tracker->position = OFFSET_TRACKER_NONE;
    return tracker;
}

void
offset_tracker_free(OffsetTracker *tracker)
{
    if (tracker == NULL)
        return;
    free(tracker->ring);
    free(tracker);
}

static Entry *
entry_at(const OffsetTracker *tracker, size_t index)
{
    return &tracker->ring[(tracker->head + index) & (tracker->capacity - 1)];
}

static bool
ring_grow(OffsetTracker *tracker)
{
    const size_t capacity = tracker->capacity > 0 ? tracker->capacity * 2 : TRACKER_FIRST_CAPACITY;
    Entry *ring = calloc(capacity, sizeof(*ring));
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < tracker->count; i++)
        ring[i] = *entry_at(tracker, i);
    free(tracker->ring);
    tracker->ring = ring;
    tracker->capacity = capacity;
    tracker->head = 0;
    return true;
}

OffsetStart
offset_tracker_start(OffsetTracker *tracker, int64_t offset)
{
    if (offset < tracker->position)
        return OFFSET_BELOW;
    if (tracker->count == tracker->capacity && !ring_grow(tracker))
        return OFFSET_OUT_OF_MEMORY;
    *entry_at(tracker, tracker->count) = (Entry){.offset = offset};
    tracker->count++;
    tracker->unfinished++;
    tracker->position = offset + 1;
    return OFFSET_STARTED;
}

/* The index of the first entry at or above `offset`; `count` when there is none. */
static size_t
ring_find(const OffsetTracker *tracker, int64_t offset)
{
    size_t low = 0;
    size_t high = tracker->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (entry_at(tracker, middle)->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
ring_drop_finished(OffsetTracker *tracker)
{
    while (tracker->count > 0 && entry_at(tracker, 0)->finished) {
        tracker->head = (tracker->head + 1) & (tracker->capacity - 1);
        tracker->count--;
    }
}

bool
offset_tracker_finish(OffsetTracker *tracker, int64_t offset, Error *err)
{
    /* What lies below the ring has been finished before and is forgotten. */
    if (tracker->position != OFFSET_TRACKER_NONE && offset < offset_tracker_committable(tracker))
        return true;
    const size_t index = ring_find(tracker, offset);
    if (index == tracker->count || entry_at(tracker, index)->offset != offset)
        return error_set(err, ERROR_FATAL, "offset_unknown",
                         "offset %" PRId64 " is finished but was never started", offset);
    Entry *entry = entry_at(tracker, index);
    if (entry->finished)
        return true;
    entry->finished = true;
    tracker->unfinished--;
    ring_drop_finished(tracker);
    return true;
}

int64_t
offset_tracker_committable(const OffsetTracker *tracker)
{
    return tracker->count > 0 ? entry_at(tracker, 0)->offset : tracker->position;
}

int64_t
offset_tracker_position(const OffsetTracker *tracker)
{
    return tracker->position;
}

size_t
offset_tracker_in_flight(const OffsetTracker *tracker)
{
    return tracker->unfinished;
}

size_t
offset_tracker_finished_ahead(const OffsetTracker *tracker)
{
    return tracker->count - tracker->unfinished;
}

int64_t
offset_tracker_ahead_at(const OffsetTracker *tracker, size_t index)
{
    for (size_t i = 0; i < tracker->count; i++) {
        const Entry *entry = entry_at(tracker, i);
        if (entry->finished && index-- == 0)
            return entry->offset;
    }
    return OFFSET_TRACKER_NONE;
}

#include "worker/pipeline/lane.h"

#include <stdatomic.h>

struct Lane {
    atomic_int references;
    atomic_int state;
    atomic_int busy;
    int32_t partition;
    uint64_t epoch;
    OffsetTracker *tracker;
    size_t bytes;
    int64_t committed;
    bool paused;
};

Lane *
lane_new(int32_t partition, uint64_t epoch)
{
    Lane *lane = calloc(1, sizeof(*lane));
    OffsetTracker *tracker = offset_tracker_new();
    if (lane == NULL || tracker == NULL) {
        offset_tracker_free(tracker);
        free(lane);
        return NULL;
    }
    atomic_init(&lane->references, 1);
    atomic_init(&lane->state, LANE_OPEN);
    atomic_init(&lane->busy, 0);
    lane->partition = partition;
    lane->epoch = epoch;
    lane->tracker = tracker;
    lane->committed = OFFSET_TRACKER_NONE;
    return lane;
}

Lane *
lane_ref(Lane *lane)
{
    atomic_fetch_add(&lane->references, 1);
    return lane;
}

void
lane_unref(Lane *lane)
{
    if (lane == NULL || atomic_fetch_sub(&lane->references, 1) > 1)
        return;
    offset_tracker_free(lane->tracker);
    free(lane);
}

int32_t
lane_partition(const Lane *lane)
{
    return lane->partition;
}

uint64_t
lane_epoch(const Lane *lane)
{
    return lane->epoch;
}

LaneState
lane_state(const Lane *lane)
{
    return (LaneState)atomic_load(&lane->state);
}

void
lane_set_state(Lane *lane, LaneState state)
{
    if ((int)state > atomic_load(&lane->state))
        atomic_store(&lane->state, (int)state);
}

void
lane_busy_begin(Lane *lane)
{
    atomic_fetch_add(&lane->busy, 1);
}

void
lane_busy_end(Lane *lane)
{
    atomic_fetch_sub(&lane->busy, 1);
}

int
lane_busy(const Lane *lane)
{
    return atomic_load(&lane->busy);
}

OffsetStart
lane_accept(Lane *lane, int64_t offset, size_t size_bytes)
{
    const OffsetStart start = offset_tracker_start(lane->tracker, offset);
    if (start != OFFSET_STARTED)
        return start;
    lane->bytes += size_bytes;
    /* Where the assignment began is what the group has committed; saying so again would be idle. */
    if (lane->committed == OFFSET_TRACKER_NONE)
        lane->committed = offset;
    return start;
}

bool
lane_finish(Lane *lane, int64_t offset, size_t size_bytes, Error *err)
{
    const size_t before = offset_tracker_in_flight(lane->tracker);
    if (!offset_tracker_finish(lane->tracker, offset, err))
        return error_wrap(err, "partition %d", lane->partition);
    if (offset_tracker_in_flight(lane->tracker) < before)
        lane->bytes -= size_bytes < lane->bytes ? size_bytes : lane->bytes;
    return true;
}

int64_t
lane_commit_offset(const Lane *lane)
{
    const int64_t offset = offset_tracker_committable(lane->tracker);
    return offset > lane->committed ? offset : OFFSET_TRACKER_NONE;
}

void
lane_committed(Lane *lane, int64_t offset)
{
    lane->committed = offset;
}

void
lane_commit_failed(Lane *lane)
{
    lane->committed = OFFSET_TRACKER_NONE;
}

LaneFlow
lane_flow(Lane *lane, const LaneMarks *marks)
{
    const size_t commands = offset_tracker_in_flight(lane->tracker);
    const size_t ahead = offset_tracker_finished_ahead(lane->tracker);
    if (!lane->paused && (commands >= marks->high_commands || lane->bytes >= marks->high_bytes ||
                          ahead >= marks->high_ahead)) {
        lane->paused = true;
        return LANE_FLOW_PAUSE;
    }
    if (lane->paused && commands <= marks->high_commands / 2 &&
        lane->bytes <= marks->high_bytes / 2 && ahead <= marks->high_ahead / 2) {
        lane->paused = false;
        return LANE_FLOW_RESUME;
    }
    return LANE_FLOW_KEEP;
}

size_t
lane_commands(const Lane *lane)
{
    return offset_tracker_in_flight(lane->tracker);
}

#include "worker/pipeline/queue/lane.h"

#include "common/bug.h"

#include <pthread.h>
#include <stdatomic.h>

struct Lane {
    atomic_int references;
    atomic_int state;
    atomic_int busy;
    int32_t partition;
    KafkaMembership *membership;
    pthread_mutex_t lock; /* of the tracker */
    OffsetTracker *tracker;
    atomic_bool uncommitted; /* cleared under the lock, so that no finish is lost */
    int64_t position;
    size_t bytes;
    bool paused;
};

Lane *
lane_new(int32_t partition, KafkaMembership *membership)
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
    atomic_init(&lane->uncommitted, false);
    pthread_mutex_init(&lane->lock, NULL);
    lane->partition = partition;
    lane->membership = kafka_membership_ref(membership);
    lane->tracker = tracker;
    lane->position = OFFSET_TRACKER_NONE;
    return lane;
}

Lane *
lane_new_after(const Lane *lane)
{
    return lane_new(lane->partition, lane->membership);
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
    kafka_membership_unref(lane->membership);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}

Lane *
lane_ref_busy(Lane *lane)
{
    atomic_fetch_add(&lane->busy, 1);
    return lane_ref(lane);
}

void
lane_unref_busy(Lane *lane)
{
    atomic_fetch_sub(&lane->busy, 1);
    lane_unref(lane);
}

int
lane_busy(const Lane *lane)
{
    return atomic_load(&lane->busy);
}

int32_t
lane_partition(const Lane *lane)
{
    return lane->partition;
}

const KafkaMembership *
lane_membership(const Lane *lane)
{
    return lane->membership;
}

LaneState
lane_state(const Lane *lane)
{
    return (LaneState)atomic_load(&lane->state);
}

static const char *
state_name(LaneState state)
{
    switch (state) {
    case LANE_OPEN:
        return "open";
    case LANE_CLOSING:
        return "closing";
    case LANE_DEAD:
        return "dead";
    }
    return "?";
}

void
lane_set_state(Lane *lane, LaneState state)
{
    const LaneState from = lane_state(lane);
    if (state <= from)
        bug_transition("lane", state_name(from), state_name(state));
    atomic_store(&lane->state, (int)state);
}

bool
lane_resume(Lane *lane, int64_t committed, const char *metadata)
{
    pthread_mutex_lock(&lane->lock);
    const bool resumed = offset_tracker_resume(lane->tracker, committed, metadata);
    pthread_mutex_unlock(&lane->lock);
    lane->position = committed;
    return resumed;
}

OffsetStart
lane_accept(Lane *lane, int64_t offset, size_t size_bytes)
{
    pthread_mutex_lock(&lane->lock);
    const OffsetStart start = offset_tracker_start(lane->tracker, offset);
    pthread_mutex_unlock(&lane->lock);
    if (start == OFFSET_STARTED)
        lane->bytes += size_bytes;
    if (start == OFFSET_STARTED || start == OFFSET_WAS_FINISHED)
        lane->position = offset + 1;
    return start;
}

bool
lane_finish(Lane *lane, int64_t offset, Error *err)
{
    pthread_mutex_lock(&lane->lock);
    const bool finished = offset_tracker_finish(lane->tracker, offset, err);
    atomic_store(&lane->uncommitted, true);
    pthread_mutex_unlock(&lane->lock);
    return finished || error_wrap(err, "partition %d", lane->partition);
}

void
lane_offer(Lane *lane, int64_t offset)
{
    pthread_mutex_lock(&lane->lock);
    offset_tracker_offer(lane->tracker, offset);
    pthread_mutex_unlock(&lane->lock);
}

void
lane_withdraw(Lane *lane, int64_t offset)
{
    pthread_mutex_lock(&lane->lock);
    offset_tracker_withdraw(lane->tracker, offset);
    pthread_mutex_unlock(&lane->lock);
}

bool
lane_is_offered(Lane *lane, int64_t offset)
{
    pthread_mutex_lock(&lane->lock);
    const bool offered = offset_tracker_is_offered(lane->tracker, offset);
    pthread_mutex_unlock(&lane->lock);
    return offered;
}

bool
lane_plan(Lane *lane, size_t max_bytes, OffsetPlan *ret_plan, Error *err)
{
    pthread_mutex_lock(&lane->lock);
    const bool planned = offset_tracker_plan(lane->tracker, max_bytes, ret_plan, err);
    pthread_mutex_unlock(&lane->lock);
    return planned;
}

bool
lane_has_uncommitted(const Lane *lane)
{
    return atomic_load(&lane->uncommitted);
}

bool
lane_plan_commit(Lane *lane, OffsetPlan *ret_plan, Error *err)
{
    pthread_mutex_lock(&lane->lock);
    const bool planned = offset_tracker_plan(lane->tracker, OFFSET_AHEAD_BYTES_MAX, ret_plan, err);
    atomic_store(&lane->uncommitted, !planned);
    pthread_mutex_unlock(&lane->lock);
    return planned;
}

void
lane_commit_failed(Lane *lane)
{
    atomic_store(&lane->uncommitted, true);
}

int64_t
lane_position(const Lane *lane)
{
    return lane->position;
}

bool
lane_is_paused(const Lane *lane)
{
    return lane->paused;
}

void
lane_release(Lane *lane, size_t size_bytes)
{
    lane->bytes -= size_bytes < lane->bytes ? size_bytes : lane->bytes;
}

LaneFlow
lane_flow(Lane *lane, const LaneMarks *marks)
{
    pthread_mutex_lock(&lane->lock);
    const size_t commands = offset_tracker_in_flight(lane->tracker);
    const size_t ahead = offset_tracker_finished_ahead(lane->tracker);
    pthread_mutex_unlock(&lane->lock);
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

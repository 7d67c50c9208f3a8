#include "worker/pipeline/coordinator/assignment.h"

#include "common/log.h"

enum {
    COMMIT_EVERY_MS = 50,
    COMMIT_PATIENCE_MS = 5000, /* then an answer is no longer waited for */
    COMMIT_FAILED_PAUSE_MS = 1000,
};

static Lane *
make_lane(int32_t partition, const KafkaRebalance *rebalance, const KafkaLookup *lookup)
{
    Lane *lane = lane_new(partition, rebalance->membership);
    const KafkaOffset committed = lookup != NULL ? kafka_lookup_offset(lookup, partition)
                                                 : (KafkaOffset){.offset = KAFKA_OFFSET_NONE};
    if (lane != NULL && committed.offset != KAFKA_OFFSET_NONE &&
        !lane_resume(lane, committed.offset, committed.metadata))
        log_warn("the metadata of a committed offset are not a worker's; commands that were "
                 "finished ahead are looked up in the ledger",
                 LOG_INT("partition", partition), LOG_INT("offset", committed.offset));
    return lane;
}

bool
assignment_begin(Assignment *assignment, const KafkaRebalance *rebalance, const KafkaLookup *lookup,
                 Error *err)
{
    Lane **lanes = calloc(rebalance->count + 1, sizeof(Lane *));
    if (lanes == NULL)
        return error_out_of_memory(err);
    assignment->epoch++;
    for (size_t i = 0; i < rebalance->count; i++) {
        lanes[i] = make_lane(rebalance->partitions[i], rebalance, lookup);
        if (lanes[i] != NULL)
            continue;
        while (i-- > 0)
            lane_unref(lanes[i]);
        free(lanes);
        return error_out_of_memory(err);
    }
    assignment->lanes = lanes;
    assignment->count = rebalance->count;
    return true;
}

Lane *
assignment_lane(const Assignment *assignment, int32_t partition)
{
    for (size_t i = 0; i < assignment->count; i++) {
        if (lane_partition(assignment->lanes[i]) == partition)
            return assignment->lanes[i];
    }
    return NULL;
}

Lane *
assignment_replace_lane(Assignment *assignment, Lane *lane, Batcher *batcher, size_t *ret_dropped)
{
    Lane *replacement = lane_new_after(lane);
    if (replacement == NULL)
        return NULL;
    for (size_t i = 0; i < assignment->count; i++) {
        if (assignment->lanes[i] == lane)
            assignment->lanes[i] = replacement;
    }
    lane_set_state(lane, LANE_DEAD);
    *ret_dropped = batcher_drop_lane(batcher, lane);
    lane_unref(lane);
    return replacement;
}

static size_t
set_state(const Assignment *assignment, LaneState state, Batcher *batcher)
{
    size_t dropped = 0;
    for (size_t i = 0; i < assignment->count; i++) {
        lane_set_state(assignment->lanes[i], state);
        dropped += batcher_drop_lane(batcher, assignment->lanes[i]);
    }
    return dropped;
}

size_t
assignment_close(const Assignment *assignment, Batcher *batcher)
{
    return set_state(assignment, LANE_CLOSING, batcher);
}

size_t
assignment_busy(const Assignment *assignment)
{
    size_t busy = 0;
    for (size_t i = 0; i < assignment->count; i++)
        busy += (size_t)lane_busy(assignment->lanes[i]);
    return busy;
}

size_t
assignment_end(Assignment *assignment, Batcher *batcher)
{
    const size_t dropped = set_state(assignment, LANE_DEAD, batcher);
    for (size_t i = 0; i < assignment->count; i++)
        lane_unref(assignment->lanes[i]);
    free(assignment->lanes);
    assignment->lanes = NULL;
    assignment->count = 0;
    return dropped;
}

/* What a refused commit carried is to be committed again. */
static void
note_failed_commits(Assignment *assignment, const KafkaConsumer *consumer)
{
    const size_t failed = kafka_consumer_commits_failed(consumer);
    if (failed == assignment->commits_failed)
        return;
    assignment->commits_failed = failed;
    for (size_t i = 0; i < assignment->count; i++)
        lane_commit_failed(assignment->lanes[i]);
    assignment->committed_ms += COMMIT_FAILED_PAUSE_MS;
}

static bool
may_commit(const Assignment *assignment, const KafkaConsumer *consumer, int64_t now_ms)
{
    const int64_t since_ms = now_ms - assignment->committed_ms;
    return since_ms >= COMMIT_EVERY_MS &&
           (kafka_consumer_commits_pending(consumer) == 0 || since_ms >= COMMIT_PATIENCE_MS);
}

static bool
has_uncommitted(const Assignment *assignment)
{
    for (size_t i = 0; i < assignment->count; i++) {
        if (lane_has_uncommitted(assignment->lanes[i]))
            return true;
    }
    return false;
}

static size_t
plan_offsets(const Assignment *assignment, OffsetPlan *plans, KafkaOffset *offsets, Error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < assignment->count; i++) {
        Lane *lane = assignment->lanes[i];
        if (!lane_has_uncommitted(lane) || !lane_plan_commit(lane, &plans[count], err))
            continue;
        offsets[count] =
            (KafkaOffset){lane_partition(lane), plans[count].offset, plans[count].metadata};
        count++;
    }
    return count;
}

static void
commit_failed(const Assignment *assignment, const KafkaOffset *offsets, size_t count,
              const Error *err)
{
    log_warn("offsets were not committed", LOG_ERR(err));
    for (size_t i = 0; i < count; i++)
        lane_commit_failed(assignment_lane(assignment, offsets[i].partition));
}

bool
assignment_commit(Assignment *assignment, KafkaConsumer *consumer, const Clock *clock, bool now)
{
    note_failed_commits(assignment, consumer);
    if (!has_uncommitted(assignment))
        return true;
    const int64_t now_ms = clock_monotonic_ms(clock);
    if (!now && !may_commit(assignment, consumer, now_ms))
        return false;
    assignment->committed_ms = now_ms;
    CLEANUP(autofree) KafkaOffset *offsets = calloc(assignment->count, sizeof(*offsets));
    CLEANUP(autofree) OffsetPlan *plans = calloc(assignment->count, sizeof(*plans));
    if (offsets == NULL || plans == NULL)
        return false;
    Error err = {0};
    const size_t count = plan_offsets(assignment, plans, offsets, &err);
    if (kafka_consumer_commit(consumer, offsets, count, &err))
        return true;
    commit_failed(assignment, offsets, count, &err);
    return false;
}

/* What the coordinator does when the broker has moved the position of a partition: its committed
 * offset lies beyond the end or below the beginning of what the topic holds. */
#include "worker/pipeline/coordinator/coordinator_private.h"

#include "common/log.h"

/* The lane that ends has outcomes under way; they are dropped, because the same commands come again
 * if they are still there, and the ledger knows those that were executed. */
static Lane *
begin_anew(Coordinator *self, Lane *lane, const Record *record)
{
    const int64_t old_offset = lane_position(lane);
    const bool paused = lane_is_paused(lane);
    size_t dropped = 0;
    Lane *replacement =
        assignment_replace_lane(&self->assignment, lane, self->shared->batcher, &dropped);
    if (replacement == NULL)
        return NULL;
    self->counts.dropped += (int64_t)dropped;
    Error err = {0};
    if (paused && !kafka_consumer_resume(self->consumer, record->partition, &err))
        log_warn("flow control failed", LOG_INT("partition", record->partition), LOG_ERR(&err));
    log_warn("the broker has set a partition back: its commands are read from there; the ledger "
             "knows which were executed before",
             LOG_STR("topic", record->topic), LOG_INT("partition", record->partition),
             LOG_INT("old_offset", old_offset), LOG_INT("offset", record->offset),
             LOG_INT("dropped", dropped));
    return replacement;
}

/* Markers of transactions leave gaps too; only what the topic has lost makes one that counts. */
static void
warn_of_loss(const Record *record, int64_t position, int64_t first)
{
    if (first <= position)
        return;
    log_warn("the topic no longer holds commands that were not read: they are passed over",
             LOG_STR("topic", record->topic), LOG_INT("partition", record->partition),
             LOG_INT("old_offset", position), LOG_INT("offset", record->offset));
}

/* A record from before the position was read before, unless the broker has begun again: then the
 * topic ends below the position, or it is the topic's first. */
Lane *
coordinator_follow_position(Coordinator *self, Lane *lane, const Record *record)
{
    const int64_t position = lane_position(lane);
    int64_t first;
    int64_t end;
    if (!kafka_consumer_bounds(self->consumer, record->partition, &first, &end))
        return lane;
    if (record->offset > position) {
        warn_of_loss(record, position, first);
        return lane;
    }
    return end < position || record->offset == first ? begin_anew(self, lane, record) : lane;
}

/* What the coordinator does when the commands topic goes away and comes back.
 *
 * librdkafka 2.0.2 does not tell a topic that was made anew from the one before, and reads on at
 * the old offset. And it compares each new list of topics with the one before, not with what the
 * group was assigned by: when a rebalance falls into the time without the topic, its members are
 * assigned nothing, and nothing follows when the topic is back. */
#include "worker/pipeline/coordinator/coordinator_private.h"

#include "common/log.h"

enum {
    CALM_LOOK_EVERY_MS = 30 * 1000, /* while other members have all partitions */
    TOPIC_TIMEOUT_MS = 500,
    GROUP_TIMEOUT_MS = 1000,
};

static void
begin_anew(Coordinator *self)
{
    Error err = {0};
    if (self->assignment.count > 0)
        coordinator_lose_partitions(self);
    /* It fails only when the consumer has ended, which the next poll tells. */
    if (!kafka_consumer_resubscribe(self->consumer, &err))
        log_warn("the commands topic was not subscribed to again", LOG_ERR(&err));
}

/* What executors and the publisher have of it belongs to offsets that are no more. */
static void
tell_unpublished(const Coordinator *self)
{
    const size_t unfinished = assignment_busy(&self->assignment);
    if (unfinished > 0)
        log_warn("commands under way when their topic went away: their results are not published; "
                 "the ledger keeps those of executed commands",
                 LOG_STR("topic", self->shared->settings->commands_topic),
                 LOG_INT("unfinished", unfinished));
}

static void
topic_is_away(Coordinator *self, const Error *reason, int64_t now_ms)
{
    self->topic.away = true;
    self->topic.missed = false;
    if (log_limit_allows(&self->topic.news, now_ms))
        log_warn("the commands topic is away: nothing is executed until it is there again; "
                 "kafka-topics.sh --describe --topic shows it",
                 LOG_STR("topic", self->shared->settings->commands_topic), LOG_ERR(reason));
    if (self->assignment.count == 0)
        return;
    tell_unpublished(self);
    begin_anew(self);
}

static void
topic_is_there(Coordinator *self, int64_t now_ms)
{
    const bool was_away = self->topic.away;
    self->topic = (TopicWatch){.look_ms = self->topic.look_ms};
    if (was_away)
        log_info("the commands topic is there again",
                 LOG_STR("topic", self->shared->settings->commands_topic));
    if (self->assignment.count > 0) {
        log_warn("the commands topic was away for a moment: its partitions begin anew from what "
                 "the group has committed",
                 LOG_STR("topic", self->shared->settings->commands_topic));
        tell_unpublished(self);
        begin_anew(self);
    } else if (kafka_consumer_group_is_idle(self->consumer, GROUP_TIMEOUT_MS)) {
        log_warn("no member of the group has a partition of the commands topic: joining again",
                 LOG_STR("topic", self->shared->settings->commands_topic));
        begin_anew(self);
    } else if (!was_away) {
        self->topic.look_ms = now_ms + CALM_LOOK_EVERY_MS;
    }
}

void
coordinator_watch_topic(Coordinator *self)
{
    const int64_t now_ms = coordinator_now_ms(self);
    if (kafka_consumer_missed_topic(self->consumer) && !self->topic.missed) {
        self->topic.missed = true;
        self->topic.look_ms = now_ms;
    }
    if (self->phase != PHASE_RUNNING || now_ms < self->topic.look_ms ||
        (self->assignment.count > 0 && !self->topic.missed))
        return;
    self->topic.look_ms = now_ms + COORDINATOR_LOOK_EVERY_MS;
    Error reason = {0};
    if (kafka_consumer_check_topic(self->consumer, TOPIC_TIMEOUT_MS, &reason))
        topic_is_there(self, now_ms);
    else if (reason.reason == REASON_TOPIC_GONE)
        topic_is_away(self, &reason, now_ms);
    else
        coordinator_tell_consumer_error(self, &reason);
}

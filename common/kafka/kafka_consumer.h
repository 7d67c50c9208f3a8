/*
 * kafka_consumer: one member of a consumer group.
 *
 * Owns:      the group membership, the event file descriptor, rebalances not yet handled, commits
 * under way.
 * Threads:   one thread.
 * Invariant: an assignment changes only when the owner calls _assign or _unassign (or closes): the
 * rebalance itself is only recorded. Offsets are committed by the owner alone.
 */
#ifndef COMMON_KAFKA_KAFKA_CONSUMER_H
#define COMMON_KAFKA_KAFKA_CONSUMER_H

#include "common/kafka/kafka_lookup.h"
#include "common/kafka/kafka_membership.h"
#include "common/record.h"

typedef struct KafkaConsumer KafkaConsumer;

/* Joins nothing yet. Once subscribed, it warns of transactions that keep the topic from being read.
 * ERROR_REJECT names a property that is not accepted. */
bool kafka_consumer_open(const KafkaSettings *settings, KafkaConsumer **ret_consumer,
                         Error *err) MUST_CHECK;

/* Waits until the cluster answers and knows all of the topics. Before kafka_consumer_subscribe
 * only. ERROR_HOLD "kafka_unreachable" or "kafka_refused", ERROR_REJECT "topic_missing" (names the
 * topic). */
bool kafka_consumer_wait(KafkaConsumer *consumer, const char *const *topics, size_t topic_count,
                         int timeout_ms, Error *err) MUST_CHECK;

bool kafka_consumer_subscribe(KafkaConsumer *consumer, const char *topic, Error *err) MUST_CHECK;

/* Becomes readable when there may be something to poll; edge-like, so use a tick as well. Borrowed.
 */
int kafka_consumer_fd(const KafkaConsumer *consumer);

/* session.timeout.ms: how long the group keeps a member that is not heard of. */
int kafka_consumer_session_ms(const KafkaConsumer *consumer);

/* Makes the descriptor unreadable again; poll until KAFKA_POLL_NOTHING afterwards. */
void kafka_consumer_fd_clear(KafkaConsumer *consumer);

typedef enum KafkaPoll {
    KAFKA_POLL_NOTHING, /* for now */
    KAFKA_POLL_RECORD,
    KAFKA_POLL_END,   /* a reader's only: every partition has been read to where it ended */
    KAFKA_POLL_ERROR, /* ERROR_FATAL ends the consumer ("instance_id_in_use": another one, or an
                         earlier request of its own, has its instance_id now), anything else passes
                         by itself */
} KafkaPoll;

/* Serves events and takes the next record, which the caller frees. */
KafkaPoll kafka_consumer_poll(KafkaConsumer *consumer, int timeout_ms, Record **ret_record,
                              Error *err) MUST_CHECK;

typedef enum KafkaRebalanceKind {
    KAFKA_REBALANCE_ASSIGN,
    KAFKA_REBALANCE_REVOKE
} KafkaRebalanceKind;

/* A rebalance that waits for the owner's answer. */
typedef struct KafkaRebalance {
    KafkaRebalanceKind kind;
    bool lost; /* after the fact: another member may own the partitions already */
    const int32_t *partitions;
    size_t count;
    KafkaMembership *membership; /* of an assignment that is not lost; borrowed */
} KafkaRebalance;

/* The oldest rebalance without an answer, or NULL; borrowed until it is answered. */
const KafkaRebalance *kafka_consumer_rebalance(const KafkaConsumer *consumer);

/* Begins to ask what the group has committed for the partitions of the oldest rebalance, of which
 * there must be one. The consumer's descriptor becomes readable when there is an answer. */
bool kafka_consumer_lookup(KafkaConsumer *consumer, KafkaLookup **ret_lookup,
                           Error *err) MUST_CHECK;

/* Answers an assignment: fetching begins at the offset that `lookup` gives, or at the partition's
 * beginning where nothing was committed; partitions are resumed. */
bool kafka_consumer_assign(KafkaConsumer *consumer, const KafkaLookup *lookup,
                           Error *err) MUST_CHECK;

/* Answers any rebalance with owning nothing. */
bool kafka_consumer_unassign(KafkaConsumer *consumer, Error *err) MUST_CHECK;

bool kafka_consumer_pause(KafkaConsumer *consumer, int32_t partition, Error *err) MUST_CHECK;
bool kafka_consumer_resume(KafkaConsumer *consumer, int32_t partition, Error *err) MUST_CHECK;

/* What the broker told with its last answer: the offset of the partition's first record, and that
 * of the next one to be written. False before there was an answer. */
bool kafka_consumer_bounds(const KafkaConsumer *consumer, int32_t partition, int64_t *ret_first,
                           int64_t *ret_end) MUST_CHECK;

/* Whether librdkafka has told, since it was asked last, that the topic or a partition of it is not
 * there. It may be there again. */
bool kafka_consumer_missed_topic(KafkaConsumer *consumer) MUST_CHECK;

/* Asks the brokers for the topic. ERROR_HOLD "topic_missing" or "kafka_refused", or
 * "kafka_unreachable" when there is no answer within `timeout_ms`. */
bool kafka_consumer_check_topic(KafkaConsumer *consumer, int timeout_ms, Error *err) MUST_CHECK;

/* Asks the brokers whether no member of the group has a partition of anything, nor is about to be
 * given one. False when there is no answer within `timeout_ms`. */
bool kafka_consumer_group_is_idle(KafkaConsumer *consumer, int timeout_ms) MUST_CHECK;

/* Joins the group again, with a new look at the topic; what is assigned is revoked first. */
bool kafka_consumer_resubscribe(KafkaConsumer *consumer, Error *err) MUST_CHECK;

/* Begins to commit; the answer is served by kafka_consumer_poll, which warns when it was an error.
 */
bool kafka_consumer_commit(KafkaConsumer *consumer, const KafkaOffset *offsets, size_t count,
                           Error *err) MUST_CHECK;

/* The broker has stored `offset` for the partition; called within kafka_consumer_poll. */
typedef void (*KafkaCommitted)(void *state, int32_t partition, int64_t offset);

/* Who is told of commits that succeeded. */
void kafka_consumer_on_committed(KafkaConsumer *consumer, KafkaCommitted committed, void *state);

/* How many commits have no answer yet. */
size_t kafka_consumer_commits_pending(const KafkaConsumer *consumer);

/* How many commits were refused so far; what they carried has to be committed again. */
size_t kafka_consumer_commits_failed(const KafkaConsumer *consumer);

/* Leaves the group: any rebalance is answered with owning nothing. Waits for the broker at most so
 * long. Only kafka_consumer_close may follow. */
void kafka_consumer_leave(KafkaConsumer *consumer, int timeout_ms);

/* Leaves the group, within some seconds, unless that has been tried, and frees it; NULL is
 * harmless. What is still waiting for a broker cannot be freed: it is left to the end of the
 * process. */
void kafka_consumer_close(KafkaConsumer *consumer);
DEFINE_FREEP(KafkaConsumer, kafka_consumer_close)

#endif

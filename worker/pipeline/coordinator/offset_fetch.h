/*
 * offset_fetch: asks, between an assignment and its answer, what the group has committed.
 *
 * Owns:      the question.
 * Threads:   the coordinator's.
 */
#ifndef WORKER_PIPELINE_COORDINATOR_OFFSET_FETCH_H
#define WORKER_PIPELINE_COORDINATOR_OFFSET_FETCH_H

#include "common/clock.h"
#include "common/kafka/kafka_consumer.h"

typedef struct OffsetFetch {
    KafkaLookup *lookup; /* NULL between two questions */
    int64_t not_before_ms;
} OffsetFetch;

/* For the oldest rebalance of the consumer: READY when fetch->lookup has the answer. After
 * FAILED (`err` tells) it asks again by itself. While a transaction of the partitions' last owner
 * is open, which ends at its time-out, there is no answer. */
KafkaAnswer offset_fetch_poll(OffsetFetch *fetch, KafkaConsumer *consumer, const Clock *clock,
                              Error *err) MUST_CHECK;

void offset_fetch_end(OffsetFetch *fetch);

#endif

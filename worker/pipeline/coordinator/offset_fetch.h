/*
 * offset_fetch: the time between an assignment and its answer, in which it is asked what the group has
 * committed.
 *
 * Owns:      the question.
 * Threads:   the coordinator alone.
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
 * is open, which ends at its time-out, nobody can know. */
KafkaAnswer offset_fetch_poll(OffsetFetch *fetch, KafkaConsumer *consumer, const Clock *clock,
                              Error *err) MUST_CHECK;

void offset_fetch_end(OffsetFetch *fetch);

#endif

/*
 * kafka_membership_private: for the files of common/kafka only: it names librdkafka's types.
 */
#ifndef COMMON_KAFKA_KAFKA_MEMBERSHIP_PRIVATE_H
#define COMMON_KAFKA_KAFKA_MEMBERSHIP_PRIVATE_H

#include "common/kafka/kafka_membership.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* Within the rebalance callback of an assignment alone. NULL when the consumer is no member of its
 * group (any more), or when out of memory. */
KafkaMembership *kafka_membership_take(rd_kafka_t *consumer) MUST_CHECK;

const rd_kafka_consumer_group_metadata_t *
kafka_membership_metadata(const KafkaMembership *membership);

#endif

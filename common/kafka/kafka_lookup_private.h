/*
 * kafka_lookup_private: for the files of common/kafka only: it names librdkafka's types.
 */
#ifndef COMMON_KAFKA_KAFKA_LOOKUP_PRIVATE_H
#define COMMON_KAFKA_KAFKA_LOOKUP_PRIVATE_H

#include "common/kafka/kafka_client.h"
#include "common/kafka/kafka_lookup.h"

/* Asks for these partitions of `topic`; the question stays until it is answered, over outages too.
 * `wake_fd` is written to when there is an answer; -1 for none. */
bool kafka_lookup_begin(rd_kafka_t *handle, const char *group, const char *topic,
                        const int32_t *partitions, size_t count, int wake_fd,
                        KafkaLookup **ret_lookup, Error *err) MUST_CHECK;

#endif

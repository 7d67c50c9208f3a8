/*
 * kafka_producer_private: for the files of common/kafka only: it names librdkafka's types.
 */
#ifndef COMMON_KAFKA_KAFKA_PRODUCER_PRIVATE_H
#define COMMON_KAFKA_KAFKA_PRODUCER_PRIVATE_H

#include "common/kafka/kafka_producer.h"

#include <librdkafka/rdkafka.h>

/* Borrowed. */
rd_kafka_t *kafka_producer_handle(const KafkaProducer *producer);

#endif

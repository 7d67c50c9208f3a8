/*
 * kafka_consumer_private: the inside of a consumer, for kafka_consumer.c and, below it,
 * kafka_consumer_flow.c.
 *
 * Threads:   the consumer's.
 */
#ifndef COMMON_KAFKA_KAFKA_CONSUMER_PRIVATE_H
#define COMMON_KAFKA_KAFKA_CONSUMER_PRIVATE_H

#include "common/kafka/kafka_consumer.h"
#include "common/kafka/kafka_private.h"
#include "common/kafka/open_transactions.h"

typedef struct PendingRebalance {
    KafkaRebalance event;
    int32_t *partitions; /* owned; `event` borrows it */
    rd_kafka_topic_partition_list_t *list;
    struct PendingRebalance *next;
} PendingRebalance;

struct KafkaConsumer {
    KafkaClient client; /* first: callbacks get the consumer and hand it on as the client */
    rd_kafka_queue_t *queue;
    char *topic;
    char *group;
    int event_fd;
    bool subscribed;
    bool closing;
    bool stuck; /* librdkafka still waits for a broker, and its threads use all of this */
    PendingRebalance *first;
    size_t commits_pending;
    size_t commits_failed;
    OpenTransactions open_transactions;
    KafkaCommitted committed;
    void *committed_state;
};

/* librdkafka's callback: looks for transactions that keep the topic's records from being read. */
int kafka_consumer_on_statistics(rd_kafka_t *handle, char *json, size_t size, void *opaque);

#endif

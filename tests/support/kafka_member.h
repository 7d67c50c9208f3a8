/*
 * kafka_member: one consumer of a group, step by step, for tests.
 *
 * Every function fails the test when something takes longer than a minute.
 */
#ifndef TESTS_SUPPORT_KAFKA_MEMBER_H
#define TESTS_SUPPORT_KAFKA_MEMBER_H

#include "common/kafka/kafka_consumer.h"
#include "common/kafka/kafka_transaction.h"

/* Opens a consumer and subscribes; it has not joined yet. */
KafkaConsumer *kafka_member_subscribe(const KafkaSettings *settings, const char *topic);

/* Polls, without a record coming, until the consumer has a rebalance of that kind to answer. */
const KafkaRebalance *kafka_member_wait(KafkaConsumer *consumer, KafkaRebalanceKind kind);

/* Answers an assignment as a worker does: from what the group has committed. */
void kafka_member_assign(KafkaConsumer *consumer);

/* Polls both, answering every rebalance, until each has an assignment; records are dropped. */
void kafka_member_share(KafkaConsumer *first, KafkaConsumer *second);

/* Asks what the group has committed, again while a transaction is open, through a
 * producer. The caller frees it. */
KafkaLookup *kafka_member_look_up(KafkaProducer *producer, const char *group, const char *topic,
                                  int32_t partition);

#endif

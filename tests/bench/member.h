/*
 * member: one consumer in a group of its own and one transactional producer, for the programs of
 * this folder that speak to Kafka as a worker does.
 *
 * Owns:      consumer, producer and the membership of the present assignment.
 * Threads:   one thread.
 * Invariant: after member_open the consumer has all partitions of the topic.
 */
#ifndef TESTS_BENCH_MEMBER_H
#define TESTS_BENCH_MEMBER_H

#include "common/kafka/kafka_consumer.h"
#include "common/kafka/kafka_transaction.h"

enum {
    MEMBER_PATIENCE_MS = 60 * 1000,
};

typedef struct Member {
    const char *commands;
    KafkaConsumer *consumer;
    KafkaProducer *producer;
    KafkaMembership *membership;
} Member;

/* Joins the group of `name`, which is the transactional id too; fetching begins at the beginning.
 * `commands` is borrowed. */
bool member_open(const char *bootstrap, const char *name, const char *commands, Member *ret_member,
                 Error *err) MUST_CHECK;

/* Sends to `topic` within the open transaction, however long the queue is full. */
bool member_send(const Member *member, const char *topic, Bytes key, Bytes value,
                 Error *err) MUST_CHECK;

/* Adds the offsets while the records are still on their way, then waits for their reports and
 * commits: the quickest order there is. */
bool member_commit(const Member *member, const KafkaOffset *offsets, size_t count,
                   Error *err) MUST_CHECK;

void member_close(Member *member);

#endif

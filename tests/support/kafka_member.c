#include "tests/support/kafka_member.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    PATIENCE_MS = 60 * 1000,
    POLL_MS = 50,
};

static int64_t
deadline_ms(void)
{
    return clock_monotonic_ms(clock_system()) + PATIENCE_MS;
}

static void
assert_in_time(int64_t until_ms)
{
    assert_true(clock_monotonic_ms(clock_system()) < until_ms);
}

KafkaConsumer *
kafka_member_subscribe(const KafkaSettings *settings, const char *topic)
{
    Error err = {0};
    KafkaConsumer *consumer = NULL;
    assert_true(kafka_consumer_open(settings, &consumer, &err));
    assert_true(kafka_consumer_wait(consumer, &topic, 1, PATIENCE_MS, &err));
    assert_true(kafka_consumer_subscribe(consumer, topic, &err));
    return consumer;
}

const KafkaRebalance *
kafka_member_wait(KafkaConsumer *consumer, KafkaRebalanceKind kind)
{
    const int64_t until_ms = deadline_ms();
    while (kafka_consumer_rebalance(consumer) == NULL) {
        Error err = {0};
        CLEANUP(record_freep) Record *record = NULL;
        assert_in_time(until_ms);
        assert_int_equal(kafka_consumer_poll(consumer, POLL_MS, &record, &err), KAFKA_POLL_NOTHING);
    }
    assert_int_equal(kafka_consumer_rebalance(consumer)->kind, kind);
    return kafka_consumer_rebalance(consumer);
}

/* Frees the question when it has to be asked again. */
static bool
is_answered(KafkaLookup **lookup, int64_t until_ms)
{
    Error err = {0};
    KafkaAnswer answer = KAFKA_ANSWER_PENDING;
    while (answer == KAFKA_ANSWER_PENDING) {
        assert_in_time(until_ms);
        answer = kafka_lookup_poll(*lookup, POLL_MS, &err);
    }
    if (answer == KAFKA_ANSWER_READY)
        return true;
    kafka_lookup_freep(lookup);
    return false;
}

KafkaLookup *
kafka_member_look_up(KafkaProducer *producer, const char *group, const char *topic,
                     int32_t partition)
{
    Error err = {0};
    KafkaLookup *lookup = NULL;
    const KafkaQuestion question = {group, topic, &partition, 1};
    const int64_t until_ms = deadline_ms();
    do {
        assert_true(kafka_producer_lookup(producer, &question, &lookup, &err));
    } while (!is_answered(&lookup, until_ms));
    return lookup;
}

void
kafka_member_assign(KafkaConsumer *consumer)
{
    Error err = {0};
    CLEANUP(kafka_lookup_freep) KafkaLookup *lookup = NULL;
    const int64_t until_ms = deadline_ms();
    assert_non_null(kafka_consumer_rebalance(consumer)->membership);
    do {
        assert_true(kafka_consumer_lookup(consumer, &lookup, &err));
    } while (!is_answered(&lookup, until_ms));
    assert_true(kafka_consumer_assign(consumer, lookup, &err));
}

/* True when this poll brought an assignment. */
static bool
poll_and_answer(KafkaConsumer *consumer)
{
    Error err = {0};
    CLEANUP(record_freep) Record *record = NULL;
    assert_int_not_equal(kafka_consumer_poll(consumer, POLL_MS, &record, &err), KAFKA_POLL_ERROR);
    const KafkaRebalance *rebalance = kafka_consumer_rebalance(consumer);
    if (rebalance == NULL)
        return false;
    if (rebalance->kind == KAFKA_REBALANCE_ASSIGN) {
        kafka_member_assign(consumer);
        return true;
    }
    assert_true(kafka_consumer_unassign(consumer, &err));
    return false;
}

void
kafka_member_share(KafkaConsumer *first, KafkaConsumer *second)
{
    bool first_has = false;
    bool second_has = false;
    const int64_t until_ms = deadline_ms();
    while (!first_has || !second_has) {
        assert_in_time(until_ms);
        first_has |= poll_and_answer(first);
        second_has |= poll_and_answer(second);
    }
}

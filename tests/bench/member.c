#include "tests/bench/member.h"

#include "common/clock.h"

enum {
    POLL_MS = 10,
    CALL_MS = 1000,
};

static bool
in_time(int64_t until_ms, const char *what, Error *err)
{
    return clock_monotonic_ms(clock_system()) < until_ms ||
           error_set(err, REASON_KAFKA_UNREACHABLE, "%s took longer than %d ms", what,
                     MEMBER_PATIENCE_MS);
}

static int64_t
deadline_ms(void)
{
    return clock_monotonic_ms(clock_system()) + MEMBER_PATIENCE_MS;
}

static bool
wait_for_rebalance(KafkaConsumer *consumer, Error *err)
{
    const int64_t until_ms = deadline_ms();
    while (kafka_consumer_rebalance(consumer) == NULL) {
        CLEANUP(record_freep) Record *record = NULL;
        if (!in_time(until_ms, "joining the group", err) ||
            kafka_consumer_poll(consumer, POLL_MS, &record, err) == KAFKA_POLL_ERROR)
            return false;
    }
    return true;
}

/* Nothing was ever committed by this group, so one answer settles it. */
static bool
accept_assignment(Member *member, Error *err)
{
    CLEANUP(kafka_lookup_freep) KafkaLookup *lookup = NULL;
    KafkaAnswer answer = KAFKA_ANSWER_PENDING;
    const int64_t until_ms = deadline_ms();
    member->membership =
        kafka_membership_ref(kafka_consumer_rebalance(member->consumer)->membership);
    if (!kafka_consumer_lookup(member->consumer, &lookup, err))
        return false;
    while (answer == KAFKA_ANSWER_PENDING && in_time(until_ms, "looking up offsets", err))
        answer = kafka_lookup_poll(lookup, POLL_MS, err);
    return answer == KAFKA_ANSWER_READY && kafka_consumer_assign(member->consumer, lookup, err);
}

static bool
settle(const Member *member, KafkaTxn (*step)(KafkaProducer *, int, Error *), Error *err)
{
    const int64_t until_ms = deadline_ms();
    KafkaTxn ending = KAFKA_TXN_AGAIN;
    while (ending == KAFKA_TXN_AGAIN && in_time(until_ms, "a step of a transaction", err))
        ending = step(member->producer, CALL_MS, err);
    return ending == KAFKA_TXN_OK;
}

bool
member_open(const char *bootstrap, const char *name, const char *commands, Member *ret_member,
            Error *err)
{
    const KafkaSettings settings = {
        .bootstrap_servers = bootstrap, .group_id = name, .client_id = name};
    Member member = {.commands = commands};
    if (kafka_consumer_open(&settings, &member.consumer, err) &&
        kafka_consumer_wait(member.consumer, &commands, 1, MEMBER_PATIENCE_MS, err) &&
        kafka_consumer_subscribe(member.consumer, commands, err) &&
        wait_for_rebalance(member.consumer, err) && accept_assignment(&member, err) &&
        kafka_producer_open_transactional(&settings, name, NULL, NULL, &member.producer, err) &&
        settle(&member, kafka_producer_init_transactions, err)) {
        *ret_member = member;
        return true;
    }
    member_close(&member);
    return false;
}

bool
member_send(const Member *member, const char *topic, Bytes key, Bytes value, Error *err)
{
    const Record record = {.topic = topic,
                           .partition = -1,
                           .offset = -1,
                           .timestamp_ms = -1,
                           .key = key,
                           .value = value};
    KafkaSend sent = KAFKA_SEND_QUEUE_FULL;
    while ((sent = kafka_producer_send(member->producer, &record, NULL, err)) ==
           KAFKA_SEND_QUEUE_FULL)
        (void)kafka_producer_poll(member->producer, POLL_MS);
    return sent == KAFKA_SEND_OK;
}

bool
member_commit(const Member *member, const KafkaOffset *offsets, size_t count, Error *err)
{
    if (kafka_producer_send_offsets(member->producer, member->membership, member->commands, offsets,
                                    count, MEMBER_PATIENCE_MS, err) != KAFKA_TXN_OK)
        return false;
    while (kafka_producer_in_flight(member->producer) > 0)
        (void)kafka_producer_poll(member->producer, POLL_MS);
    return settle(member, kafka_producer_commit, err);
}

void
member_close(Member *member)
{
    kafka_producer_close(member->producer);
    kafka_consumer_close(member->consumer);
    kafka_membership_unref(member->membership);
    *member = (Member){0};
}

/*
 * The fence of exactly-once delivery, on a real broker: whoever is no longer, or not yet, a member
 * of the group moves no offset and publishes nothing. TEST_KAFKA names the broker.
 */
#include "common/clock.h"
#include "common/kafka/kafka_admin.h"
#include "common/kafka/kafka_reader.h"
#include "common/kafka/kafka_transaction.h"
#include "tests/support/kafka_member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    PATIENCE_MS = 60 * 1000,
    CALL_MS = 1000,
    SKIPPED = 77,
    NAME_BYTES = 64,
    COMMITTED_BEFORE = 5,
    METADATA_TOO_MUCH = 5000,
    PARTITIONS = 6,
    SEGMENT_MS = 86400000,
    MESSAGE_BYTES = 1048576,
};

/* Names of their own for each test. */
typedef struct Names {
    char commands[NAME_BYTES];
    char results[NAME_BYTES];
    char group[NAME_BYTES];
    char producer[NAME_BYTES];
    KafkaSettings settings;
} Names;

static Names names;

static bool
make_topics(void)
{
    const char *const topics[] = {names.commands, names.results};
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = NULL;
    Error err = {0};
    int brokers;
    bool made = kafka_admin_open(&names.settings, PATIENCE_MS, &admin, &brokers, &err);
    for (size_t i = 0; i < ARRAY_LEN(topics) && made; i++) {
        const KafkaNewTopic topic = {.name = topics[i],
                                     .partitions = PARTITIONS,
                                     .replicas = 1,
                                     .retention_ms = KAFKA_FOR_EVER,
                                     .segment_ms = SEGMENT_MS,
                                     .max_message_bytes = MESSAGE_BYTES,
                                     .min_insync_replicas = 1};
        made = kafka_admin_make(admin, &topic, PATIENCE_MS, &err) == KAFKA_MADE;
    }
    return made;
}

static int
set_up(void **state)
{
    (void)state;
    static int number;
    static const char *const properties[] = {"session.timeout.ms", "heartbeat.interval.ms"};
    static const char *const values[] = {"6000", "500"};
    number++;
    (void)snprintf(names.commands, NAME_BYTES, "fence.%d.%d.commands", getpid(), number);
    (void)snprintf(names.results, NAME_BYTES, "fence.%d.%d.results", getpid(), number);
    (void)snprintf(names.group, NAME_BYTES, "fence.%d.%d", getpid(), number);
    (void)snprintf(names.producer, NAME_BYTES, "fence.%d.%d", getpid(), number);
    names.settings = (KafkaSettings){.bootstrap_servers = getenv("TEST_KAFKA"),
                                     .group_id = names.group,
                                     .client_id = "fence",
                                     .names = properties,
                                     .values = values,
                                     .property_count = ARRAY_LEN(properties)};
    return make_topics() ? 0 : -1;
}

static KafkaTxn
init(KafkaProducer *producer)
{
    Error err = {0};
    KafkaTxn ending = KAFKA_TXN_AGAIN;
    for (int i = 0; i < PATIENCE_MS / CALL_MS && ending == KAFKA_TXN_AGAIN; i++)
        ending = kafka_producer_init_transactions(producer, CALL_MS, &err);
    return ending;
}

static KafkaProducer *
open_producer(void)
{
    Error err = {0};
    KafkaProducer *producer = NULL;
    assert_true(kafka_producer_open_transactional(&names.settings, names.producer, NULL, NULL,
                                                  &producer, &err));
    assert_int_equal(init(producer), KAFKA_TXN_OK);
    return producer;
}

static void
begin_with_result(KafkaProducer *producer)
{
    Error err = {0};
    const Record record = {.topic = names.results,
                           .partition = -1,
                           .offset = -1,
                           .timestamp_ms = -1,
                           .key = BYTES_TEXT("id"),
                           .value = BYTES_TEXT("{}")};
    assert_int_equal(kafka_producer_begin(producer, &err), KAFKA_TXN_OK);
    assert_int_equal(kafka_producer_send(producer, &record, NULL, &err), KAFKA_SEND_OK);
    while (kafka_producer_in_flight(producer) > 0)
        (void)kafka_producer_poll(producer, 10);
}

static KafkaTxn
send_offset(KafkaProducer *producer, const KafkaMembership *membership, int64_t offset,
            const char *metadata)
{
    Error err = {0};
    const KafkaOffset moved = {.partition = 0, .offset = offset, .metadata = metadata};
    const KafkaOffsets offsets = {names.commands, &moved, 1};
    return kafka_producer_send_offsets(producer, membership, &offsets, PATIENCE_MS, &err);
}

static KafkaTxn
commit(KafkaProducer *producer)
{
    Error err = {0};
    KafkaTxn ending = KAFKA_TXN_AGAIN;
    for (int i = 0; i < PATIENCE_MS / CALL_MS && ending == KAFKA_TXN_AGAIN; i++)
        ending = kafka_producer_commit(producer, CALL_MS, &err);
    return ending;
}

static void
abort_it(KafkaProducer *producer)
{
    Error err = {0};
    KafkaTxn ending = KAFKA_TXN_AGAIN;
    for (int i = 0; i < PATIENCE_MS / CALL_MS && ending == KAFKA_TXN_AGAIN; i++)
        ending = kafka_producer_abort(producer, CALL_MS, &err);
    assert_int_equal(ending, KAFKA_TXN_OK);
}

/* What the group has committed for partition 0; the metadata must be `metadata`. */
static int64_t
committed(KafkaProducer *producer, const char *metadata)
{
    CLEANUP(kafka_lookup_freep)
    KafkaLookup *lookup = kafka_member_look_up(producer, names.group, names.commands, 0);
    const KafkaOffset found = kafka_lookup_offset(lookup, 0);
    assert_string_equal(found.metadata != NULL ? found.metadata : "", metadata);
    return found.offset;
}

static int
results_seen(void)
{
    Error err = {0};
    int count = 0;
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    assert_true(kafka_reader_open(&names.settings, names.results, 0, PATIENCE_MS, &reader, &err));
    for (;;) {
        CLEANUP(record_freep) Record *record = NULL;
        const KafkaPoll result = kafka_reader_poll(reader, 100, &record, &err);
        if (result == KAFKA_POLL_END)
            return count;
        count += result == KAFKA_POLL_RECORD;
    }
}

/* A member with all partitions, whose producer has committed one result and one offset. */
static KafkaMembership *
begin_as_member(KafkaConsumer **ret_consumer, KafkaProducer **ret_producer)
{
    *ret_consumer = kafka_member_subscribe(&names.settings, names.commands);
    KafkaMembership *membership =
        kafka_membership_ref(kafka_member_wait(*ret_consumer, KAFKA_REBALANCE_ASSIGN)->membership);
    assert_non_null(membership);
    kafka_member_assign(*ret_consumer);
    *ret_producer = open_producer();
    begin_with_result(*ret_producer);
    assert_int_equal(send_offset(*ret_producer, membership, COMMITTED_BEFORE, "ahead"),
                     KAFKA_TXN_OK);
    assert_int_equal(commit(*ret_producer), KAFKA_TXN_OK);
    assert_int_equal(committed(*ret_producer, "ahead"), COMMITTED_BEFORE);
    assert_int_equal(results_seen(), 1);
    return membership;
}

static void
expect_refused(KafkaProducer *producer, const KafkaMembership *membership)
{
    begin_with_result(producer);
    assert_int_equal(send_offset(producer, membership, COMMITTED_BEFORE + 1, NULL),
                     KAFKA_TXN_ABORT);
    abort_it(producer);
    assert_int_equal(committed(producer, "ahead"), COMMITTED_BEFORE);
    assert_int_equal(results_seen(), 1);
}

static void
test_offsets_of_an_older_generation_are_refused(void **state)
{
    (void)state;
    CLEANUP(kafka_consumer_closep) KafkaConsumer *first = NULL;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    CLEANUP(kafka_membership_unrefp)
    KafkaMembership *membership = begin_as_member(&first, &producer);
    CLEANUP(kafka_consumer_closep)
    KafkaConsumer *second = kafka_member_subscribe(&names.settings, names.commands);
    kafka_member_share(first, second);
    expect_refused(producer, membership);
}

static void
test_offsets_of_a_member_that_has_left_are_refused(void **state)
{
    (void)state;
    CLEANUP(kafka_consumer_closep) KafkaConsumer *first = NULL;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    CLEANUP(kafka_membership_unrefp)
    KafkaMembership *membership = begin_as_member(&first, &producer);
    kafka_consumer_close(first);
    first = kafka_member_subscribe(&names.settings, names.commands);
    (void)kafka_member_wait(first, KAFKA_REBALANCE_ASSIGN);
    expect_refused(producer, membership);
}

/* The membership of the next assignment is a new one, although nobody else came between. */
static void
test_offsets_of_the_present_generation_are_taken(void **state)
{
    (void)state;
    CLEANUP(kafka_consumer_closep) KafkaConsumer *first = NULL;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    CLEANUP(kafka_membership_unrefp)
    KafkaMembership *membership = begin_as_member(&first, &producer);
    begin_with_result(producer);
    assert_int_equal(send_offset(producer, membership, COMMITTED_BEFORE + 1, NULL), KAFKA_TXN_OK);
    assert_int_equal(commit(producer), KAFKA_TXN_OK);
    assert_int_equal(committed(producer, ""), COMMITTED_BEFORE + 1);
    assert_int_equal(results_seen(), 2);
}

static void
test_a_consumer_that_has_not_joined_has_no_membership(void **state)
{
    (void)state;
    CLEANUP(kafka_consumer_closep)
    KafkaConsumer *consumer = kafka_member_subscribe(&names.settings, names.commands);
    /* A membership comes with a rebalance, and there is none before the consumer has joined. */
    assert_null(kafka_consumer_rebalance(consumer));
}

static void
test_commit_after_a_second_producer_of_the_id_is_fenced(void **state)
{
    (void)state;
    CLEANUP(kafka_consumer_closep) KafkaConsumer *consumer = NULL;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    CLEANUP(kafka_membership_unrefp)
    KafkaMembership *membership = begin_as_member(&consumer, &producer);
    begin_with_result(producer);
    assert_int_equal(send_offset(producer, membership, COMMITTED_BEFORE + 1, NULL), KAFKA_TXN_OK);
    CLEANUP(kafka_producer_closep) KafkaProducer *second = open_producer();
    assert_int_equal(commit(producer), KAFKA_TXN_FENCED);
    assert_int_equal(committed(second, "ahead"), COMMITTED_BEFORE);
    assert_int_equal(results_seen(), 1);
}

static void
test_lookup_waits_while_a_transaction_could_change_the_answer(void **state)
{
    (void)state;
    Error err = {0};
    const int32_t partition = 0;
    CLEANUP(kafka_consumer_closep) KafkaConsumer *consumer = NULL;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    CLEANUP(kafka_membership_unrefp)
    KafkaMembership *membership = begin_as_member(&consumer, &producer);
    begin_with_result(producer);
    assert_int_equal(send_offset(producer, membership, COMMITTED_BEFORE + 1, "next"), KAFKA_TXN_OK);
    CLEANUP(kafka_lookup_freep) KafkaLookup *lookup = NULL;
    const KafkaQuestion question = {names.group, names.commands, &partition, 1};
    assert_true(kafka_producer_lookup(producer, &question, &lookup, &err));
    assert_int_equal(kafka_lookup_poll(lookup, PATIENCE_MS, &err), KAFKA_ANSWER_FAILED);
    assert_string_equal(err.code, "offsets_unstable");
    assert_int_equal(commit(producer), KAFKA_TXN_OK);
    assert_int_equal(committed(producer, "next"), COMMITTED_BEFORE + 1);
}

static void
test_too_much_metadata_aborts_and_says_so(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(kafka_consumer_closep) KafkaConsumer *consumer = NULL;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    CLEANUP(kafka_membership_unrefp)
    KafkaMembership *membership = begin_as_member(&consumer, &producer);
    CLEANUP(autofree) char *metadata = calloc(METADATA_TOO_MUCH + 1, 1);
    assert_non_null(metadata);
    memset(metadata, 'x', METADATA_TOO_MUCH);
    const KafkaOffset moved = {.partition = 0, .offset = 6, .metadata = metadata};
    const KafkaOffsets offsets = {names.commands, &moved, 1};
    begin_with_result(producer);
    assert_int_equal(kafka_producer_send_offsets(producer, membership, &offsets, PATIENCE_MS, &err),
                     KAFKA_TXN_ABORT);
    assert_string_equal(err.code, "metadata_too_large");
    abort_it(producer);
    assert_int_equal(committed(producer, "ahead"), COMMITTED_BEFORE);
}

int
main(void)
{
    if (getenv("TEST_KAFKA") == NULL) {
        print_message("SKIPPED: TEST_KAFKA is not set\n");
        return SKIPPED;
    }
#define CASE(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        CASE(test_offsets_of_an_older_generation_are_refused),
        CASE(test_offsets_of_a_member_that_has_left_are_refused),
        CASE(test_offsets_of_the_present_generation_are_taken),
        CASE(test_a_consumer_that_has_not_joined_has_no_membership),
        CASE(test_commit_after_a_second_producer_of_the_id_is_fenced),
        CASE(test_lookup_waits_while_a_transaction_could_change_the_answer),
        CASE(test_too_much_metadata_aborts_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Consumer, producer and reader against the embedded broker. */
#include "common/clock.h"
#include "common/kafka/dev_broker.h"
#include "common/kafka/kafka_consumer.h"
#include "common/kafka/kafka_producer.h"
#include "common/kafka/kafka_reader.h"
#include "common/kafka/kafka_transaction.h"
#include "tests/support/kafka_member.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    PARTITIONS = 3,
    RECORDS = 50,
    PATIENCE_MS = 60 * 1000,
    TEXT_BYTES = 32,
};

static const char *const topics[] = {"test.in", "test.out"};
static DevBroker *broker;
static KafkaSettings settings;

static int
start_broker(void **state)
{
    (void)state;
    Error err = {0};
    if (!dev_broker_start(PARTITIONS, topics, ARRAY_LEN(topics), &broker, &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    /* The embedded broker keeps a member that has left until its session times out, and delays a
     * first assignment by 3 s, which the session has to outlast. */
    static const char *const names[] = {"session.timeout.ms", "heartbeat.interval.ms"};
    static const char *const values[] = {"5000", "1000"};
    settings = (KafkaSettings){.bootstrap_servers = dev_broker_bootstraps(broker),
                               .group_id = "test-group",
                               .client_id = "test",
                               .names = names,
                               .values = values,
                               .property_count = ARRAY_LEN(names)};
    return 0;
}

static int
stop_broker(void **state)
{
    (void)state;
    dev_broker_stop(broker);
    return 0;
}

static bool
is_late(int64_t started_ms)
{
    return clock_monotonic_ms(clock_system()) - started_ms > PATIENCE_MS;
}

typedef struct Delivered {
    size_t ok;
    size_t failed;
    Error failure;
} Delivered;

static void
on_delivered(void *state, void *opaque, const Error *failure)
{
    Delivered *delivered = state;
    assert_ptr_equal(opaque, delivered);
    if (failure == NULL) {
        delivered->ok++;
        return;
    }
    delivered->failed++;
    delivered->failure = *failure;
}

static void
send_text(KafkaProducer *producer, const char *topic, const char *key, const char *value,
          void *opaque)
{
    const RecordHeader headers[] = {{"first", BYTES_TEXT("1")}, {"empty", {NULL, 0}}};
    const Record record = {.topic = topic,
                           .partition = -1,
                           .offset = -1,
                           .timestamp_ms = -1,
                           .key = BYTES_TEXT(key),
                           .value = BYTES_TEXT(value),
                           .headers = headers,
                           .header_count = ARRAY_LEN(headers)};
    Error err = {0};
    assert_int_equal(kafka_producer_send(producer, &record, opaque, &err), KAFKA_SEND_OK);
}

static void
send_numbers(const char *topic, int from, int count)
{
    Error err = {0};
    Delivered delivered = {0};
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    assert_true(kafka_producer_open(&settings, 0, on_delivered, &delivered, &producer, &err));
    for (int i = from; i < from + count; i++) {
        char text[TEXT_BYTES];
        assert_true(snprintf(text, sizeof(text), "%d", i) > 0);
        send_text(producer, topic, text, text, &delivered);
    }
    assert_true(kafka_producer_flush(producer, PATIENCE_MS, &err));
    assert_int_equal(delivered.ok, count);
    assert_int_equal(delivered.failed, 0);
    assert_int_equal(kafka_producer_in_flight(producer), 0);
}

static int
number_of(const Record *record)
{
    return (int)strtol(record->value.data, NULL, 10);
}

/* Reads `count` records and marks their numbers; returns how many came. */
static int
read_records(KafkaReader *reader, int count, bool *seen)
{
    const int64_t started_ms = clock_monotonic_ms(clock_system());
    int got = 0;
    while (got < count) {
        Error err = {0};
        CLEANUP(record_freep) Record *record = NULL;
        assert_false(is_late(started_ms));
        const KafkaPoll poll_result = kafka_reader_poll(reader, 100, &record, &err);
        assert_int_not_equal(poll_result, KAFKA_POLL_ERROR);
        if (poll_result != KAFKA_POLL_RECORD)
            continue;
        seen[number_of(record)] = true;
        assert_string_equal(record_header(record, "first")->value.data, "1");
        assert_int_equal(record_header(record, "empty")->value.size, 0);
        assert_true(record->timestamp_ms > 0);
        got++;
    }
    return got;
}

static void
test_read_from_beginning_after_sending_returns_every_record(void **state)
{
    (void)state;
    Error err = {0};
    send_numbers("test.out", 0, RECORDS);
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    assert_true(kafka_reader_open(&settings, "test.out", 0, PATIENCE_MS, &reader, &err));
    bool seen[RECORDS] = {false};
    assert_int_equal(read_records(reader, RECORDS, seen), RECORDS);
    for (int i = 0; i < RECORDS; i++)
        assert_true(seen[i]);
    const int64_t started_ms = clock_monotonic_ms(clock_system());
    for (;;) {
        CLEANUP(record_freep) Record *record = NULL;
        assert_false(is_late(started_ms));
        const KafkaPoll result = kafka_reader_poll(reader, 100, &record, &err);
        assert_int_not_equal(result, KAFKA_POLL_RECORD);
        if (result == KAFKA_POLL_END)
            break;
    }
}

static void
test_read_from_end_skips_what_was_there(void **state)
{
    (void)state;
    Error err = {0};
    send_numbers("test.out", 0, RECORDS);
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    assert_true(
        kafka_reader_open(&settings, "test.out", KAFKA_SINCE_NOW, PATIENCE_MS, &reader, &err));
    send_numbers("test.out", RECORDS, 10);
    bool seen[RECORDS + 10] = {false};
    assert_int_equal(read_records(reader, 10, seen), 10);
    for (int i = 0; i < RECORDS; i++)
        assert_false(seen[i]);
}

static void
test_read_from_time_without_lookup_begins_at_beginning(void **state)
{
    (void)state;
    Error err = {0};
    send_numbers("test.out", 0, 5);
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    assert_true(kafka_reader_open(&settings, "test.out",
                                  clock_now_us(clock_system()) / CLOCK_US_PER_MS - 1000,
                                  PATIENCE_MS, &reader, &err));
    bool seen[RECORDS + 10] = {false};
    assert_int_equal(read_records(reader, 5, seen), 5);
}

static void
open_member(KafkaConsumer **ret_consumer)
{
    *ret_consumer = kafka_member_subscribe(&settings, "test.in");
    assert_int_equal(kafka_member_wait(*ret_consumer, KAFKA_REBALANCE_ASSIGN)->count, PARTITIONS);
    kafka_member_assign(*ret_consumer);
    assert_null(kafka_consumer_rebalance(*ret_consumer));
}

/* Waits on the descriptor, then polls everything there is. */
static int
consume(KafkaConsumer *consumer, int count, KafkaOffset *ends)
{
    const int64_t started_ms = clock_monotonic_ms(clock_system());
    int got = 0;
    while (got < count) {
        Error err = {0};
        struct pollfd waiting = {.fd = kafka_consumer_fd(consumer), .events = POLLIN};
        assert_false(is_late(started_ms));
        assert_true(poll(&waiting, 1, 100) >= 0);
        kafka_consumer_fd_clear(consumer);
        for (;;) {
            CLEANUP(record_freep) Record *record = NULL;
            const KafkaPoll result = kafka_consumer_poll(consumer, 0, &record, &err);
            assert_int_not_equal(result, KAFKA_POLL_ERROR);
            if (result == KAFKA_POLL_NOTHING)
                break;
            ends[record->partition] = (KafkaOffset){record->partition, record->offset + 1, NULL};
            got++;
        }
    }
    return got;
}

typedef struct Committed {
    int64_t offsets[PARTITIONS];
} Committed;

static void
on_committed(void *state, int32_t partition, int64_t offset)
{
    Committed *committed = state;
    committed->offsets[partition] = offset;
}

static void
commit_and_wait(KafkaConsumer *consumer, const KafkaOffset *offsets)
{
    Error err = {0};
    const int64_t started_ms = clock_monotonic_ms(clock_system());
    assert_true(kafka_consumer_commit(consumer, offsets, PARTITIONS, &err));
    while (kafka_consumer_commits_pending(consumer) > 0) {
        CLEANUP(record_freep) Record *record = NULL;
        assert_false(is_late(started_ms));
        assert_int_equal(kafka_consumer_poll(consumer, 50, &record, &err), KAFKA_POLL_NOTHING);
    }
    assert_int_equal(kafka_consumer_commits_failed(consumer), 0);
}

/* Of what was fetched: no record lies outside of them. */
static void
knows_bounds(const KafkaConsumer *consumer, const KafkaOffset *ends)
{
    int64_t first = 0;
    int64_t end = 0;
    for (int32_t i = 0; i < PARTITIONS; i++) {
        if (ends[i].offset == 0)
            continue;
        assert_true(kafka_consumer_bounds(consumer, i, &first, &end));
        assert_int_equal(first, 0);
        assert_int_equal(end, ends[i].offset);
    }
    assert_false(kafka_consumer_bounds(consumer, PARTITIONS, &first, &end));
}

static void
test_consume_after_commit_goes_on_behind_it(void **state)
{
    (void)state;
    KafkaOffset ends[PARTITIONS] = {{0, 0, NULL}, {1, 0, NULL}, {2, 0, NULL}};
    Committed committed = {0};
    send_numbers("test.in", 0, RECORDS);
    {
        CLEANUP(kafka_consumer_closep) KafkaConsumer *consumer = NULL;
        open_member(&consumer);
        kafka_consumer_on_committed(consumer, on_committed, &committed);
        assert_int_equal(consume(consumer, RECORDS, ends), RECORDS);
        knows_bounds(consumer, ends);
        commit_and_wait(consumer, ends);
        for (int i = 0; i < PARTITIONS; i++)
            assert_int_equal(committed.offsets[i], ends[i].offset);
    }
    send_numbers("test.in", 0, 7);
    CLEANUP(kafka_consumer_closep) KafkaConsumer *next = NULL;
    open_member(&next);
    KafkaOffset later[PARTITIONS] = {{0, 0, NULL}, {1, 0, NULL}, {2, 0, NULL}};
    assert_int_equal(consume(next, 7, later), 7);
    for (int i = 0; i < PARTITIONS; i++)
        assert_true(later[i].offset == 0 || later[i].offset > ends[i].offset);
    commit_and_wait(next, ends);
}

static void
test_send_to_unreachable_broker_is_told_as_failed(void **state)
{
    (void)state;
    Error err = {0};
    Delivered delivered = {0};
    const KafkaSettings nowhere = {.bootstrap_servers = "127.0.0.1:1"};
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    assert_true(kafka_producer_open(&nowhere, 0, on_delivered, &delivered, &producer, &err));
    send_text(producer, "test.out", "k", "v", &delivered);
    assert_false(kafka_producer_flush(producer, 200, &err));
    assert_string_equal(err.code, "kafka_unreachable");
    kafka_producer_abandon(producer);
    assert_int_equal(delivered.ok, 0);
    assert_int_equal(delivered.failed, 1);
}

static void
test_send_too_large_is_rejected(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    assert_true(kafka_producer_open(&settings, 0, NULL, NULL, &producer, &err));
    const size_t size = kafka_producer_max_bytes(producer) + 1;
    CLEANUP(autofree) char *value = calloc(size, 1);
    assert_non_null(value);
    const Record record = {.topic = "test.out", .partition = -1, .value = {value, size}};
    assert_int_equal(kafka_producer_send(producer, &record, NULL, &err), KAFKA_SEND_FAILED);
    assert_int_equal(err.kind, ERROR_REJECT);
    assert_string_equal(err.code, "message_too_large");
}

static KafkaAnswer
look_up(KafkaProducer *producer, Error *err)
{
    static const int32_t partitions[] = {0, 1};
    const KafkaQuestion question = {"test-group", "test.in", partitions, ARRAY_LEN(partitions)};
    CLEANUP(kafka_lookup_freep) KafkaLookup *lookup = NULL;
    assert_true(kafka_producer_lookup(producer, &question, &lookup, err));
    const KafkaAnswer answer = kafka_lookup_poll(lookup, PATIENCE_MS, err);
    if (answer == KAFKA_ANSWER_READY)
        assert_int_equal(kafka_lookup_offset(lookup, 0).offset, KAFKA_OFFSET_NONE);
    return answer;
}

static void
test_lookup_of_a_producer_outlives_a_coordinator_that_moves(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    assert_true(kafka_producer_open_transactional(&settings, "test", NULL, NULL, &producer, &err));
    dev_broker_move_coordinator(broker, 1);
    assert_int_equal(look_up(producer, &err), KAFKA_ANSWER_FAILED);
    assert_non_null(strstr(err.text, "oordinator"));
    KafkaAnswer answer = KAFKA_ANSWER_FAILED;
    for (int i = 0; i < RECORDS && answer == KAFKA_ANSWER_FAILED; i++)
        answer = look_up(producer, &err);
    assert_int_equal(answer, KAFKA_ANSWER_READY);
}

static void
test_join_group_of_another_assignor_says_so_and_goes_on(void **state)
{
    (void)state;
    Error err = {0};
    Record *record = NULL;
    dev_broker_refuse_joins(broker, 1);
    CLEANUP(kafka_consumer_closep)
    KafkaConsumer *consumer = kafka_member_subscribe(&settings, "test.in");
    KafkaPoll told = KAFKA_POLL_NOTHING;
    for (int i = 0; i < RECORDS && told == KAFKA_POLL_NOTHING; i++)
        told = kafka_consumer_poll(consumer, 100, &record, &err);
    assert_int_equal(told, KAFKA_POLL_ERROR);
    assert_int_equal(err.reason, REASON_ASSIGNOR_DIFFERS);
    assert_non_null(strstr(err.text, settings.group_id));
    assert_int_equal(kafka_member_wait(consumer, KAFKA_REBALANCE_ASSIGN)->count, PARTITIONS);
    kafka_member_assign(consumer);
}

static void
test_wait_for_unreachable_broker_is_a_hold(void **state)
{
    (void)state;
    Error err = {0};
    const KafkaSettings nowhere = {.bootstrap_servers = "127.0.0.1:1", .group_id = "g"};
    CLEANUP(kafka_consumer_closep) KafkaConsumer *consumer = NULL;
    assert_true(kafka_consumer_open(&nowhere, &consumer, &err));
    assert_false(kafka_consumer_wait(consumer, topics, ARRAY_LEN(topics), 1000, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.code, "kafka_unreachable");
}

static void
test_open_with_unknown_property_names_it(void **state)
{
    (void)state;
    Error err = {0};
    const char *const names[] = {"no.such.property"};
    const char *const values[] = {"1"};
    KafkaSettings wrong = settings;
    wrong.names = names;
    wrong.values = values;
    wrong.property_count = 1;
    KafkaConsumer *consumer = NULL;
    assert_false(kafka_consumer_open(&wrong, &consumer, &err));
    assert_null(consumer);
    assert_int_equal(err.kind, ERROR_REJECT);
    assert_non_null(strstr(err.text, "no.such.property"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_from_beginning_after_sending_returns_every_record,
                                        start_broker, stop_broker),
        cmocka_unit_test_setup_teardown(test_read_from_end_skips_what_was_there, start_broker,
                                        stop_broker),
        cmocka_unit_test_setup_teardown(test_read_from_time_without_lookup_begins_at_beginning,
                                        start_broker, stop_broker),
        cmocka_unit_test_setup_teardown(test_consume_after_commit_goes_on_behind_it, start_broker,
                                        stop_broker),
        cmocka_unit_test_setup_teardown(test_send_too_large_is_rejected, start_broker, stop_broker),
        cmocka_unit_test(test_send_to_unreachable_broker_is_told_as_failed),
        cmocka_unit_test_setup_teardown(test_lookup_of_a_producer_outlives_a_coordinator_that_moves,
                                        start_broker, stop_broker),
        cmocka_unit_test_setup_teardown(test_join_group_of_another_assignor_says_so_and_goes_on,
                                        start_broker, stop_broker),
        cmocka_unit_test(test_wait_for_unreachable_broker_is_a_hold),
        cmocka_unit_test_setup_teardown(test_open_with_unknown_property_names_it, start_broker,
                                        stop_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

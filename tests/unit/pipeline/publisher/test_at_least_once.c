/* The delivery with a producer that only pretends: the test says what becomes of each record. */
#include "common/kafka/kafka_producer.h"
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/publisher/delivery.h"

enum {
    START_MS = 1000000,
    PAUSE_MS = 500,
    FULL_PAUSE_MS = 5,
    MAX_BYTES = 100000,
    SENT_MAX = 20,
    TOPIC_BYTES = 20,
    TURN_MS = 7,
    ASIDE_LEAST_MS = 2500, /* the first try of what was set aside comes after half of 5 s */
    ASIDE_MOST_MS = 5000,  /* to all of it */
};

typedef struct Sent {
    char topic[TOPIC_BYTES];
    OutgoingPart *part;
} Sent;

struct KafkaProducer {
    int number;
};

/* The pretended Kafka. */
static struct {
    KafkaProducer producers[2];
    int opened;
    int closed;
    bool open_fails;
    bool broken;
    KafkaSend answer; /* to the next sends */
    ErrorReason refusal;
    KafkaDelivered delivered;
    void *state;
    Sent sent[SENT_MAX];
    size_t bytes;    /* of the last one that was sent */
    size_t count;    /* of those sent */
    size_t reported; /* of those */
    int hastened_ms; /* the last time */
    int hastens;
    int polls;
} kafka;

bool
kafka_producer_open(const KafkaSettings *settings, int message_timeout_ms, KafkaDelivered delivered,
                    void *state, KafkaProducer **ret_producer, Error *err)
{
    (void)settings;
    assert_int_equal(message_timeout_ms, 0);
    if (kafka.open_fails)
        return error_set(err, REASON_KAFKA_CONFIG, "no");
    kafka.delivered = delivered;
    kafka.state = state;
    *ret_producer = &kafka.producers[kafka.opened++];
    return true;
}

void
kafka_producer_prepare(KafkaProducer *producer, const char *topic)
{
    (void)producer;
    (void)topic;
}

KafkaSend
kafka_producer_send(KafkaProducer *producer, const Record *record, void *opaque, Error *err)
{
    assert_ptr_equal(producer, &kafka.producers[kafka.opened - 1]);
    if (kafka.answer == KAFKA_SEND_FAILED)
        (void)error_set(err, kafka.refusal != REASON_NONE ? kafka.refusal : REASON_KAFKA_FAILED,
                        "not sent");
    if (kafka.answer != KAFKA_SEND_OK)
        return kafka.answer;
    assert_in_range(kafka.count, 0, SENT_MAX - 1);
    Sent *sent = &kafka.sent[kafka.count++];
    assert_true(snprintf(sent->topic, sizeof(sent->topic), "%s", record->topic) > 0);
    sent->part = opaque;
    kafka.bytes = record_size(record);
    return KAFKA_SEND_OK;
}

/* The report of the oldest record that has none. */
static void
report(const Error *failure)
{
    assert_true(kafka.reported < kafka.count);
    kafka.delivered(kafka.state, kafka.sent[kafka.reported++].part, failure);
}

static void
report_failure(ErrorReason reason)
{
    Error failure = {0};
    (void)error_set(&failure, reason, "not delivered");
    report(&failure);
}

int
kafka_producer_poll(KafkaProducer *producer, int timeout_ms)
{
    (void)producer;
    (void)timeout_ms;
    kafka.polls++;
    return 0;
}

void
kafka_producer_hasten(KafkaProducer *producer, int timeout_ms)
{
    (void)producer;
    kafka.hastens++;
    kafka.hastened_ms = timeout_ms;
}

size_t
kafka_producer_max_bytes(const KafkaProducer *producer)
{
    (void)producer;
    return MAX_BYTES;
}

bool
kafka_producer_is_broken(const KafkaProducer *producer)
{
    (void)producer;
    return kafka.broken;
}

void
kafka_producer_abandon(KafkaProducer *producer)
{
    (void)producer;
    while (kafka.reported < kafka.count)
        report_failure(REASON_KAFKA_FAILED);
}

void
kafka_producer_close(KafkaProducer *producer)
{
    assert_non_null(producer);
    kafka.closed++;
}

/* What the hooks were told. */
static struct {
    size_t delivered;
    size_t dropped;
    size_t deferred;
} told;

static void
on_done(void *publisher, Outgoing *item, bool delivered)
{
    (void)publisher;
    told.delivered += delivered;
    told.dropped += !delivered;
    outgoing_free(item);
}

static void
on_deferred(void *publisher, Outgoing *item)
{
    (void)publisher;
    (void)item;
    told.deferred++;
}

typedef struct Fixture {
    int64_t now_ms;
    Clock clock;
    PipelineSettings settings;
    Delivery delivery;
    Lane *lane;
    bool closed;
} Fixture;

static int64_t
fake_monotonic_ms(void *state)
{
    const Fixture *fixture = state;
    return fixture->now_ms;
}

static int
set_up(void **state)
{
    static const DeliveryHooks hooks = {.done = on_done, .deferred = on_deferred};
    Error err = {0};
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    memset(&kafka, 0, sizeof(kafka));
    memset(&told, 0, sizeof(told));
    fixture->now_ms = START_MS;
    fixture->clock = (Clock){NULL, fake_monotonic_ms, fixture};
    fixture->settings = (PipelineSettings){.results_topic = "results",
                                           .dead_letters_topic = "dead-letters",
                                           .worker_id = "w",
                                           .kafka = {.group_id = "workers"}};
    fixture->lane = made_lane(0, 1);
    assert_true(delivery_open_at_least_once(&fixture->settings, &fixture->clock, &hooks,
                                            &fixture->delivery, &err));
    *state = fixture;
    return 0;
}

static void
close_delivery(Fixture *fixture)
{
    if (!fixture->closed)
        fixture->delivery.close(fixture->delivery.state);
    fixture->closed = true;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    close_delivery(fixture);
    assert_int_equal(kafka.closed, kafka.opened);
    assert_int_equal(lane_busy(fixture->lane), 0);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
send(Fixture *fixture, const char *result, const char *reason)
{
    fixture->delivery.send(fixture->delivery.state,
                           made_outgoing(fixture->lane, MADE_FIRST_OFFSET, result, reason));
}

static void
turn_after(Fixture *fixture, int ms)
{
    fixture->now_ms += ms;
    fixture->delivery.turn(fixture->delivery.state, TURN_MS, INT64_MAX);
}

static size_t
held(const Fixture *fixture)
{
    return fixture->delivery.held(fixture->delivery.state);
}

static bool
is_waiting(const Fixture *fixture)
{
    return fixture->delivery.is_waiting(fixture->delivery.state);
}

static void
test_send_is_done_with_its_report(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", NULL);
    assert_int_equal(kafka.count, 1);
    assert_string_equal(kafka.sent[0].topic, "results");
    assert_int_equal(told.delivered, 0);
    assert_int_equal(held(fixture), 1);
    assert_true(is_waiting(fixture));
    report(NULL);
    assert_int_equal(told.delivered, 1);
    assert_int_equal(held(fixture), 0);
    assert_false(is_waiting(fixture));
}

static void
test_send_with_dead_letter_is_done_with_both_reports(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", "why");
    assert_int_equal(kafka.count, 2);
    assert_string_equal(kafka.sent[0].topic, "results");
    assert_string_equal(kafka.sent[1].topic, "dead-letters");
    report(NULL);
    assert_int_equal(told.delivered, 0);
    report(NULL);
    assert_int_equal(told.delivered, 1);
}

static void
test_send_of_nothing_is_done_at_once(void **state)
{
    Fixture *fixture = *state;
    send(fixture, NULL, NULL);
    assert_int_equal(kafka.count, 0);
    assert_int_equal(told.delivered, 1);
    assert_int_equal(held(fixture), 0);
}

static void
test_send_of_a_dead_lane_is_dropped(void **state)
{
    Fixture *fixture = *state;
    lane_set_state(fixture->lane, LANE_DEAD);
    send(fixture, "{}", NULL);
    assert_int_equal(kafka.count, 0);
    assert_int_equal(told.dropped, 1);
    assert_int_equal(held(fixture), 0);
}

static void
test_failed_report_sends_that_part_again_after_a_pause(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", "why");
    report(NULL);
    report_failure(REASON_KAFKA_FAILED);
    assert_int_equal(told.delivered + told.dropped, 0);
    turn_after(fixture, PAUSE_MS - 1);
    assert_int_equal(kafka.count, 2);
    turn_after(fixture, 1);
    assert_int_equal(kafka.count, 3);
    assert_string_equal(kafka.sent[2].topic, "dead-letters");
    report(NULL);
    assert_int_equal(told.delivered, 1);
}

static void
test_failed_send_is_sent_again_after_a_pause(void **state)
{
    Fixture *fixture = *state;
    kafka.answer = KAFKA_SEND_FAILED;
    send(fixture, "{}", NULL);
    kafka.answer = KAFKA_SEND_OK;
    turn_after(fixture, PAUSE_MS - 1);
    assert_int_equal(kafka.count, 0);
    turn_after(fixture, 1);
    assert_int_equal(kafka.count, 1);
    report(NULL);
    assert_int_equal(told.delivered, 1);
}

static void
test_full_queue_is_tried_again_soon(void **state)
{
    Fixture *fixture = *state;
    kafka.answer = KAFKA_SEND_QUEUE_FULL;
    send(fixture, "{}", NULL);
    kafka.answer = KAFKA_SEND_OK;
    turn_after(fixture, FULL_PAUSE_MS - 1);
    assert_int_equal(kafka.count, 0);
    turn_after(fixture, 1);
    assert_int_equal(kafka.count, 1);
    report(NULL);
}

static void
test_lane_that_dies_drops_what_waits_before_its_time(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", NULL);
    report_failure(REASON_KAFKA_FAILED);
    lane_set_state(fixture->lane, LANE_DEAD);
    turn_after(fixture, 0);
    assert_int_equal(kafka.count, 1);
    assert_int_equal(told.dropped, 1);
    assert_int_equal(held(fixture), 0);
}

static void
send_large_dead_letter(Fixture *fixture)
{
    Outgoing *item = made_outgoing(fixture->lane, MADE_FIRST_OFFSET, "{}", "why");
    make_source_large(item, 3 * MAX_BYTES);
    fixture->delivery.send(fixture->delivery.state, item);
    report(NULL);
}

/* It may have been its batch; what is too large alone is cut, and so is the next one from the
 * start. */
static void
test_too_large_dead_letter_is_cut(void **state)
{
    Fixture *fixture = *state;
    send_large_dead_letter(fixture);
    assert_in_range(kafka.bytes, MAX_BYTES / 2 + 1, MAX_BYTES);
    report_failure(REASON_MESSAGE_TOO_LARGE);
    turn_after(fixture, PAUSE_MS);
    assert_in_range(kafka.bytes, MAX_BYTES / 2 + 1, MAX_BYTES);
    report_failure(REASON_MESSAGE_TOO_LARGE);
    turn_after(fixture, PAUSE_MS);
    assert_in_range(kafka.bytes, MAX_BYTES / 4, MAX_BYTES / 2);
    report(NULL);
    assert_int_equal(told.delivered, 1);
    send_large_dead_letter(fixture);
    assert_in_range(kafka.bytes, MAX_BYTES / 4, MAX_BYTES / 2);
    report(NULL);
    assert_int_equal(told.delivered, 2);
}

static void
test_too_large_result_is_sent_unbatched(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", NULL);
    send(fixture, "{}", NULL);
    report_failure(REASON_MESSAGE_TOO_LARGE);
    report_failure(REASON_KAFKA_FAILED);
    turn_after(fixture, PAUSE_MS);
    assert_int_equal(kafka.count, 4);
    assert_int_equal(kafka.hastens, 2); /* for each, before the next one goes */
    assert_int_equal(kafka.hastened_ms, 100);
    report(NULL);
    report(NULL);
    assert_int_equal(told.delivered, 2);
}

static void
test_result_that_is_too_large_alone_is_set_aside(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", NULL);
    report_failure(REASON_MESSAGE_TOO_LARGE);
    assert_int_equal(lane_busy(fixture->lane), 1);
    turn_after(fixture, PAUSE_MS);
    report_failure(REASON_MESSAGE_TOO_LARGE);
    assert_int_equal(kafka.count, 2);
    assert_int_equal(lane_busy(fixture->lane), 0);
    assert_int_equal(told.deferred, 1);
    assert_int_equal(held(fixture), 1);
    turn_after(fixture, ASIDE_LEAST_MS - 1);
    assert_int_equal(kafka.count, 2);
    turn_after(fixture, ASIDE_MOST_MS);
    assert_int_equal(kafka.count, 3);
    report(NULL);
    assert_int_equal(told.delivered, 1);
    assert_int_equal(held(fixture), 0);
}

static void
test_record_that_the_client_refuses_is_set_aside_at_once(void **state)
{
    Fixture *fixture = *state;
    kafka.answer = KAFKA_SEND_FAILED;
    kafka.refusal = REASON_MESSAGE_TOO_LARGE;
    send(fixture, "{}", NULL);
    assert_int_equal(lane_busy(fixture->lane), 0);
    kafka.answer = KAFKA_SEND_OK;
    turn_after(fixture, PAUSE_MS);
    assert_int_equal(kafka.count, 0);
    turn_after(fixture, ASIDE_MOST_MS);
    assert_int_equal(kafka.count, 1);
    report(NULL);
    assert_int_equal(told.delivered, 1);
}

static void
test_topic_that_is_gone_is_tried_with_one_record(void **state)
{
    Fixture *fixture = *state;
    for (int i = 0; i < 5; i++)
        send(fixture, "{}", "why");
    for (int i = 0; i < 5; i++) {
        report(NULL);
        report_failure(REASON_TOPIC_GONE);
    }
    send(fixture, "{}", "why"); /* goes nowhere at first */
    send(fixture, "{}", NULL);  /* needs no dead letter */
    assert_int_equal(kafka.count, 11);
    report(NULL);
    assert_int_equal(told.delivered, 1);
    turn_after(fixture, ASIDE_MOST_MS * 2);
    assert_int_equal(kafka.count, 12);
    assert_string_equal(kafka.sent[11].topic, "dead-letters");
    turn_after(fixture, ASIDE_MOST_MS * 2);
    assert_int_equal(kafka.count, 12); /* the try has no report yet */
    report(NULL);
    turn_after(fixture, 1);
    assert_int_equal(kafka.count, 12 + 4 + 2);
    for (int i = 0; i < 6; i++)
        report(NULL);
    assert_int_equal(told.delivered, 7);
    assert_int_equal(held(fixture), 0);
}

static void
test_lane_that_dies_drops_what_is_set_aside(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", "why");
    report(NULL);
    report_failure(REASON_TOPIC_GONE);
    lane_set_state(fixture->lane, LANE_DEAD);
    turn_after(fixture, 0);
    assert_int_equal(told.dropped, 1);
    assert_int_equal(held(fixture), 0);
}

static void
test_turn_hastens_a_single_outcome(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", NULL);
    turn_after(fixture, 0);
    assert_int_equal(kafka.hastened_ms, TURN_MS);
    assert_int_equal(kafka.polls, 0);
    send(fixture, "{}", NULL);
    turn_after(fixture, 0);
    assert_int_equal(kafka.hastens, 1);
    assert_int_equal(kafka.polls, 1);
    report(NULL);
    report(NULL);
}

static void
test_broken_producer_is_replaced_when_nothing_is_on_its_way(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", NULL);
    kafka.broken = true;
    turn_after(fixture, 0);
    assert_int_equal(kafka.opened, 1);
    report_failure(REASON_KAFKA_FAILED);
    kafka.open_fails = true;
    turn_after(fixture, 0);
    assert_int_equal(kafka.opened, 1);
    assert_int_equal(kafka.closed, 0);
    kafka.open_fails = false;
    turn_after(fixture, 0);
    assert_int_equal(kafka.opened, 2);
    assert_int_equal(kafka.closed, 1);
    kafka.broken = false;
    turn_after(fixture, PAUSE_MS);
    report(NULL);
    assert_int_equal(told.delivered, 1);
}

static void
test_close_gives_everything_back_undelivered(void **state)
{
    Fixture *fixture = *state;
    send(fixture, "{}", NULL);
    report_failure(REASON_KAFKA_FAILED);
    send(fixture, "{}", "why");
    assert_int_equal(held(fixture), 2);
    close_delivery(fixture);
    assert_int_equal(told.dropped, 2);
    assert_int_equal(told.delivered, 0);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_send_is_done_with_its_report),
        CASE(test_send_with_dead_letter_is_done_with_both_reports),
        CASE(test_send_of_nothing_is_done_at_once),
        CASE(test_send_of_a_dead_lane_is_dropped),
        CASE(test_failed_report_sends_that_part_again_after_a_pause),
        CASE(test_failed_send_is_sent_again_after_a_pause),
        CASE(test_full_queue_is_tried_again_soon),
        CASE(test_lane_that_dies_drops_what_waits_before_its_time),
        CASE(test_too_large_dead_letter_is_cut),
        CASE(test_too_large_result_is_sent_unbatched),
        CASE(test_result_that_is_too_large_alone_is_set_aside),
        CASE(test_record_that_the_client_refuses_is_set_aside_at_once),
        CASE(test_topic_that_is_gone_is_tried_with_one_record),
        CASE(test_lane_that_dies_drops_what_is_set_aside),
        CASE(test_turn_hastens_a_single_outcome),
        CASE(test_broken_producer_is_replaced_when_nothing_is_on_its_way),
        CASE(test_close_gives_everything_back_undelivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The delivery with a broker that only pretends: the test says which records it does not take, and
 * how that shows. */
#include "common/kafka/kafka_transaction.h"
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/publisher/delivery.h"

enum {
    START_MS = 1000000,
    MAX_BYTES = 100000,
    OFFSETS = 400,
    SENT_MAX = 2000,
    TURN_MS = 5,
    SOON_MS = 2000, /* long before anything that was set aside is tried again */
    LONG_MS = 200 * 1000,
    NOBODY = -1,
};

static const char results[] = "results";
static const char dead_letters[] = "dead-letters";

struct KafkaProducer {
    int number;
};

struct KafkaMembership {
    int references;
};

static KafkaMembership membership;

KafkaMembership *
kafka_membership_ref(KafkaMembership *taken)
{
    taken->references++;
    return taken;
}

void
kafka_membership_unref(KafkaMembership *taken)
{
    taken->references--;
}

/* How the broker, or the client, shows that it does not take a record. */
typedef enum Showing {
    SHOWS_AT_ONCE,    /* the client refuses it */
    SHOWS_IN_REPORT,  /* the record's own delivery report */
    SHOWS_FOR_BATCH,  /* every report of its topic */
    SHOWS_BY_SIZE,    /* every report of a topic that got too much at once */
    SHOWS_IN_LOOK,    /* nothing tells but the transaction's state */
    SHOWS_PURGED,     /* and all records are purged for it */
    SHOWS_NOT_AT_ALL, /* the record stays on its way */
} Showing;

static struct {
    KafkaProducer producer;
    int opened;
    int closed;
    int begun;
    int aborted;
    int commits;
    int checks; /* questions about topics */
    KafkaDelivered delivered;
    void *state;
    /* What is at fault. */
    int64_t guilty_offset;
    const char *bad_topic; /* NULL: none; else the broker takes nothing for it */
    bool gone;             /* and says so when it is asked */
    bool away;             /* it answers no question */
    Showing showing;
    ErrorReason reason;
    size_t takes;        /* bytes of dead letters at once */
    ErrorReason offsets; /* why they are refused, or REASON_NONE */
    size_t in_time;      /* so many records leave time for the offsets */
    /* The transaction. */
    OutgoingPart *sent[SENT_MAX];
    size_t count;
    size_t dead_letter_bytes;
    size_t records;
    bool look_fails;
    int64_t longest_ms; /* of the transactions that were aborted */
    int64_t begun_ms;
    int64_t now_ms;
} kafka;

static bool
goes_to(const OutgoingPart *part, const char *topic)
{
    const int index = strcmp(topic, results) == 0 ? OUTGOING_RESULT : OUTGOING_DEAD_LETTER;
    return outgoing_part_index(part) == index;
}

static bool
is_bad(const OutgoingPart *part)
{
    if (kafka.bad_topic != NULL)
        return goes_to(part, kafka.bad_topic);
    return part->item->source->offset == kafka.guilty_offset &&
           outgoing_part_index(part) == OUTGOING_RESULT;
}

static bool
topic_has_bad(const OutgoingPart *part)
{
    for (size_t i = 0; i < kafka.count; i++) {
        if (is_bad(kafka.sent[i]) &&
            outgoing_part_index(kafka.sent[i]) == outgoing_part_index(part))
            return true;
    }
    return false;
}

bool
kafka_producer_open_transactional(const KafkaSettings *settings, const char *transactional_id,
                                  KafkaDelivered delivered, void *state,
                                  KafkaProducer **ret_producer, Error *err)
{
    (void)settings;
    (void)err;
    assert_string_equal(transactional_id, "prefix-w");
    kafka.opened++;
    kafka.delivered = delivered;
    kafka.state = state;
    *ret_producer = &kafka.producer;
    return true;
}

void
kafka_producer_prepare(KafkaProducer *producer, const char *topic)
{
    (void)producer;
    (void)topic;
}

bool
kafka_producer_check_topic(KafkaProducer *producer, const char *topic, int timeout_ms, Error *err)
{
    (void)producer;
    (void)timeout_ms;
    kafka.checks++;
    if (kafka.away)
        return error_set(err, REASON_KAFKA_UNREACHABLE, "no answer");
    return !(kafka.gone && kafka.bad_topic != NULL && strcmp(topic, kafka.bad_topic) == 0) ||
           error_set(err, REASON_TOPIC_GONE, "topic %s", topic);
}

KafkaSend
kafka_producer_send(KafkaProducer *producer, const Record *record, void *opaque, Error *err)
{
    OutgoingPart *part = opaque;
    (void)producer;
    if (goes_to(part, dead_letters))
        kafka.dead_letter_bytes += record_size(record);
    if (is_bad(part) && kafka.showing == SHOWS_AT_ONCE) {
        (void)error_set(err, kafka.reason, "refused");
        return KAFKA_SEND_FAILED;
    }
    assert_in_range(kafka.count, 0, SENT_MAX - 1);
    kafka.sent[kafka.count++] = part;
    kafka.records++;
    return KAFKA_SEND_OK;
}

static bool
has_bad(void)
{
    for (size_t i = 0; i < kafka.count; i++) {
        if (is_bad(kafka.sent[i]))
            return true;
    }
    return false;
}

/* A topic that must not take part keeps the others from it, too. */
static bool
stays(const OutgoingPart *part)
{
    return kafka.away || (kafka.showing == SHOWS_IN_LOOK && has_bad()) ||
           (kafka.showing == SHOWS_NOT_AT_ALL && topic_has_bad(part));
}

static bool
is_refused(const OutgoingPart *part)
{
    if (kafka.showing == SHOWS_BY_SIZE)
        return goes_to(part, dead_letters) && kafka.dead_letter_bytes > kafka.takes;
    if (kafka.showing == SHOWS_PURGED)
        return has_bad();
    return kafka.showing == SHOWS_FOR_BATCH ? topic_has_bad(part) : is_bad(part);
}

static void
report(OutgoingPart *part)
{
    Error failure = {0};
    const bool fails = is_refused(part);
    if (fails)
        (void)error_set(&failure,
                        kafka.showing == SHOWS_PURGED ? REASON_RECORD_PURGED : kafka.reason,
                        "not delivered");
    kafka.delivered(kafka.state, part, fails ? &failure : NULL);
}

int
kafka_producer_poll(KafkaProducer *producer, int timeout_ms)
{
    (void)producer;
    kafka.now_ms += timeout_ms;
    OutgoingPart *left[SENT_MAX];
    size_t left_count = 0;
    kafka.look_fails |= kafka.showing == SHOWS_PURGED && has_bad();
    for (size_t i = 0; i < kafka.count; i++) {
        if (stays(kafka.sent[i]))
            left[left_count++] = kafka.sent[i];
        else
            report(kafka.sent[i]);
    }
    kafka.look_fails |= left_count > 0 && kafka.showing == SHOWS_IN_LOOK;
    memcpy(kafka.sent, left, left_count * sizeof(left[0]));
    kafka.count = left_count;
    return 0;
}

size_t
kafka_producer_in_flight(const KafkaProducer *producer)
{
    (void)producer;
    return kafka.count;
}

size_t
kafka_producer_max_bytes(const KafkaProducer *producer)
{
    (void)producer;
    return MAX_BYTES;
}

unsigned
kafka_producer_disconnects(const KafkaProducer *producer)
{
    (void)producer;
    return 0;
}

void
kafka_producer_close(KafkaProducer *producer)
{
    if (producer != NULL)
        kafka.closed++;
}

KafkaTxn
kafka_producer_init_transactions(KafkaProducer *producer, int timeout_ms, Error *err)
{
    (void)producer;
    (void)timeout_ms;
    (void)err;
    return KAFKA_TXN_OK;
}

KafkaTxn
kafka_producer_begin(KafkaProducer *producer, Error *err)
{
    (void)producer;
    (void)err;
    kafka.begun++;
    kafka.begun_ms = kafka.now_ms;
    kafka.count = 0;
    kafka.dead_letter_bytes = 0;
    kafka.records = 0;
    kafka.look_fails = false;
    return KAFKA_TXN_OK;
}

KafkaTxn
kafka_producer_look(KafkaProducer *producer, Error *err)
{
    (void)producer;
    if (!kafka.look_fails)
        return KAFKA_TXN_OK;
    (void)error_set(err, kafka.reason, "a topic must not take part");
    return KAFKA_TXN_ABORT;
}

KafkaTxn
kafka_producer_send_offsets(KafkaProducer *producer, const KafkaMembership *member,
                            const KafkaOffsets *offsets, int timeout_ms, Error *err)
{
    (void)producer;
    (void)member;
    (void)offsets;
    kafka.look_fails |= kafka.offsets != REASON_NONE;
    if (kafka.offsets != REASON_NONE) {
        kafka.reason = kafka.offsets;
        (void)error_set(err, kafka.offsets, "refused");
        return KAFKA_TXN_ABORT;
    }
    if (kafka.in_time == 0 || kafka.records <= kafka.in_time)
        return KAFKA_TXN_OK;
    kafka.now_ms += timeout_ms;
    (void)error_set(err, REASON_TRANSACTION_STALLED, "timed out");
    return KAFKA_TXN_ABORT;
}

KafkaTxn
kafka_producer_commit(KafkaProducer *producer, int timeout_ms, Error *err)
{
    (void)producer;
    (void)timeout_ms;
    (void)err;
    assert_int_equal(kafka.count, 0);
    kafka.commits++;
    return KAFKA_TXN_OK;
}

KafkaTxn
kafka_producer_abort(KafkaProducer *producer, int timeout_ms, Error *err)
{
    Error purged = {0};
    (void)producer;
    (void)timeout_ms;
    (void)err;
    (void)error_set(&purged, REASON_RECORD_PURGED, "purged");
    for (size_t i = 0; i < kafka.count; i++)
        kafka.delivered(kafka.state, kafka.sent[i], &purged);
    kafka.count = 0;
    kafka.aborted++;
    if (kafka.now_ms - kafka.begun_ms > kafka.longest_ms)
        kafka.longest_ms = kafka.now_ms - kafka.begun_ms;
    return KAFKA_TXN_OK;
}

bool
kafka_producer_lookup(KafkaProducer *producer, const KafkaQuestion *question,
                      KafkaLookup **ret_lookup, Error *err)
{
    (void)producer;
    (void)question;
    (void)ret_lookup;
    return error_set(err, REASON_KAFKA_FAILED, "no look-up is due");
}

static struct {
    size_t delivered;
    size_t dropped;
    size_t deferred;
    bool seen[OFFSETS]; /* delivered, by offset */
} told;

static void
on_done(void *publisher, Outgoing *item, bool delivered)
{
    Error err = {0};
    (void)publisher;
    told.delivered += delivered;
    told.dropped += !delivered;
    if (delivered && item->kind == OUTGOING_OUTCOME) {
        bool *seen = &told.seen[item->source->offset - MADE_FIRST_OFFSET];
        assert_false(*seen);
        *seen = true;
        assert_true(lane_finish(item->lane, item->source->offset, &err));
    }
    outgoing_free(item);
}

static void
on_deferred(void *publisher, Outgoing *item)
{
    (void)publisher;
    assert_false(item->deferred);
    told.deferred++;
}

static void
on_failed(void *publisher, const Error *err)
{
    (void)publisher;
    fail_msg("%s", err->text);
}

typedef struct Fixture {
    Clock clock;
    PipelineSettings settings;
    Delivery delivery;
    Lane *lane;
} Fixture;

static int64_t
fake_monotonic_ms(void *state)
{
    (void)state;
    return kafka.now_ms;
}

static int
set_up(void **state)
{
    static const DeliveryHooks hooks = {NULL, on_done, on_deferred, on_failed};
    Error err = {0};
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    memset(&kafka, 0, sizeof(kafka));
    memset(&told, 0, sizeof(told));
    kafka.now_ms = START_MS;
    kafka.guilty_offset = NOBODY;
    fixture->clock = (Clock){NULL, fake_monotonic_ms, NULL};
    fixture->settings = (PipelineSettings){.results_topic = results,
                                           .dead_letters_topic = dead_letters,
                                           .worker_id = "w",
                                           .transactional_id = "prefix-w",
                                           .kafka = {.group_id = "workers"}};
    fixture->lane = lane_new(0, &membership);
    assert_non_null(fixture->lane);
    for (int64_t i = 0; i < OFFSETS; i++)
        assert_int_equal(lane_accept(fixture->lane, MADE_FIRST_OFFSET + i, 1), OFFSET_STARTED);
    assert_true(delivery_open_exactly_once(&fixture->settings, &fixture->clock, &hooks,
                                           &fixture->delivery, &err));
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    fixture->delivery.close(fixture->delivery.state);
    assert_int_equal(kafka.closed, kafka.opened);
    assert_int_equal(lane_busy(fixture->lane), 0);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
send_many(Fixture *fixture, int64_t first, int64_t count, const char *reason)
{
    for (int64_t i = 0; i < count; i++)
        fixture->delivery.send(
            fixture->delivery.state,
            made_outgoing(fixture->lane, MADE_FIRST_OFFSET + first + i, "{}", reason));
}

static void
run_for(Fixture *fixture, int64_t ms)
{
    for (const int64_t end_ms = kafka.now_ms + ms; kafka.now_ms < end_ms; kafka.now_ms += TURN_MS)
        fixture->delivery.turn(fixture->delivery.state, TURN_MS, INT64_MAX);
}

static size_t
held(const Fixture *fixture)
{
    return fixture->delivery.held(fixture->delivery.state);
}

static int64_t
committable(Lane *lane)
{
    Error err = {0};
    OffsetPlan plan;
    assert_true(lane_plan(lane, OFFSET_AHEAD_BYTES_MAX, &plan, &err));
    return plan.offset - MADE_FIRST_OFFSET;
}

/* All others are delivered, once each, and the guilty one when it can be. */
static void
others_go_on(Fixture *fixture)
{
    enum { COUNT = 100, GUILTY = 37 };
    kafka.guilty_offset = MADE_FIRST_OFFSET + GUILTY;
    send_many(fixture, 0, COUNT, NULL);
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, COUNT - 1);
    assert_int_equal(held(fixture), 1);
    assert_int_equal(told.deferred, 1);
    assert_int_equal(lane_busy(fixture->lane), 0);
    assert_int_equal(committable(fixture->lane), GUILTY);
    send_many(fixture, COUNT, 10, NULL);
    run_for(fixture, SOON_MS / 10);
    assert_int_equal(told.delivered, COUNT - 1 + 10);
    const int before = kafka.begun;
    run_for(fixture, LONG_MS);
    assert_in_range(kafka.begun - before, 3, 8); /* after 5, 10, 20, 40, 60 s … */
    kafka.guilty_offset = NOBODY;
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, COUNT + 10);
    assert_int_equal(held(fixture), 0);
    assert_int_equal(committable(fixture->lane), COUNT + 10);
}

static void
test_record_that_the_client_refuses_waits_alone(void **state)
{
    kafka.showing = SHOWS_AT_ONCE;
    kafka.reason = REASON_MESSAGE_TOO_LARGE;
    others_go_on(*state);
}

static void
test_record_whose_report_fails_waits_alone(void **state)
{
    kafka.showing = SHOWS_IN_REPORT;
    kafka.reason = REASON_KAFKA_FAILED;
    others_go_on(*state);
    assert_in_range(kafka.aborted, 1, 20);
}

static void
test_record_that_fails_its_batch_is_found_by_halving(void **state)
{
    kafka.showing = SHOWS_FOR_BATCH;
    kafka.reason = REASON_MESSAGE_TOO_LARGE;
    others_go_on(*state);
    assert_in_range(kafka.aborted, 7, 30);
}

static void
send_large(Fixture *fixture, int64_t first, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        Outgoing *item = made_outgoing(fixture->lane, MADE_FIRST_OFFSET + first + i, "{}", "why");
        make_source_large(item, MAX_BYTES / 2);
        fixture->delivery.send(fixture->delivery.state, item);
    }
}

/* What it takes is found out once, and tried again some minutes later. */
static void
test_topic_that_takes_little_at_once_gets_little(void **state)
{
    Fixture *fixture = *state;
    kafka.showing = SHOWS_BY_SIZE;
    kafka.reason = REASON_MESSAGE_TOO_LARGE;
    kafka.takes = MAX_BYTES / 5;
    send_large(fixture, 0, 40);
    send_many(fixture, 40, 40, "why");
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 80);
    assert_int_equal(told.deferred, 0);
    assert_in_range(kafka.aborted, 1, 4);
    const int aborted = kafka.aborted;
    send_large(fixture, 80, 40);
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 120);
    assert_int_equal(kafka.aborted, aborted);
    run_for(fixture, LONG_MS);
    kafka.takes = SIZE_MAX;
    const int commits = kafka.commits;
    send_large(fixture, 120, 40);
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 160);
    assert_int_equal(kafka.aborted, aborted);
    assert_int_equal(kafka.commits, commits + 1);
}

static void
test_record_that_nothing_tells_of_is_found_by_its_time(void **state)
{
    Fixture *fixture = *state;
    kafka.showing = SHOWS_NOT_AT_ALL;
    kafka.guilty_offset = MADE_FIRST_OFFSET;
    send_many(fixture, 0, 4, NULL);
    run_for(fixture, 60 * 1000);
    assert_int_equal(told.delivered, 3);
    assert_int_equal(held(fixture), 1);
    kafka.longest_ms = 0;
    run_for(fixture, LONG_MS);
    assert_in_range(kafka.longest_ms, 1, 3000); /* a try keeps the others for no longer */
    kafka.guilty_offset = NOBODY;
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, 4);
}

static void
bad_topic(const char *topic, Showing showing, ErrorReason reason, bool gone)
{
    kafka.bad_topic = topic;
    kafka.showing = showing;
    kafka.reason = reason;
    kafka.gone = gone;
}

static void
dead_letters_wait(Fixture *fixture)
{
    send_many(fixture, 0, 30, "why");
    send_many(fixture, 30, 30, NULL);
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 30);
    assert_int_equal(committable(fixture->lane), 0);
    assert_int_equal(told.deferred, 30);
    const int before = kafka.begun;
    run_for(fixture, LONG_MS);
    assert_in_range(kafka.begun - before, 0, 10);
    kafka.bad_topic = NULL;
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, 60);
    assert_int_equal(committable(fixture->lane), 60);
}

static void
test_deleted_topic_of_dead_letters_lets_results_go(void **state)
{
    bad_topic(dead_letters, SHOWS_NOT_AT_ALL, REASON_NONE, true);
    dead_letters_wait(*state);
    assert_int_equal(kafka.aborted, 1); /* later tries are questions only */
}

static void
test_refused_topic_of_dead_letters_lets_results_go(void **state)
{
    bad_topic(dead_letters, SHOWS_IN_LOOK, REASON_KAFKA_REFUSED, false);
    dead_letters_wait(*state);
}

static void
test_unknown_topic_of_dead_letters_lets_results_go(void **state)
{
    bad_topic(dead_letters, SHOWS_AT_ONCE, REASON_TOPIC_GONE, true);
    dead_letters_wait(*state);
}

static void
test_deleted_topic_of_dead_letters_that_purges_all_lets_results_go(void **state)
{
    bad_topic(dead_letters, SHOWS_PURGED, REASON_TOPIC_GONE, true);
    dead_letters_wait(*state);
    assert_int_equal(kafka.aborted, 1);
}

static void
test_deleted_topic_of_commands_puts_nothing_aside(void **state)
{
    Fixture *fixture = *state;
    kafka.offsets = REASON_TOPIC_GONE;
    send_many(fixture, 0, 30, "why");
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 0);
    assert_int_equal(lane_busy(fixture->lane), 30);
    kafka.offsets = REASON_NONE;
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 30);
}

/* As behind a broker that throttles. */
static void
test_offsets_that_come_too_late_make_the_batch_smaller(void **state)
{
    Fixture *fixture = *state;
    kafka.in_time = 20;
    send_many(fixture, 0, 100, NULL);
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, 100);
    assert_int_equal(told.deferred, 0);
    assert_in_range(kafka.aborted, 3, 6);
}

/* One outcome is no reason why offsets come late. */
static void
test_offsets_of_one_outcome_that_come_too_late_put_nothing_aside(void **state)
{
    Fixture *fixture = *state;
    kafka.offsets = REASON_TRANSACTION_STALLED;
    send_many(fixture, 0, 1, NULL);
    run_for(fixture, SOON_MS);
    assert_int_equal(lane_busy(fixture->lane), 1);
    kafka.offsets = REASON_NONE;
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 1);
}

static void
test_refused_topic_of_results_keeps_everything_until_it_is_back(void **state)
{
    Fixture *fixture = *state;
    bad_topic(results, SHOWS_IN_LOOK, REASON_KAFKA_REFUSED, false);
    send_many(fixture, 0, 30, "why");
    send_many(fixture, 30, 30, NULL);
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, 0);
    assert_int_equal(held(fixture), 60);
    assert_in_range(kafka.begun, 2, 20);
    kafka.bad_topic = NULL;
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, 60);
}

static void
test_deleted_topic_of_results_is_asked_for_with_backoff(void **state)
{
    Fixture *fixture = *state;
    bad_topic(results, SHOWS_IN_REPORT, REASON_TOPIC_GONE, true);
    send_many(fixture, 0, 60, NULL);
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, 0);
    assert_int_equal(kafka.begun, 1);
    assert_in_range(kafka.checks, 3, 10);
    assert_int_equal(told.deferred, 0); /* executors wait for room */
    kafka.bad_topic = NULL;
    run_for(fixture, LONG_MS);
    assert_int_equal(told.delivered, 60);
    assert_in_range(kafka.commits, 2, 3); /* one to try, and then all */
}

static void
test_brokers_that_are_away_put_nothing_aside(void **state)
{
    Fixture *fixture = *state;
    kafka.away = true;
    send_many(fixture, 0, 30, "why");
    run_for(fixture, 60 * 1000);
    assert_int_equal(told.delivered, 0);
    assert_int_equal(lane_busy(fixture->lane), 30);
    kafka.away = false;
    run_for(fixture, SOON_MS);
    assert_int_equal(told.delivered, 30);
    assert_in_range(kafka.commits, 1, 2);
}

static void
test_lane_that_dies_drops_what_is_set_aside(void **state)
{
    Fixture *fixture = *state;
    bad_topic(results, SHOWS_AT_ONCE, REASON_TOPIC_GONE, true);
    send_many(fixture, 0, 30, NULL);
    run_for(fixture, SOON_MS);
    assert_int_equal(held(fixture), 30);
    lane_set_state(fixture->lane, LANE_DEAD);
    run_for(fixture, SOON_MS);
    assert_int_equal(held(fixture), 0);
    assert_int_equal(told.dropped, 30);
}

static void
test_progress_that_cannot_be_written_is_dropped(void **state)
{
    Fixture *fixture = *state;
    kafka.guilty_offset = MADE_FIRST_OFFSET;
    kafka.showing = SHOWS_AT_ONCE;
    kafka.reason = REASON_MESSAGE_TOO_LARGE;
    fixture->delivery.send(fixture->delivery.state,
                           made_progress(fixture->lane, MADE_FIRST_OFFSET));
    send_many(fixture, 1, 3, NULL);
    run_for(fixture, SOON_MS);
    assert_int_equal(told.dropped, 1);
    assert_int_equal(told.delivered, 3);
    assert_int_equal(held(fixture), 0);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_record_that_the_client_refuses_waits_alone),
        CASE(test_record_whose_report_fails_waits_alone),
        CASE(test_record_that_fails_its_batch_is_found_by_halving),
        CASE(test_topic_that_takes_little_at_once_gets_little),
        CASE(test_record_that_nothing_tells_of_is_found_by_its_time),
        CASE(test_deleted_topic_of_dead_letters_lets_results_go),
        CASE(test_refused_topic_of_dead_letters_lets_results_go),
        CASE(test_unknown_topic_of_dead_letters_lets_results_go),
        CASE(test_deleted_topic_of_dead_letters_that_purges_all_lets_results_go),
        CASE(test_deleted_topic_of_commands_puts_nothing_aside),
        CASE(test_offsets_that_come_too_late_make_the_batch_smaller),
        CASE(test_offsets_of_one_outcome_that_come_too_late_put_nothing_aside),
        CASE(test_refused_topic_of_results_keeps_everything_until_it_is_back),
        CASE(test_deleted_topic_of_results_is_asked_for_with_backoff),
        CASE(test_brokers_that_are_away_put_nothing_aside),
        CASE(test_lane_that_dies_drops_what_is_set_aside),
        CASE(test_progress_that_cannot_be_written_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

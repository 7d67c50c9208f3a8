/* When the coordinator looks for its topic, and what it does then, with a consumer that only
 * pretends. */
#include "common/log.h"
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/coordinator/coordinator_private.h"

enum {
    START_MS = 1000000,
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
};

/* What the brokers would tell, and what was asked of them. */
static struct {
    bool missed;
    bool group_is_idle;
    ErrorReason answer; /* REASON_NONE: the topic is there */
    int looks;
    int group_looks;
    int joins;
} broker;

bool
kafka_consumer_missed_topic(KafkaConsumer *consumer)
{
    (void)consumer;
    const bool missed = broker.missed;
    broker.missed = false;
    return missed;
}

bool
kafka_consumer_check_topic(KafkaConsumer *consumer, int timeout_ms, Error *err)
{
    (void)consumer;
    assert_in_range(timeout_ms, 1, SECOND_MS);
    broker.looks++;
    return broker.answer == REASON_NONE || error_set(err, broker.answer, "pretended");
}

bool
kafka_consumer_group_is_idle(KafkaConsumer *consumer, int timeout_ms)
{
    (void)consumer;
    assert_in_range(timeout_ms, 1, SECOND_MS);
    broker.group_looks++;
    return broker.group_is_idle;
}

bool
kafka_consumer_resubscribe(KafkaConsumer *consumer, Error *err)
{
    (void)consumer;
    (void)err;
    broker.joins++;
    return true;
}

typedef struct Fixture {
    int64_t now_ms;
    Clock clock;
    PipelineSettings settings;
    PipelineShared shared;
    Coordinator coordinator;
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
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    memset(&broker, 0, sizeof(broker));
    fixture->now_ms = START_MS;
    fixture->clock = (Clock){NULL, fake_monotonic_ms, fixture};
    fixture->settings.commands_topic = "commands";
    fixture->shared = (PipelineShared){.settings = &fixture->settings, .clock = &fixture->clock};
    fixture->shared.batcher = batcher_new(1, 1, &fixture->clock);
    assert_non_null(fixture->shared.batcher);
    fixture->coordinator.shared = &fixture->shared;
    coordinator_note_assigned(&fixture->coordinator, 0);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    coordinator_drop_lanes(&fixture->coordinator);
    batcher_free(fixture->shared.batcher);
    free(fixture);
    return 0;
}

static void
assign_one(Fixture *fixture)
{
    static const int32_t partition = 0;
    const KafkaRebalance rebalance = {.partitions = &partition, .count = 1};
    Error err = {0};
    assert_true(assignment_begin(&fixture->coordinator.assignment, &rebalance, NULL, &err));
    coordinator_note_assigned(&fixture->coordinator, 1);
}

/* Turns for so long, ten a second. */
static void
watch(Fixture *fixture, int span_ms)
{
    for (int passed_ms = 0; passed_ms < span_ms; passed_ms += 100) {
        fixture->now_ms += 100;
        coordinator_watch_topic(&fixture->coordinator);
    }
}

static void
test_watch_worker_with_partitions_does_not_look(void **state)
{
    Fixture *fixture = *state;
    assign_one(fixture);
    watch(fixture, 10 * MINUTE_MS);
    assert_int_equal(broker.looks, 0);
    assert_int_equal(broker.joins, 0);
}

static void
test_watch_surplus_worker_looks_now_and_then_and_joins_never(void **state)
{
    Fixture *fixture = *state;
    watch(fixture, 10 * MINUTE_MS);
    assert_in_range(broker.group_looks, 15, 25);
    assert_int_equal(broker.joins, 0);
}

static void
test_watch_group_without_partitions_is_joined_again(void **state)
{
    Fixture *fixture = *state;
    broker.group_is_idle = true;
    watch(fixture, 10 * SECOND_MS);
    assert_true(broker.joins >= 1);
}

static void
test_watch_missed_topic_that_is_away_loses_the_partitions_at_once(void **state)
{
    Fixture *fixture = *state;
    assign_one(fixture);
    broker.missed = true;
    broker.answer = REASON_TOPIC_GONE;
    watch(fixture, 100);
    assert_int_equal(fixture->coordinator.assignment.count, 0);
    assert_int_equal(broker.joins, 1);
    watch(fixture, MINUTE_MS);
    assert_int_equal(broker.joins, 1);
    assert_in_range(broker.looks, 10, 15);
    assert_true(fixture->coordinator.topic.away);
    broker.answer = REASON_NONE;
    watch(fixture, 6 * SECOND_MS);
    assert_false(fixture->coordinator.topic.away);
}

/* Its offsets may be those of the topic before. */
static void
test_watch_missed_topic_that_is_there_begins_anew_once(void **state)
{
    Fixture *fixture = *state;
    assign_one(fixture);
    broker.missed = true;
    watch(fixture, 100);
    assert_int_equal(fixture->coordinator.assignment.count, 0);
    assert_int_equal(broker.joins, 1);
    assign_one(fixture);
    watch(fixture, MINUTE_MS);
    assert_int_equal(broker.joins, 1);
}

static void
test_watch_brokers_that_do_not_answer_change_nothing(void **state)
{
    Fixture *fixture = *state;
    assign_one(fixture);
    broker.missed = true;
    broker.answer = REASON_KAFKA_UNREACHABLE;
    watch(fixture, MINUTE_MS);
    assert_int_equal(fixture->coordinator.assignment.count, 1);
    assert_in_range(broker.looks, 10, 15);
    broker.answer = REASON_NONE;
    watch(fixture, 6 * SECOND_MS);
    assert_int_equal(broker.joins, 1);
}

static void
test_watch_rebalance_is_not_disturbed(void **state)
{
    Fixture *fixture = *state;
    broker.group_is_idle = true;
    broker.missed = true;
    coordinator_set_phase(&fixture->coordinator, PHASE_ASSIGNING);
    watch(fixture, MINUTE_MS);
    assert_int_equal(broker.looks, 0);
}

int
main(void)
{
    log_init(LOG_ERROR, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_watch_worker_with_partitions_does_not_look, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_watch_surplus_worker_looks_now_and_then_and_joins_never, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watch_group_without_partitions_is_joined_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_watch_missed_topic_that_is_away_loses_the_partitions_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watch_missed_topic_that_is_there_begins_anew_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watch_brokers_that_do_not_answer_change_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watch_rebalance_is_not_disturbed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

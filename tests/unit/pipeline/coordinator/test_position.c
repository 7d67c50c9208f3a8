/* What becomes of a lane when the broker moves its position, with a consumer that only pretends. */
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/coordinator/coordinator_private.h"

enum {
    PARTITION = 2,
    ACCEPTED = 10,
    END = MADE_FIRST_OFFSET + ACCEPTED,
};

/* What the broker told last. */
static struct {
    bool known;
    int64_t first;
    int64_t end;
    int resumed;
} broker;

bool
kafka_consumer_bounds(const KafkaConsumer *consumer, int32_t partition, int64_t *ret_first,
                      int64_t *ret_end)
{
    (void)consumer;
    assert_int_equal(partition, PARTITION);
    *ret_first = broker.first;
    *ret_end = broker.end;
    return broker.known;
}

bool
kafka_consumer_resume(KafkaConsumer *consumer, int32_t partition, Error *err)
{
    (void)consumer;
    (void)err;
    assert_int_equal(partition, PARTITION);
    broker.resumed++;
    return true;
}

bool
kafka_consumer_commit(KafkaConsumer *consumer, const KafkaOffset *offsets, size_t count, Error *err)
{
    (void)consumer;
    (void)offsets;
    (void)count;
    (void)err;
    return true;
}

size_t
kafka_consumer_commits_pending(const KafkaConsumer *consumer)
{
    (void)consumer;
    return 0;
}

size_t
kafka_consumer_commits_failed(const KafkaConsumer *consumer)
{
    (void)consumer;
    return 0;
}

typedef struct Fixture {
    PipelineShared shared;
    Coordinator coordinator;
    Lane *lane; /* a reference of the test's */
} Fixture;

static int
set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    memset(&broker, 0, sizeof(broker));
    fixture->shared.clock = clock_system();
    fixture->shared.batcher = batcher_new(1, 10, clock_system());
    assert_non_null(fixture->shared.batcher);
    fixture->coordinator.shared = &fixture->shared;
    fixture->coordinator.assignment.lanes = calloc(1, sizeof(Lane *));
    fixture->coordinator.assignment.count = 1;
    fixture->lane = made_lane(PARTITION, ACCEPTED);
    fixture->coordinator.assignment.lanes[0] = lane_ref(fixture->lane);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    (void)assignment_end(&fixture->coordinator.assignment, fixture->shared.batcher);
    lane_unref(fixture->lane);
    batcher_free(fixture->shared.batcher);
    free(fixture);
    return 0;
}

static void
the_topic_holds(int64_t first, int64_t end)
{
    broker.known = true;
    broker.first = first;
    broker.end = end;
}

static Lane *
follow(Fixture *fixture, int64_t offset)
{
    const Record record = {.topic = "commands", .partition = PARTITION, .offset = offset};
    return coordinator_follow_position(&fixture->coordinator, fixture->lane, &record);
}

static void
begins_anew(Fixture *fixture, int64_t offset)
{
    batcher_add(fixture->shared.batcher,
                made_job(fixture->lane, MADE_FIRST_OFFSET, COMMAND_SCHEDULED_CLEANUP, "id", ""));
    Lane *lane = follow(fixture, offset);
    assert_ptr_not_equal(lane, fixture->lane);
    assert_ptr_equal(assignment_lane(&fixture->coordinator.assignment, PARTITION), lane);
    assert_int_equal(lane_state(fixture->lane), LANE_DEAD);
    assert_int_equal(lane_state(lane), LANE_OPEN);
    assert_int_equal(fixture->coordinator.counts.dropped, 1);
    assert_int_equal(lane_accept(lane, offset, 1), OFFSET_STARTED);
    assert_int_equal(lane_position(lane), offset + 1);
}

static void
test_topic_that_ends_below_the_position_begins_anew(void **state)
{
    the_topic_holds(0, END - 1);
    begins_anew(*state, 3);
}

static void
test_first_record_of_the_topic_begins_anew(void **state)
{
    the_topic_holds(0, END + 1000); /* it has grown past the position since */
    begins_anew(*state, 0);
}

static void
test_record_that_was_read_before_stays_with_its_lane(void **state)
{
    Fixture *fixture = *state;
    the_topic_holds(0, END);
    assert_ptr_equal(follow(fixture, MADE_FIRST_OFFSET), fixture->lane);
    broker.known = false;
    assert_ptr_equal(follow(fixture, 0), fixture->lane);
    assert_int_equal(lane_state(fixture->lane), LANE_OPEN);
}

static void
test_gap_stays_with_its_lane(void **state)
{
    Fixture *fixture = *state;
    the_topic_holds(END + 50, END + 100);
    assert_ptr_equal(follow(fixture, END + 50), fixture->lane);
    the_topic_holds(0, END + 100);
    assert_ptr_equal(follow(fixture, END + 1), fixture->lane);
    assert_int_equal(lane_state(fixture->lane), LANE_OPEN);
}

static void
test_paused_partition_is_resumed_for_its_new_lane(void **state)
{
    Fixture *fixture = *state;
    const LaneMarks marks = {.high_commands = 1, .high_bytes = 1, .high_ahead = 1};
    assert_int_equal(lane_flow(fixture->lane, &marks), LANE_FLOW_PAUSE);
    the_topic_holds(0, 1);
    begins_anew(fixture, 0);
    assert_int_equal(broker.resumed, 1);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_topic_that_ends_below_the_position_begins_anew),
        CASE(test_first_record_of_the_topic_begins_anew),
        CASE(test_record_that_was_read_before_stays_with_its_lane),
        CASE(test_gap_stays_with_its_lane),
        CASE(test_paused_partition_is_resumed_for_its_new_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rebalances, fencings and signals in any order, with a consumer that only pretends. An illegal
 * phase or lane state would end this process. */
#include "common/log.h"
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/coordinator/coordinator_private.h"

enum {
    SEEDS = 200,
    STEPS = 300,
    STEPS_TO_STOP = 2000,
    TICK_MS = 500,
    GRACE_MS = 3000,
    BUSY_MAX = 4,
    PARTITIONS = 3,
};

static const int32_t partitions[PARTITIONS] = {0, 1, 2};

/* The pretended group. */
static struct {
    unsigned seed;
    bool pending; /* there is a rebalance without an answer */
    KafkaRebalance rebalance;
    size_t commits_pending;
    int assigned;
    int unassigned;
    int64_t publisher_deadline_ms;
} group;

struct KafkaLookup {
    int number;
};

static KafkaLookup lookup;

static unsigned
chance(unsigned limit)
{
    group.seed = group.seed * 1103515245U + 12345U;
    return (group.seed >> 16) % limit;
}

const KafkaRebalance *
kafka_consumer_rebalance(const KafkaConsumer *consumer)
{
    (void)consumer;
    return group.pending ? &group.rebalance : NULL;
}

bool
kafka_consumer_assign(KafkaConsumer *consumer, const KafkaLookup *committed, Error *err)
{
    (void)consumer;
    (void)committed;
    (void)err;
    assert_true(group.pending);
    assert_int_equal(group.rebalance.kind, KAFKA_REBALANCE_ASSIGN);
    group.pending = false;
    group.assigned++;
    return true;
}

bool
kafka_consumer_unassign(KafkaConsumer *consumer, Error *err)
{
    (void)consumer;
    (void)err;
    group.pending = false;
    group.unassigned++;
    return true;
}

bool
kafka_consumer_pause(KafkaConsumer *consumer, int32_t partition, Error *err)
{
    (void)consumer;
    (void)partition;
    (void)err;
    return true;
}

bool
kafka_consumer_lookup(KafkaConsumer *consumer, KafkaLookup **ret_lookup, Error *err)
{
    (void)consumer;
    (void)err;
    *ret_lookup = &lookup;
    return true;
}

KafkaAnswer
kafka_lookup_poll(KafkaLookup *asked, int timeout_ms, Error *err)
{
    static const KafkaAnswer answers[] = {KAFKA_ANSWER_PENDING, KAFKA_ANSWER_READY,
                                          KAFKA_ANSWER_FAILED};
    (void)asked;
    (void)timeout_ms;
    const KafkaAnswer answer = answers[chance(ARRAY_LEN(answers))];
    if (answer == KAFKA_ANSWER_FAILED)
        (void)error_set(err, REASON_OFFSETS_UNSTABLE, "a transaction is open");
    return answer;
}

KafkaOffset
kafka_lookup_offset(const KafkaLookup *asked, int32_t partition)
{
    (void)asked;
    return (KafkaOffset){.partition = partition, .offset = KAFKA_OFFSET_NONE};
}

void
kafka_lookup_free(KafkaLookup *asked)
{
    (void)asked;
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
    return group.commits_pending;
}

size_t
kafka_consumer_commits_failed(const KafkaConsumer *consumer)
{
    (void)consumer;
    return 0;
}

void
publisher_set_deadline(Publisher *publisher, int64_t deadline_ms)
{
    (void)publisher;
    group.publisher_deadline_ms = deadline_ms;
}

typedef struct Fixture {
    int64_t now_ms;
    Clock clock;
    PipelineSettings settings;
    PipelineShared shared;
    Coordinator coordinator;
    Lane *busy[BUSY_MAX];
} Fixture;

static int64_t
fake_monotonic_ms(void *state)
{
    const Fixture *fixture = state;
    return fixture->now_ms;
}

static void
begin(Fixture *fixture, unsigned seed)
{
    memset(&group, 0, sizeof(group));
    *fixture = (Fixture){.now_ms = 1000000};
    group.seed = seed;
    fixture->clock = (Clock){NULL, fake_monotonic_ms, fixture};
    fixture->settings = (PipelineSettings){.shutdown_grace_ms = GRACE_MS};
    fixture->shared = (PipelineShared){.settings = &fixture->settings, .clock = &fixture->clock};
    fixture->shared.batcher = batcher_new(1, 1, &fixture->clock);
    fixture->coordinator.shared = &fixture->shared;
    assert_non_null(fixture->shared.batcher);
}

static void
end(Fixture *fixture)
{
    coordinator_drop_lanes(&fixture->coordinator);
    batcher_free(fixture->shared.batcher);
}

static void
let_go(Fixture *fixture, size_t i)
{
    if (fixture->busy[i] != NULL)
        lane_unref_busy(fixture->busy[i]);
    fixture->busy[i] = NULL;
}

/* A lane gets something under way, or one loses it. */
static void
change_busy(Fixture *fixture)
{
    const Assignment *assignment = &fixture->coordinator.assignment;
    const size_t i = chance(BUSY_MAX);
    if (fixture->busy[i] != NULL)
        let_go(fixture, i);
    else if (assignment->count > 0)
        fixture->busy[i] = lane_ref_busy(assignment->lanes[chance((unsigned)assignment->count)]);
}

static void
begin_rebalance(KafkaRebalanceKind kind, bool lost, size_t count)
{
    group.pending = true;
    group.rebalance =
        (KafkaRebalance){.kind = kind, .lost = lost, .partitions = partitions, .count = count};
}

/* What happens to the coordinator between two of its turns. */
static void
happen(Fixture *fixture)
{
    switch (chance(8)) {
    case 0:
    case 1:
    case 2:
        if (!group.pending)
            begin_rebalance(chance(2) == 0 ? KAFKA_REBALANCE_ASSIGN : KAFKA_REBALANCE_REVOKE,
                            chance(4) == 0, chance(PARTITIONS + 1));
        break;
    case 3:
        group.rebalance.lost = true; /* the group moves on before the answer */
        break;
    case 4:
        group.commits_pending = chance(2);
        break;
    case 5:
        if (chance(10) == 0) {
            /* Fenced; a new consumer follows. */
            coordinator_lose_partitions(&fixture->coordinator);
            group.pending = false;
        }
        break;
    default:
        change_busy(fixture);
        break;
    }
}

static void
assert_consistent(const Coordinator *coordinator)
{
    if (coordinator->phase == PHASE_RUNNING)
        assert_false(coordinator->draining);
    if (coordinator->phase == PHASE_STOPPED)
        assert_true(coordinator->draining);
    if (coordinator->phase == PHASE_STOPPED || coordinator->phase == PHASE_ASSIGNING)
        assert_int_equal(coordinator->assignment.count, 0);
    for (size_t i = 0; i < coordinator->assignment.count; i++)
        assert_int_equal(lane_state(coordinator->assignment.lanes[i]),
                         coordinator->phase == PHASE_RUNNING ? LANE_OPEN : LANE_CLOSING);
}

static void
turn(Fixture *fixture)
{
    Error err = {0};
    fixture->now_ms += chance(TICK_MS);
    assert_true(coordinator_serve_rebalance(&fixture->coordinator, &err));
    coordinator_advance_phase(&fixture->coordinator);
    assert_consistent(&fixture->coordinator);
}

/* Notes in `seen` the phases it comes through. */
static void
run(Fixture *fixture, bool seen[PHASE_STOPPED + 1])
{
    Coordinator *coordinator = &fixture->coordinator;
    for (int step = 0; step < STEPS; step++) {
        happen(fixture);
        turn(fixture);
        seen[coordinator->phase] = true;
    }
    coordinator_begin_drain(coordinator);
    assert_true(group.publisher_deadline_ms > 0);
    for (int step = 0; step < STEPS_TO_STOP && coordinator->phase != PHASE_STOPPED; step++) {
        happen(fixture);
        turn(fixture);
        seen[coordinator->phase] = true;
    }
    assert_int_equal(coordinator->phase, PHASE_STOPPED);
    for (size_t i = 0; i < BUSY_MAX; i++)
        let_go(fixture, i);
}

static void
test_rebalances_in_any_order_end_in_the_drain(void **state)
{
    (void)state;
    bool seen[PHASE_STOPPED + 1] = {false};
    int assigned = 0;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        Fixture fixture;
        begin(&fixture, seed);
        fixture.settings.exactly_once = seed % 2 == 0;
        run(&fixture, seen);
        end(&fixture);
        assigned += group.assigned;
    }
    assert_true(assigned > SEEDS);
    for (size_t phase = 0; phase < ARRAY_LEN(seen); phase++)
        assert_true(seen[phase]);
}

/* In a revoke the lanes are closed, then committed, then dead, and the answer comes last. */
static void
test_revoke_waits_for_what_is_under_way_and_is_answered_last(void **state)
{
    (void)state;
    Fixture fixture;
    Error err = {0};
    begin(&fixture, 1);
    Coordinator *coordinator = &fixture.coordinator;
    (void)error_set(&coordinator->kept_out, REASON_ASSIGNOR_DIFFERS, "another assignor");
    begin_rebalance(KAFKA_REBALANCE_ASSIGN, false, PARTITIONS);
    while (group.assigned == 0) {
        fixture.now_ms += TICK_MS;
        assert_true(coordinator_serve_rebalance(coordinator, &err));
    }
    assert_int_equal(coordinator->phase, PHASE_RUNNING);
    assert_int_equal(coordinator->kept_out.kind, ERROR_NONE);
    Lane *lane = lane_ref_busy(coordinator->assignment.lanes[0]);
    begin_rebalance(KAFKA_REBALANCE_REVOKE, false, PARTITIONS);
    group.commits_pending = 1;
    assert_true(coordinator_serve_rebalance(coordinator, &err));
    coordinator_advance_phase(coordinator);
    assert_int_equal(coordinator->phase, PHASE_FINISHING);
    assert_int_equal(lane_state(lane), LANE_CLOSING);
    Lane *kept = lane_ref(lane);
    lane_unref_busy(lane);
    coordinator_advance_phase(coordinator);
    assert_int_equal(coordinator->phase, PHASE_COMMITTING);
    coordinator_advance_phase(coordinator);
    assert_int_equal(group.unassigned, 0);
    group.commits_pending = 0;
    coordinator_advance_phase(coordinator);
    assert_int_equal(coordinator->phase, PHASE_RUNNING);
    assert_int_equal(lane_state(kept), LANE_DEAD);
    assert_int_equal(group.unassigned, 1);
    lane_unref(kept);
    end(&fixture);
}

/* What is finished of it must not be committed for the topic that is made in its place. */
static void
test_revoke_of_a_missed_topic_waits_for_nothing_and_commits_nothing(void **state)
{
    (void)state;
    Fixture fixture;
    Error err = {0};
    begin(&fixture, 1);
    Coordinator *coordinator = &fixture.coordinator;
    begin_rebalance(KAFKA_REBALANCE_ASSIGN, false, PARTITIONS);
    while (group.assigned == 0) {
        fixture.now_ms += TICK_MS;
        assert_true(coordinator_serve_rebalance(coordinator, &err));
    }
    Lane *lane = lane_ref_busy(coordinator->assignment.lanes[0]);
    coordinator->topic.missed = true;
    begin_rebalance(KAFKA_REBALANCE_REVOKE, false, PARTITIONS);
    assert_true(coordinator_serve_rebalance(coordinator, &err));
    assert_int_equal(coordinator->phase, PHASE_RUNNING);
    assert_int_equal(lane_state(lane), LANE_DEAD);
    assert_int_equal(group.unassigned, 1);
    lane_unref_busy(lane);
    end(&fixture);
}

int
main(void)
{
    log_init(LOG_ERROR, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rebalances_in_any_order_end_in_the_drain),
        cmocka_unit_test(test_revoke_waits_for_what_is_under_way_and_is_answered_last),
        cmocka_unit_test(test_revoke_of_a_missed_topic_waits_for_nothing_and_commits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

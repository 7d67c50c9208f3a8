/* The publisher with a delivery that only pretends: it says of each outcome what the test wants. */
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/publisher/delivery.h"
#include "worker/pipeline/publisher/publisher.h"
#include "worker/pipeline/publisher/round.h"

#include <poll.h>
#include <stdatomic.h>

enum {
    OFFSETS = 3,
    PATIENCE_MS = 60 * 1000,
    UNTIL_LOOKED_MS = 100, /* some looks of the publisher's thread */
    SET_COMMANDS = 2,
};

typedef enum Answer { ANSWER_DELIVERED, ANSWER_DROPPED, ANSWER_KEPT } Answer;

/* The pretended delivery; only the publisher's thread uses it while that runs. */
static struct {
    DeliveryHooks hooks;
    Answer answer;
    OutgoingList kept;
    bool opened_exactly_once;
} delivery;

static void
pretend_send(void *state, Outgoing *item)
{
    (void)state;
    if (delivery.answer == ANSWER_KEPT)
        outgoing_list_add(&delivery.kept, item);
    else
        delivery.hooks.done(delivery.hooks.publisher, item, delivery.answer == ANSWER_DELIVERED);
}

static void
pretend_turn(void *state, int timeout_ms, int64_t deadline_ms)
{
    (void)state;
    (void)timeout_ms;
    (void)deadline_ms;
}

static bool
pretend_is_waiting(const void *state)
{
    (void)state;
    return false;
}

static size_t
pretend_held(const void *state)
{
    (void)state;
    return delivery.kept.count;
}

static void
pretend_close(void *state)
{
    (void)state;
    for (Outgoing *item = outgoing_list_take(&delivery.kept); item != NULL;
         item = outgoing_list_take(&delivery.kept))
        delivery.hooks.done(delivery.hooks.publisher, item, false);
}

static bool
open_delivery(const DeliveryHooks *hooks, Delivery *ret_delivery)
{
    delivery.hooks = *hooks;
    *ret_delivery = (Delivery){.send = pretend_send,
                               .turn = pretend_turn,
                               .is_waiting = pretend_is_waiting,
                               .held = pretend_held,
                               .close = pretend_close};
    return true;
}

bool
delivery_open_at_least_once(const PipelineSettings *settings, const Clock *clock,
                            const DeliveryHooks *hooks, Delivery *ret_delivery, Error *err)
{
    (void)settings;
    (void)clock;
    (void)err;
    return open_delivery(hooks, ret_delivery);
}

bool
delivery_open_exactly_once(const PipelineSettings *settings, const Clock *clock,
                           const DeliveryHooks *hooks, Delivery *ret_delivery, Error *err)
{
    (void)settings;
    (void)clock;
    (void)err;
    delivery.opened_exactly_once = true;
    return open_delivery(hooks, ret_delivery);
}

typedef struct Fixture {
    PipelineSettings settings;
    atomic_llong stands_at_ms; /* the clock; 0: it is the system's */
    Clock clock;
    Completions *completions;
    Batcher *batcher;
    Publisher *publisher;
    Lane *lane;
    CompletionList taken;
    size_t taken_count;
} Fixture;

static int64_t
fake_monotonic_ms(void *state)
{
    Fixture *fixture = state;
    const int64_t stands_at_ms = atomic_load(&fixture->stands_at_ms);
    return stands_at_ms > 0 ? stands_at_ms : clock_monotonic_ms(clock_system());
}

static int64_t
fake_now_us(void *state)
{
    return fake_monotonic_ms(state) * CLOCK_US_PER_MS;
}

static void
start(Fixture *fixture, Answer answer)
{
    Error err = {0};
    delivery.answer = answer;
    assert_true(publisher_start(&fixture->settings, &fixture->clock, fixture->completions,
                                fixture->batcher, &fixture->publisher, &err));
}

static int
set_up(void **state)
{
    Error err = {0};
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    memset(&delivery, 0, sizeof(delivery));
    outgoing_list_init(&delivery.kept);
    STAILQ_INIT(&fixture->taken);
    fixture->settings.queue_kib = 1024;
    atomic_init(&fixture->stands_at_ms, 0);
    fixture->clock = (Clock){fake_now_us, fake_monotonic_ms, fixture};
    fixture->batcher = batcher_new(1, SET_COMMANDS, &fixture->clock);
    assert_non_null(fixture->batcher);
    assert_true(completions_new(&fixture->completions, &err));
    fixture->lane = made_lane(0, OFFSETS);
    *state = fixture;
    return 0;
}

static void
stop(Fixture *fixture)
{
    atomic_store(&fixture->stands_at_ms, 0);
    assert_true(publisher_stop(fixture->publisher, clock_monotonic_ms(clock_system()) + 1000));
    fixture->publisher = NULL;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    stop(fixture);
    while (!STAILQ_EMPTY(&fixture->taken))
        completion_free(completion_list_take(&fixture->taken));
    completions_free(fixture->completions);
    batcher_free(fixture->batcher);
    assert_int_equal(lane_busy(fixture->lane), 0);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
push(Fixture *fixture, Outgoing *item)
{
    OutgoingList items = OUTGOING_LIST(items);
    outgoing_list_add(&items, item);
    publisher_push(fixture->publisher, &items, false);
    assert_int_equal(items.count, 0);
}

/* Waits for the next word of the publisher and takes what has come. */
static void
wait_for_word(Fixture *fixture)
{
    struct pollfd fd = {.fd = completions_fd(fixture->completions), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    completions_take(fixture->completions, &fixture->taken);
    fixture->taken_count = 0;
    const Completion *completion;
    STAILQ_FOREACH (completion, &fixture->taken, entry)
        fixture->taken_count += completion->commands;
}

static int64_t
committable(Lane *lane)
{
    Error err = {0};
    OffsetPlan plan;
    assert_true(lane_plan(lane, OFFSET_AHEAD_BYTES_MAX, &plan, &err));
    return plan.offset;
}

/* The offset is finished before the coordinator is told, and the lane is busy until it has
 * listened. */
static void
expect_end(Fixture *fixture)
{
    start(fixture, ANSWER_DELIVERED);
    Outgoing *item = made_outgoing(fixture->lane, MADE_FIRST_OFFSET, "{}", NULL);
    const size_t size_bytes = job_size(record_size(item->source));
    assert_int_equal(lane_busy(fixture->lane), 1);
    push(fixture, item);
    wait_for_word(fixture);
    assert_int_equal(committable(fixture->lane), MADE_FIRST_OFFSET + 1);
    assert_true(lane_has_uncommitted(fixture->lane));
    assert_int_equal(fixture->taken_count, 1);
    assert_int_equal(STAILQ_FIRST(&fixture->taken)->size_bytes, size_bytes);
    stop(fixture);
    assert_int_equal(lane_busy(fixture->lane), 1);
    completion_free(completion_list_take(&fixture->taken));
    assert_int_equal(lane_busy(fixture->lane), 0);
}

static void
test_delivered_outcome_ends_its_command_at_least_once(void **state)
{
    expect_end(*state);
    assert_false(delivery.opened_exactly_once);
}

static void
test_delivered_outcome_ends_its_command_exactly_once(void **state)
{
    Fixture *fixture = *state;
    fixture->settings.exactly_once = true;
    expect_end(fixture);
    assert_true(delivery.opened_exactly_once);
}

static void
test_dropped_outcome_ends_nothing(void **state)
{
    Fixture *fixture = *state;
    start(fixture, ANSWER_DROPPED);
    push(fixture, made_outgoing(fixture->lane, MADE_FIRST_OFFSET, "{}", NULL));
    stop(fixture);
    assert_int_equal(lane_busy(fixture->lane), 0);
    assert_int_equal(committable(fixture->lane), MADE_FIRST_OFFSET);
    completions_take(fixture->completions, &fixture->taken);
    assert_true(STAILQ_EMPTY(&fixture->taken));
}

static void
test_delivered_progress_ends_nothing(void **state)
{
    Fixture *fixture = *state;
    start(fixture, ANSWER_DELIVERED);
    push(fixture, made_progress(fixture->lane, MADE_FIRST_OFFSET));
    assert_int_equal(lane_busy(fixture->lane), 0);
    stop(fixture);
    assert_int_equal(committable(fixture->lane), MADE_FIRST_OFFSET);
    completions_take(fixture->completions, &fixture->taken);
    assert_true(STAILQ_EMPTY(&fixture->taken));
}

static void
test_outcome_of_an_offset_that_never_started_fails_the_process(void **state)
{
    Fixture *fixture = *state;
    Error err = {0};
    start(fixture, ANSWER_DELIVERED);
    push(fixture, made_outgoing(fixture->lane, MADE_FIRST_OFFSET + OFFSETS, "{}", NULL));
    wait_for_word(fixture);
    assert_false(completions_check(fixture->completions, &err));
    assert_int_equal(err.reason, REASON_OFFSET_UNKNOWN);
    stop(fixture);
    assert_int_equal(lane_busy(fixture->lane), 0);
    completions_take(fixture->completions, &fixture->taken);
    assert_true(STAILQ_EMPTY(&fixture->taken));
}

static void
test_stop_gives_up_what_is_held(void **state)
{
    Fixture *fixture = *state;
    start(fixture, ANSWER_KEPT);
    push(fixture, made_outgoing(fixture->lane, MADE_FIRST_OFFSET, "{}", NULL));
    stop(fixture);
    assert_int_equal(delivery.kept.count, 0);
    assert_int_equal(lane_busy(fixture->lane), 0);
    assert_int_equal(committable(fixture->lane), MADE_FIRST_OFFSET);
}

/* A whole set waits for an executor, and time stands still. */
static void
add_backlog(Fixture *fixture)
{
    atomic_store(&fixture->stands_at_ms, clock_monotonic_ms(clock_system()));
    for (int i = 0; i < SET_COMMANDS; i++) {
        char id[] = {(char)('a' + i), '\0'};
        batcher_add(fixture->batcher, made_job(fixture->lane, MADE_FIRST_OFFSET + 1 + i,
                                               COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, id, id));
    }
}

static Outgoing *
made_per_user_outgoing(Fixture *fixture)
{
    Outgoing *item = made_outgoing(fixture->lane, MADE_FIRST_OFFSET, "{}", NULL);
    item->is_urgent = false;
    return item;
}

static void
expect_gathered(Fixture *fixture)
{
    struct pollfd fd = {.fd = completions_fd(fixture->completions), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, UNTIL_LOOKED_MS), 0);
}

static void
test_outcome_is_gathered_during_a_backlog_for_its_time(void **state)
{
    Fixture *fixture = *state;
    fixture->settings.exactly_once = true;
    add_backlog(fixture);
    start(fixture, ANSWER_DELIVERED);
    push(fixture, made_per_user_outgoing(fixture));
    expect_gathered(fixture);
    atomic_fetch_add(&fixture->stands_at_ms, ROUND_GATHER_MS);
    wait_for_word(fixture);
    assert_int_equal(fixture->taken_count, 1);
    batcher_stop(fixture->batcher);
}

static void
test_outcome_goes_when_the_backlog_has_gone(void **state)
{
    Fixture *fixture = *state;
    fixture->settings.exactly_once = true;
    add_backlog(fixture);
    start(fixture, ANSWER_DELIVERED);
    push(fixture, made_per_user_outgoing(fixture));
    expect_gathered(fixture);
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    wait_for_word(fixture);
    assert_int_equal(fixture->taken_count, 1);
    batcher_end_unit(fixture->batcher, unit);
}

static void
test_urgent_outcome_takes_the_gathered_along(void **state)
{
    Fixture *fixture = *state;
    fixture->settings.exactly_once = true;
    add_backlog(fixture);
    start(fixture, ANSWER_DELIVERED);
    push(fixture, made_per_user_outgoing(fixture));
    expect_gathered(fixture);
    push(fixture, made_outgoing(fixture->lane, MADE_FIRST_OFFSET + 1, "{}", NULL));
    wait_for_word(fixture);
    assert_int_equal(fixture->taken_count, 2);
}

static void
test_at_least_once_gathers_nothing(void **state)
{
    Fixture *fixture = *state;
    add_backlog(fixture);
    start(fixture, ANSWER_DELIVERED);
    push(fixture, made_per_user_outgoing(fixture));
    wait_for_word(fixture);
    assert_int_equal(fixture->taken_count, 1);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_delivered_outcome_ends_its_command_at_least_once),
        CASE(test_delivered_outcome_ends_its_command_exactly_once),
        CASE(test_dropped_outcome_ends_nothing),
        CASE(test_delivered_progress_ends_nothing),
        CASE(test_outcome_of_an_offset_that_never_started_fails_the_process),
        CASE(test_stop_gives_up_what_is_held),
        CASE(test_outcome_is_gathered_during_a_backlog_for_its_time),
        CASE(test_outcome_goes_when_the_backlog_has_gone),
        CASE(test_urgent_outcome_takes_the_gathered_along),
        CASE(test_at_least_once_gathers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

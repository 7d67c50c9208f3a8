#include "common/log.h"
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/queue/hold.h"

enum {
    START_MS = 1000000,
    FIRST_MS = 100,
    MAX_MS = 1000,
    MINUTE_MS = 60 * 1000,
};

/* How often each line was logged. */
static struct {
    int begins;
    int ends;
} told;

void __wrap_log_event(LogLevel level, const char *message, const LogField *fields, size_t count);

void
__wrap_log_event(LogLevel level, const char *message, const LogField *fields, size_t count)
{
    (void)level;
    (void)fields;
    (void)count;
    told.begins += strstr(message, "hold begins") != NULL;
    told.ends += strstr(message, "hold ends") != NULL;
}

typedef struct Fixture {
    int64_t now_ms;
    Clock clock;
    Batcher *batcher;
    Hold *hold;
    Lane *lane;
    unsigned seed;
    Error cause;
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
    told.begins = 0;
    told.ends = 0;
    fixture->now_ms = START_MS;
    fixture->clock = (Clock){NULL, fake_monotonic_ms, fixture};
    fixture->batcher = batcher_new(1, 1, &fixture->clock);
    fixture->hold = hold_new(fixture->batcher, MAX_MS, &fixture->clock);
    fixture->lane = lane_new(0, NULL);
    assert_non_null(fixture->hold);
    (void)error_set(&fixture->cause, REASON_CONNECTION_LOST, "away");
    batcher_add(fixture->batcher,
                made_job(fixture->lane, 0, COMMAND_CLEANUP_INACTIVE_SESSIONS, "id", ""));
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    hold_free(fixture->hold);
    batcher_free(fixture->batcher);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
hold(Fixture *fixture)
{
    hold_all(fixture->hold, &fixture->cause, &fixture->seed);
}

/* Takes the job and puts it back. */
static bool
hands_out(Fixture *fixture)
{
    Unit *unit = batcher_take(fixture->batcher, 0);
    if (unit == NULL)
        return false;
    assert_true(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_FRONT, 0));
    batcher_end_unit(fixture->batcher, unit);
    return true;
}

/* Nothing is handed out before half of the span has passed, something is after all of it. */
static void
assert_holds(Fixture *fixture, int span_ms)
{
    const int64_t from_ms = fixture->now_ms;
    fixture->now_ms = from_ms + span_ms / 2 - 1;
    assert_false(hands_out(fixture));
    fixture->now_ms = from_ms + span_ms;
    assert_true(hands_out(fixture));
}

static void
test_hold_all_waits_longer_each_time_up_to_the_maximum(void **state)
{
    Fixture *fixture = *state;
    static const int spans_ms[] = {FIRST_MS,     2 * FIRST_MS, 4 * FIRST_MS,
                                   8 * FIRST_MS, MAX_MS,       MAX_MS};
    for (size_t i = 0; i < ARRAY_LEN(spans_ms); i++) {
        hold(fixture);
        assert_holds(fixture, spans_ms[i]);
    }
}

static void
test_hold_all_of_executors_that_fail_together_counts_once(void **state)
{
    Fixture *fixture = *state;
    for (int i = 0; i < 10; i++)
        hold(fixture);
    assert_holds(fixture, FIRST_MS);
}

static void
test_hold_is_logged_at_its_begin_and_its_end(void **state)
{
    Fixture *fixture = *state;
    hold_end(fixture->hold);
    assert_int_equal(told.ends, 0);
    hold(fixture);
    fixture->now_ms += MINUTE_MS;
    hold(fixture);
    assert_int_equal(told.begins, 1);
    assert_int_equal(told.ends, 0);
    hold_end(fixture->hold);
    hold_end(fixture->hold);
    assert_int_equal(told.ends, 1);
    hold(fixture);
    assert_int_equal(told.begins, 2);
}

static void
test_hold_end_hands_out_at_once_and_the_next_hold_is_short(void **state)
{
    Fixture *fixture = *state;
    for (int i = 0; i < 4; i++) {
        hold(fixture);
        fixture->now_ms += MAX_MS;
    }
    hold(fixture);
    assert_false(hands_out(fixture));
    hold_end(fixture->hold);
    assert_true(hands_out(fixture));
    hold(fixture);
    assert_holds(fixture, FIRST_MS);
}

static void
test_one_is_news_once_a_minute(void **state)
{
    Fixture *fixture = *state;
    assert_true(hold_one_is_news(fixture->hold));
    assert_false(hold_one_is_news(fixture->hold));
    fixture->now_ms += MINUTE_MS - 1;
    assert_false(hold_one_is_news(fixture->hold));
    fixture->now_ms++;
    assert_true(hold_one_is_news(fixture->hold));
    assert_false(hold_one_is_news(fixture->hold));
    assert_true(hands_out(fixture)); /* it holds nothing */
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_hold_all_waits_longer_each_time_up_to_the_maximum),
        CASE(test_hold_all_of_executors_that_fail_together_counts_once),
        CASE(test_hold_is_logged_at_its_begin_and_its_end),
        CASE(test_hold_end_hands_out_at_once_and_the_next_hold_is_short),
        CASE(test_one_is_news_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How large the sets are that a batcher makes, and when it has a backlog of them. */
#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/queue/batcher.h"

enum {
    MANY = 8 * BATCHER_FIRST_SET,
    SET_COMMANDS = 100,
    TEXT_BYTES = 40,
};

typedef struct Fixture {
    int64_t now_ms;
    Clock clock;
    Batcher *batcher;
    Lane *lane;
    int64_t next_offset;
} Fixture;

static int64_t
fake_monotonic_ms(void *state)
{
    const Fixture *fixture = state;
    return fixture->now_ms;
}

static int64_t
fake_now_us(void *state)
{
    return fake_monotonic_ms(state) * CLOCK_US_PER_MS;
}

static int
set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->now_ms = 1000;
    fixture->clock = (Clock){fake_now_us, fake_monotonic_ms, fixture};
    fixture->lane = lane_new(0, NULL);
    assert_non_null(fixture->lane);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    batcher_free(fixture->batcher);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
add_users(Fixture *fixture, int count)
{
    for (int i = 0; i < count; i++) {
        char name[TEXT_BYTES];
        const int64_t offset = fixture->next_offset++;
        assert_true(snprintf(name, sizeof(name), "n-%d", (int)offset) > 0);
        batcher_add(fixture->batcher,
                    made_job(fixture->lane, offset, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER,
                             name, name));
    }
}

static void
note(Fixture *fixture, size_t commands, int64_t locked_ms)
{
    const BatchTime time = {.locked_ms = locked_ms};
    batcher_note_set(fixture->batcher, commands, &time);
}

static size_t
take_count(Fixture *fixture)
{
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    const size_t count = unit->count;
    batcher_end_unit(fixture->batcher, unit);
    return count;
}

/* One executor, so that a set takes what it may. */
static void
start(Fixture *fixture, int most, int commands)
{
    fixture->batcher = batcher_new(1, most, &fixture->clock);
    assert_non_null(fixture->batcher);
    add_users(fixture, commands);
}

static void
test_set_that_locks_shortly_is_followed_by_a_larger_one(void **state)
{
    Fixture *fixture = *state;
    start(fixture, 3 * BATCHER_FIRST_SET, MANY);
    assert_int_equal(take_count(fixture), BATCHER_FIRST_SET);
    note(fixture, BATCHER_FIRST_SET, SET_AIM_MS / 2 - 1);
    assert_int_equal(take_count(fixture), 2 * BATCHER_FIRST_SET);
    note(fixture, 2 * BATCHER_FIRST_SET, SET_AIM_MS / 2);
    assert_int_equal(take_count(fixture), 2 * BATCHER_FIRST_SET);
    note(fixture, 2 * BATCHER_FIRST_SET, 1);
    assert_int_equal(take_count(fixture), 3 * BATCHER_FIRST_SET);
}

/* What a set that was not a whole one has time for, is not known. */
static void
test_part_of_a_set_makes_no_larger_one(void **state)
{
    Fixture *fixture = *state;
    start(fixture, 3 * BATCHER_FIRST_SET, MANY);
    note(fixture, BATCHER_FIRST_SET - 1, 0);
    assert_int_equal(take_count(fixture), BATCHER_FIRST_SET);
}

static void
test_set_that_locks_for_long_is_followed_by_a_smaller_one(void **state)
{
    Fixture *fixture = *state;
    start(fixture, BATCHER_FIRST_SET, MANY);
    note(fixture, BATCHER_FIRST_SET, SET_AIM_MS + 1);
    assert_int_equal(take_count(fixture), BATCHER_FIRST_SET / 2);
    note(fixture, BATCHER_LEAST_SET + 1, SET_AIM_MS + 1);
    assert_int_equal(take_count(fixture), BATCHER_LEAST_SET);
    note(fixture, BATCHER_LEAST_SET, 0);
    assert_int_equal(take_count(fixture), 2 * BATCHER_LEAST_SET);
}

/* It cannot be divided. */
static void
test_lone_command_that_locks_for_long_makes_no_smaller_set(void **state)
{
    Fixture *fixture = *state;
    start(fixture, BATCHER_FIRST_SET, MANY);
    note(fixture, 1, SET_AIM_MS + 1);
    assert_int_equal(take_count(fixture), BATCHER_FIRST_SET);
}

static void
test_sets_of_a_few_stay_small(void **state)
{
    Fixture *fixture = *state;
    start(fixture, 2, MANY);
    note(fixture, 2, SET_AIM_MS + 1);
    assert_int_equal(take_count(fixture), 2);
    note(fixture, 2, 0);
    assert_int_equal(take_count(fixture), 2);
}

static void
test_backlog_is_a_whole_set_that_waits(void **state)
{
    Fixture *fixture = *state;
    start(fixture, SET_COMMANDS, SET_COMMANDS - 1);
    assert_false(batcher_has_backlog(fixture->batcher));
    add_users(fixture, 1);
    assert_true(batcher_has_backlog(fixture->batcher));
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    assert_false(batcher_has_backlog(fixture->batcher));
    batcher_end_unit(fixture->batcher, unit);
}

static void
test_backlog_is_a_set_for_each_executor(void **state)
{
    Fixture *fixture = *state;
    fixture->batcher = batcher_new(2, SET_COMMANDS, &fixture->clock);
    assert_non_null(fixture->batcher);
    add_users(fixture, 2 * SET_COMMANDS - 1);
    assert_false(batcher_has_backlog(fixture->batcher));
    add_users(fixture, 1);
    assert_true(batcher_has_backlog(fixture->batcher));
}

static void
test_small_sets_make_no_backlog_of_a_few(void **state)
{
    Fixture *fixture = *state;
    start(fixture, BATCHER_FIRST_SET, BATCHER_FIRST_SET - 1);
    note(fixture, BATCHER_FIRST_SET, SET_AIM_MS + 1);
    assert_false(batcher_has_backlog(fixture->batcher));
    add_users(fixture, 1);
    assert_true(batcher_has_backlog(fixture->batcher));
}

static void
test_backlog_that_is_held_is_none(void **state)
{
    Fixture *fixture = *state;
    start(fixture, SET_COMMANDS, SET_COMMANDS);
    batcher_hold(fixture->batcher, fixture->now_ms + 100);
    assert_false(batcher_has_backlog(fixture->batcher));
    fixture->now_ms += 100;
    assert_true(batcher_has_backlog(fixture->batcher));
    batcher_stop(fixture->batcher);
    assert_false(batcher_has_backlog(fixture->batcher));
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_set_that_locks_shortly_is_followed_by_a_larger_one),
        CASE(test_part_of_a_set_makes_no_larger_one),
        CASE(test_set_that_locks_for_long_is_followed_by_a_smaller_one),
        CASE(test_lone_command_that_locks_for_long_makes_no_smaller_set),
        CASE(test_sets_of_a_few_stay_small),
        CASE(test_backlog_is_a_whole_set_that_waits),
        CASE(test_backlog_is_a_set_for_each_executor),
        CASE(test_small_sets_make_no_backlog_of_a_few),
        CASE(test_backlog_that_is_held_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

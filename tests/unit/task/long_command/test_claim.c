/* Who gets which range of a long command, without a database. */
#include "worker/task/long_command/long_command_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    NOW_MS = 1000,
    RANGES = 3,
};

/* Three ranges of sessions and the bookings; begun. */
static int
set_up(void **state)
{
    LongCommand *long_command = long_command_new();
    assert_non_null(long_command);
    long_command->begun = true;
    long_command->range_count = RANGES + 1;
    for (int i = 0; i < RANGES; i++)
        long_command->ranges[i] = (RangeRun){.target = &target_sessions, .range_no = i};
    long_command->ranges[RANGES] = (RangeRun){.target = &target_bookings};
    *state = long_command;
    return 0;
}

static int
tear_down(void **state)
{
    long_command_free(*state);
    return 0;
}

/* The claim, or -2 when there is none. */
static int
claim_at(LongCommand *long_command, int64_t now_ms)
{
    int claim = -2;
    return long_command_claim(long_command, now_ms, &claim) ? claim : -2;
}

static int
claim(LongCommand *long_command)
{
    return claim_at(long_command, NOW_MS);
}

/* Gives a range back as `run` says. */
static bool
give_back(LongCommand *long_command, int number, RangeRun run)
{
    run.target = number < RANGES ? &target_sessions : &target_bookings;
    return long_command_unclaim(long_command, number, &run);
}

static void
test_claim_before_the_begin_is_alone(void **state)
{
    LongCommand *long_command = *state;
    long_command->begun = false;
    assert_int_equal(claim(long_command), CLAIM_EXCLUSIVE);
    assert_int_equal(long_command_next_ms(long_command), 0);
}

static void
test_claim_gives_each_range_to_one_and_keeps_the_second_target_back(void **state)
{
    LongCommand *long_command = *state;
    for (int i = 0; i < RANGES; i++)
        assert_int_equal(claim(long_command), i);
    assert_int_equal(claim(long_command), -2);
    assert_true(long_command_next_ms(long_command) == INT64_MAX);
    assert_false(give_back(long_command, 1, (RangeRun){.not_before_ms = NOW_MS}));
    assert_int_equal(long_command_next_ms(long_command), NOW_MS);
    assert_int_equal(claim(long_command), 1);
    assert_int_equal(claim(long_command), -2);
}

static void
test_claim_of_the_second_target_waits_for_the_end_of_all_ranges(void **state)
{
    LongCommand *long_command = *state;
    for (int i = 0; i < RANGES; i++)
        assert_int_equal(claim(long_command), i);
    assert_false(give_back(long_command, 0, (RangeRun){.done = true}));
    assert_false(give_back(long_command, 2, (RangeRun){.done = true}));
    assert_int_equal(claim(long_command), -2);
    assert_false(give_back(long_command, 1, (RangeRun){.done = true}));
    assert_int_equal(claim(long_command), RANGES);
    assert_int_equal(claim(long_command), -2);
    assert_false(give_back(long_command, RANGES, (RangeRun){.done = true}));
    assert_int_equal(claim(long_command), CLAIM_EXCLUSIVE);
}

static void
test_claim_of_a_range_that_waits_comes_at_its_time(void **state)
{
    LongCommand *long_command = *state;
    for (int i = 0; i < RANGES; i++)
        (void)claim(long_command);
    (void)give_back(long_command, 0, (RangeRun){.done = true});
    (void)give_back(long_command, 1, (RangeRun){.not_before_ms = NOW_MS + 50, .attempts = 1});
    /* Range 2 runs, so the second target has to wait too. */
    assert_int_equal(claim(long_command), -2);
    assert_int_equal(long_command_next_ms(long_command), NOW_MS + 50);
    assert_int_equal(claim_at(long_command, NOW_MS + 49), -2);
    assert_int_equal(claim_at(long_command, NOW_MS + 50), 1);
    assert_int_equal(long_command_claimed_range(long_command, 1).attempts, 1);
}

static void
test_claim_while_all_sessions_wait_goes_to_the_second_target(void **state)
{
    LongCommand *long_command = *state;
    for (int i = 0; i < RANGES; i++)
        (void)claim(long_command);
    for (int i = 0; i < RANGES; i++)
        assert_false(
            give_back(long_command, i, (RangeRun){.held = true, .not_before_ms = NOW_MS + 5000}));
    assert_int_equal(claim(long_command), RANGES);
    assert_false(give_back(long_command, RANGES, (RangeRun){.not_before_ms = NOW_MS}));
    assert_int_equal(claim_at(long_command, NOW_MS + 1), RANGES);
}

static void
test_unclaim_tells_when_all_is_held_up_and_then_time_does_not_matter(void **state)
{
    LongCommand *long_command = *state;
    const RangeRun held = {.held = true, .not_before_ms = NOW_MS + 5000};
    for (int i = 0; i < RANGES; i++)
        (void)claim(long_command);
    (void)give_back(long_command, 0, (RangeRun){.done = true});
    assert_false(give_back(long_command, 1, held));
    assert_false(give_back(long_command, 2, held));
    assert_int_equal(claim(long_command), RANGES);
    assert_true(give_back(long_command, RANGES, held));
    assert_int_equal(long_command_next_ms(long_command), 0);
    assert_int_equal(claim(long_command), 1);
    assert_int_equal(claim(long_command), 2);
    assert_int_equal(claim(long_command), -2);
}

static void
test_attempts_are_those_of_the_range_that_tried_most(void **state)
{
    LongCommand *long_command = *state;
    const RangeRun often = {.attempts = 4};
    const RangeRun once = {.attempts = 1};
    long_command_note_failed_range(long_command, &often);
    long_command_note_failed_range(long_command, &once);
    assert_int_equal(long_command_attempts(long_command), 3);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_claim_before_the_begin_is_alone),
        CASE(test_claim_gives_each_range_to_one_and_keeps_the_second_target_back),
        CASE(test_claim_of_the_second_target_waits_for_the_end_of_all_ranges),
        CASE(test_claim_of_a_range_that_waits_comes_at_its_time),
        CASE(test_claim_while_all_sessions_wait_goes_to_the_second_target),
        CASE(test_unclaim_tells_when_all_is_held_up_and_then_time_does_not_matter),
        CASE(test_attempts_are_those_of_the_range_that_tried_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

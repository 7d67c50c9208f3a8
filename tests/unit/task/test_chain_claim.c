/* Who gets which range of a long command, without a database. */
#include "worker/task/chain.h"

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
    Chain *chain = chain_new();
    assert_non_null(chain);
    chain->begun = true;
    chain->part_count = RANGES + 1;
    for (int i = 0; i < RANGES; i++)
        chain->parts[i] = (ChainPart){.kind = REPORT_SESSIONS, .range_no = i};
    chain->parts[RANGES] = (ChainPart){.kind = REPORT_BOOKINGS};
    *state = chain;
    return 0;
}

static int
tear_down(void **state)
{
    chain_free(*state);
    return 0;
}

/* The claim, or -2 when there is none. */
static int
claim_at(Chain *chain, int64_t now_ms)
{
    int claim = -2;
    return chain_claim(chain, now_ms, &claim) ? claim : -2;
}

static int
claim(Chain *chain)
{
    return claim_at(chain, NOW_MS);
}

/* Gives a part back as `part` says. */
static bool
give_back(Chain *chain, int number, ChainPart part)
{
    part.kind = number < RANGES ? REPORT_SESSIONS : REPORT_BOOKINGS;
    return chain_unclaim(chain, number, &part);
}

static void
test_claim_before_the_begin_is_alone(void **state)
{
    Chain *chain = *state;
    chain->begun = false;
    assert_int_equal(claim(chain), CHAIN_ALONE);
    assert_int_equal(chain_next_ms(chain), 0);
}

static void
test_claim_gives_each_range_to_one_and_keeps_the_second_half_back(void **state)
{
    Chain *chain = *state;
    for (int i = 0; i < RANGES; i++)
        assert_int_equal(claim(chain), i);
    assert_int_equal(claim(chain), -2);
    assert_true(chain_next_ms(chain) == INT64_MAX);
    assert_false(give_back(chain, 1, (ChainPart){.not_before_ms = NOW_MS}));
    assert_int_equal(chain_next_ms(chain), NOW_MS);
    assert_int_equal(claim(chain), 1);
    assert_int_equal(claim(chain), -2);
}

static void
test_claim_of_the_second_half_waits_for_the_end_of_all_ranges(void **state)
{
    Chain *chain = *state;
    for (int i = 0; i < RANGES; i++)
        assert_int_equal(claim(chain), i);
    assert_false(give_back(chain, 0, (ChainPart){.done = true}));
    assert_false(give_back(chain, 2, (ChainPart){.done = true}));
    assert_int_equal(claim(chain), -2);
    assert_false(give_back(chain, 1, (ChainPart){.done = true}));
    assert_int_equal(claim(chain), RANGES);
    assert_int_equal(claim(chain), -2);
    assert_false(give_back(chain, RANGES, (ChainPart){.done = true}));
    assert_int_equal(claim(chain), CHAIN_ALONE);
}

static void
test_claim_of_a_range_that_waits_comes_at_its_time(void **state)
{
    Chain *chain = *state;
    for (int i = 0; i < RANGES; i++)
        (void)claim(chain);
    (void)give_back(chain, 0, (ChainPart){.done = true});
    (void)give_back(chain, 1, (ChainPart){.not_before_ms = NOW_MS + 50, .attempts = 1});
    /* Range 2 runs, so the second half has to wait too. */
    assert_int_equal(claim(chain), -2);
    assert_int_equal(chain_next_ms(chain), NOW_MS + 50);
    assert_int_equal(claim_at(chain, NOW_MS + 49), -2);
    assert_int_equal(claim_at(chain, NOW_MS + 50), 1);
    assert_int_equal(chain_claimed_part(chain, 1).attempts, 1);
}

static void
test_claim_while_all_sessions_wait_goes_to_the_second_half(void **state)
{
    Chain *chain = *state;
    for (int i = 0; i < RANGES; i++)
        (void)claim(chain);
    for (int i = 0; i < RANGES; i++)
        assert_false(
            give_back(chain, i, (ChainPart){.held = true, .not_before_ms = NOW_MS + 5000}));
    assert_int_equal(claim(chain), RANGES);
    assert_false(give_back(chain, RANGES, (ChainPart){.not_before_ms = NOW_MS}));
    assert_int_equal(claim_at(chain, NOW_MS + 1), RANGES);
}

static void
test_unclaim_tells_when_all_is_held_up_and_then_time_does_not_matter(void **state)
{
    Chain *chain = *state;
    const ChainPart held = {.held = true, .not_before_ms = NOW_MS + 5000};
    for (int i = 0; i < RANGES; i++)
        (void)claim(chain);
    (void)give_back(chain, 0, (ChainPart){.done = true});
    assert_false(give_back(chain, 1, held));
    assert_false(give_back(chain, 2, held));
    assert_int_equal(claim(chain), RANGES);
    assert_true(give_back(chain, RANGES, held));
    assert_int_equal(chain_next_ms(chain), 0);
    assert_int_equal(claim(chain), 1);
    assert_int_equal(claim(chain), 2);
    assert_int_equal(claim(chain), -2);
}

static void
test_attempts_are_those_of_the_part_that_tried_most(void **state)
{
    Chain *chain = *state;
    const ChainPart often = {.attempts = 4};
    const ChainPart once = {.attempts = 1};
    chain_note_failed_part(chain, &often);
    chain_note_failed_part(chain, &once);
    assert_int_equal(chain_attempts(chain), 3);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_claim_before_the_begin_is_alone),
        CASE(test_claim_gives_each_range_to_one_and_keeps_the_second_half_back),
        CASE(test_claim_of_the_second_half_waits_for_the_end_of_all_ranges),
        CASE(test_claim_of_a_range_that_waits_comes_at_its_time),
        CASE(test_claim_while_all_sessions_wait_goes_to_the_second_half),
        CASE(test_unclaim_tells_when_all_is_held_up_and_then_time_does_not_matter),
        CASE(test_attempts_are_those_of_the_part_that_tried_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

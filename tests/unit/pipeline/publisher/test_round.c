#include "worker/pipeline/publisher/round.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    BEGUN_MS = 1000,
    LIMIT_BYTES = 1000000,
};

static Round
made_round(size_t outcomes, size_t bytes)
{
    Round round = {0};
    round_add(&round, outcomes, bytes, BEGUN_MS);
    return round;
}

static void
test_lone_outcome_without_a_backlog_is_ripe(void **state)
{
    (void)state;
    const Round round = made_round(1, 1);
    assert_true(round_is_ripe(&round, LIMIT_BYTES, false, BEGUN_MS));
}

static void
test_few_outcomes_with_a_backlog_are_not_ripe(void **state)
{
    (void)state;
    const Round round = made_round(ROUND_OUTCOMES - 1, LIMIT_BYTES / 2 - 1);
    assert_false(round_is_ripe(&round, LIMIT_BYTES, true, BEGUN_MS + ROUND_GATHER_MS - 1));
}

static void
test_outcome_that_has_waited_is_ripe(void **state)
{
    (void)state;
    Round round = made_round(1, 1);
    round_add(&round, 1, 1, BEGUN_MS + ROUND_GATHER_MS - 1);
    assert_true(round_is_ripe(&round, LIMIT_BYTES, true, BEGUN_MS + ROUND_GATHER_MS));
}

static void
test_many_outcomes_are_ripe(void **state)
{
    (void)state;
    Round round = made_round(ROUND_OUTCOMES - 1, 1);
    round_add(&round, 1, 1, BEGUN_MS);
    assert_true(round_is_ripe(&round, LIMIT_BYTES, true, BEGUN_MS));
}

static void
test_half_of_the_bytes_that_may_wait_are_ripe(void **state)
{
    (void)state;
    const Round round = made_round(1, LIMIT_BYTES / 2);
    assert_true(round_is_ripe(&round, LIMIT_BYTES, true, BEGUN_MS));
}

static void
test_urgent_outcome_is_ripe(void **state)
{
    (void)state;
    Round round = made_round(1, 1);
    round.is_urgent = true;
    assert_true(round_is_ripe(&round, LIMIT_BYTES, true, BEGUN_MS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lone_outcome_without_a_backlog_is_ripe),
        cmocka_unit_test(test_few_outcomes_with_a_backlog_are_not_ripe),
        cmocka_unit_test(test_outcome_that_has_waited_is_ripe),
        cmocka_unit_test(test_many_outcomes_are_ripe),
        cmocka_unit_test(test_half_of_the_bytes_that_may_wait_are_ripe),
        cmocka_unit_test(test_urgent_outcome_is_ripe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/backoff.h"

#include "common/macros.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROUNDS = 2000 };

static void
assert_within(const Backoff *backoff, int failures, int span_ms)
{
    unsigned seed = 7;
    int lowest_ms = INT_MAX;
    int highest_ms = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const int wait_ms = backoff_wait_ms(backoff, failures, &seed);
        lowest_ms = wait_ms < lowest_ms ? wait_ms : lowest_ms;
        highest_ms = wait_ms > highest_ms ? wait_ms : highest_ms;
    }
    assert_true(lowest_ms >= span_ms - span_ms / 2);
    assert_true(highest_ms <= span_ms);
    /* All of the room is used. */
    assert_true(lowest_ms <= span_ms - span_ms * 45 / 100);
    assert_true(highest_ms >= span_ms * 95 / 100);
}

static void
test_wait_after_more_failures_doubles_up_to_the_maximum(void **state)
{
    (void)state;
    static const Backoff backoff = {.first_ms = 100, .max_ms = 1000};
    static const int spans_ms[] = {100, 200, 400, 800, 1000, 1000};
    for (size_t i = 0; i < ARRAY_LEN(spans_ms); i++)
        assert_within(&backoff, (int)i + 1, spans_ms[i]);
    assert_within(&backoff, INT_MAX, 1000);
}

static void
test_wait_before_any_failure_is_that_of_the_first(void **state)
{
    (void)state;
    static const Backoff backoff = {.first_ms = 100, .max_ms = 1000};
    assert_within(&backoff, 0, 100);
    assert_within(&backoff, -1, 100);
}

static void
test_wait_with_extreme_settings_stays_within_them(void **state)
{
    (void)state;
    static const Backoff longest = {.first_ms = INT_MAX / 2 + 1, .max_ms = INT_MAX};
    static const Backoff upside_down = {.first_ms = 500, .max_ms = 200};
    static const Backoff none = {.first_ms = 0, .max_ms = 1};
    unsigned seed = 1;
    for (int i = 0; i < ROUNDS; i++) {
        assert_true(backoff_wait_ms(&longest, 40, &seed) > INT_MAX / 2);
        assert_in_range(backoff_wait_ms(&upside_down, 1, &seed), 100, 200);
        assert_int_equal(backoff_wait_ms(&none, 3, &seed), 1);
    }
}

static void
test_wait_with_the_same_seed_is_the_same(void **state)
{
    (void)state;
    static const Backoff backoff = {.first_ms = 1000, .max_ms = 60000};
    unsigned first = 42;
    unsigned same = 42;
    unsigned other = 43;
    int differences = 0;
    for (int failures = 1; failures < 20; failures++) {
        const int wait_ms = backoff_wait_ms(&backoff, failures, &first);
        assert_int_equal(backoff_wait_ms(&backoff, failures, &same), wait_ms);
        differences += backoff_wait_ms(&backoff, failures, &other) != wait_ms;
    }
    assert_int_equal(first, same);
    assert_true(differences > 10);
}

static void
test_spread_of_small_spans_is_exact(void **state)
{
    (void)state;
    unsigned seed = 3;
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(backoff_spread_ms(0, &seed), 0);
        assert_int_equal(backoff_spread_ms(-5, &seed), 0);
        assert_int_equal(backoff_spread_ms(1, &seed), 1);
        assert_in_range(backoff_spread_ms(3, &seed), 2, 3);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_after_more_failures_doubles_up_to_the_maximum),
        cmocka_unit_test(test_wait_before_any_failure_is_that_of_the_first),
        cmocka_unit_test(test_wait_with_extreme_settings_stays_within_them),
        cmocka_unit_test(test_wait_with_the_same_seed_is_the_same),
        cmocka_unit_test(test_spread_of_small_spans_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

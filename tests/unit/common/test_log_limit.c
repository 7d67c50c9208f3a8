#include "common/log_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_allows_the_first_event_at_any_time(void **state)
{
    (void)state;
    static const int64_t times_ms[] = {0, 1, -5, INT64_C(1) << 40};
    for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++) {
        LogLimit limit = {0};
        assert_true(log_limit_allows(&limit, times_ms[i]));
    }
}

/* What was not logged does not put the next line off. */
static void
test_allows_one_event_a_minute(void **state)
{
    (void)state;
    LogLimit limit = {0};
    assert_true(log_limit_allows(&limit, 1000));
    assert_false(log_limit_allows(&limit, 1000));
    assert_false(log_limit_allows(&limit, 60999));
    assert_true(log_limit_allows(&limit, 61000));
    assert_false(log_limit_allows(&limit, 61001));
    assert_false(log_limit_allows(&limit, 120999));
    assert_true(log_limit_allows(&limit, 1000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allows_the_first_event_at_any_time),
        cmocka_unit_test(test_allows_one_event_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

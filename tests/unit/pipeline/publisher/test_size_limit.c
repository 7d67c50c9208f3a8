#include "worker/pipeline/publisher/size_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    NOW_MS = 5000,
    MINUTE_MS = 60 * 1000,
    MAX_BYTES = 1000000,
};

static void
test_bytes_without_a_refusal_are_the_producers(void **state)
{
    (void)state;
    const SizeLimit limit = {0};
    assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, NOW_MS), MAX_BYTES);
}

static void
test_refused_halves_for_a_minute_and_doubles_each_minute(void **state)
{
    (void)state;
    SizeLimit limit = {0};
    size_limit_refused(&limit, "results", 600000, NOW_MS);
    assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, NOW_MS), 300000);
    assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, NOW_MS + MINUTE_MS - 1), 300000);
    assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, NOW_MS + MINUTE_MS), 600000);
    assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, NOW_MS + 2 * MINUTE_MS), MAX_BYTES);
    assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, INT64_MAX), MAX_BYTES);
}

static void
test_refused_again_and_again_never_reaches_none(void **state)
{
    (void)state;
    SizeLimit limit = {0};
    for (size_t bytes = MAX_BYTES; bytes > 1; bytes /= 2) {
        size_limit_refused(&limit, "results", bytes, NOW_MS);
        assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, NOW_MS), bytes / 2);
    }
    size_limit_refused(&limit, "results", 1, NOW_MS);
    assert_int_equal(size_limit_bytes(&limit, MAX_BYTES, NOW_MS), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_without_a_refusal_are_the_producers),
        cmocka_unit_test(test_refused_halves_for_a_minute_and_doubles_each_minute),
        cmocka_unit_test(test_refused_again_and_again_never_reaches_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

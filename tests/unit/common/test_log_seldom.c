#include "common/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_first_in_a_minute_is_true_once_for_each_key(void **state)
{
    (void)state;
    assert_true(log_first_in_a_minute("broker a"));
    assert_false(log_first_in_a_minute("broker a"));
    assert_true(log_first_in_a_minute("broker b"));
    assert_false(log_first_in_a_minute("broker b"));
    assert_false(log_first_in_a_minute("broker a"));
    assert_true(log_first_in_a_minute(""));
    assert_false(log_first_in_a_minute(""));
}

/* What does not fit is told again rather than lost. */
static void
test_first_in_a_minute_forgets_when_there_are_many_keys(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "key %d", i);
        assert_true(log_first_in_a_minute(key));
        assert_false(log_first_in_a_minute(key));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_a_minute_is_true_once_for_each_key),
        cmocka_unit_test(test_first_in_a_minute_forgets_when_there_are_many_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

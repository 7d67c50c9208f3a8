#include "worker/pipeline/fencing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    WITHIN_MS = 100,
};

static void
test_again_takes_two_within_the_time(void **state)
{
    (void)state;
    Fencing fencing = {0};
    assert_false(fencing_again(&fencing, 50, WITHIN_MS));
    assert_true(fencing_again(&fencing, 150, WITHIN_MS));
    assert_true(fencing_again(&fencing, 151, WITHIN_MS));
}

static void
test_again_forgets_what_is_longer_ago(void **state)
{
    (void)state;
    Fencing fencing = {0};
    assert_false(fencing_again(&fencing, 0, WITHIN_MS));
    assert_false(fencing_again(&fencing, 101, WITHIN_MS));
    assert_false(fencing_again(&fencing, 202, WITHIN_MS));
    assert_true(fencing_again(&fencing, 302, WITHIN_MS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_again_takes_two_within_the_time),
        cmocka_unit_test(test_again_forgets_what_is_longer_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

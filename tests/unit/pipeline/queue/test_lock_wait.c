/* When the log is to tell that commands wait for a lock on a table. */
#include "worker/pipeline/queue/lock_wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t now_ms;

static int64_t
monotonic_ms(void *state)
{
    (void)state;
    return now_ms;
}

static int64_t
now_us(void *state)
{
    (void)state;
    return 0;
}

static const Clock pretended = {now_us, monotonic_ms, NULL};

/* Meets the lock each second up to `until_ms`; returns how often that was to be told. */
static int
meet_until(LockWait *wait, int64_t until_ms)
{
    int told = 0;
    int64_t waited_ms;
    for (; now_ms < until_ms; now_ms += 1000)
        told += lock_wait_note(wait, &waited_ms);
    return told;
}

static void
test_note_tells_after_ten_seconds_and_then_each_minute(void **state)
{
    (void)state;
    int64_t waited_ms = 0;
    LockWait *wait = lock_wait_new(&pretended);
    now_ms = 5000;
    assert_int_equal(meet_until(wait, 15000), 0);
    assert_true(lock_wait_note(wait, &waited_ms));
    assert_int_equal(waited_ms, 10000);
    now_ms += 1000;
    assert_int_equal(meet_until(wait, 75000), 0);
    assert_int_equal(meet_until(wait, 76000), 1);
    lock_wait_free(wait);
}

static void
test_note_of_a_lock_that_comes_later_begins_anew(void **state)
{
    (void)state;
    int64_t waited_ms = 0;
    LockWait *wait = lock_wait_new(&pretended);
    now_ms = 1000;
    assert_int_equal(meet_until(wait, 10000), 0);
    now_ms += 6000;
    assert_false(lock_wait_note(wait, &waited_ms));
    assert_int_equal(waited_ms, 0);
    lock_wait_free(wait);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_note_tells_after_ten_seconds_and_then_each_minute),
        cmocka_unit_test(test_note_of_a_lock_that_comes_later_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

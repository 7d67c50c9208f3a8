#include "common/thread.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    PATIENCE_MS = 20000,
    SPAN_MS = 400,
};

typedef struct Gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
} Gate;

static int
setup(void **state)
{
    Gate *gate = calloc(1, sizeof(*gate));
    if (gate == NULL || pthread_mutex_init(&gate->lock, NULL) != 0 ||
        !thread_cond_init(&gate->opened))
        return -1;
    *state = gate;
    return 0;
}

static int
teardown(void **state)
{
    Gate *gate = *state;
    pthread_cond_destroy(&gate->opened);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
    return 0;
}

static int64_t
now_ms(void)
{
    return clock_monotonic_ms(clock_system());
}

static void *
open_gate(void *state)
{
    Gate *gate = state;
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
    return NULL;
}

static void *
wait_for_gate(void *state)
{
    Gate *gate = state;
    pthread_mutex_lock(&gate->lock);
    while (!gate->open)
        thread_cond_wait(&gate->opened, &gate->lock, PATIENCE_MS);
    pthread_mutex_unlock(&gate->lock);
    return NULL;
}

/* A signal ends the wait: the deadline is far away. */
static void
test_cond_wait_signalled_ends_before_its_time(void **state)
{
    Gate *gate = *state;
    pthread_t opener;
    const int64_t deadline_ms = now_ms() + PATIENCE_MS;
    pthread_mutex_lock(&gate->lock);
    assert_int_equal(pthread_create(&opener, NULL, open_gate, gate), 0);
    while (!gate->open && now_ms() < deadline_ms)
        thread_cond_wait(&gate->opened, &gate->lock, PATIENCE_MS);
    assert_true(gate->open);
    assert_true(now_ms() < deadline_ms);
    /* The lock is held: a second lock would wait for ever. */
    assert_int_not_equal(pthread_mutex_trylock(&gate->lock), 0);
    pthread_mutex_unlock(&gate->lock);
    assert_true(thread_join(opener, deadline_ms));
}

/* So many in a row that one of them ends in another second than it began. */
static void
test_cond_wait_unsignalled_lasts_its_time(void **state)
{
    Gate *gate = *state;
    pthread_mutex_lock(&gate->lock);
    for (int i = 0; i < 3; i++) {
        const int64_t start_ms = now_ms();
        while (now_ms() < start_ms + SPAN_MS) {
            const int64_t left_ms = start_ms + SPAN_MS - now_ms();
            const int64_t before_ms = now_ms();
            thread_cond_wait(&gate->opened, &gate->lock, left_ms);
            /* Spurious ends are allowed, but not one that takes no time at all. */
            assert_true(now_ms() > before_ms || left_ms < 2);
        }
    }
    pthread_mutex_unlock(&gate->lock);
}

static void
test_join_thread_still_running_is_false_and_may_be_tried_again(void **state)
{
    Gate *gate = *state;
    pthread_t waiter;
    assert_int_equal(pthread_create(&waiter, NULL, wait_for_gate, gate), 0);
    assert_false(thread_join(waiter, now_ms() - 1000));
    assert_false(thread_join(waiter, now_ms() + 10));
    (void)open_gate(gate);
    assert_true(thread_join(waiter, now_ms() + PATIENCE_MS));
}

static void
test_join_deadline_in_the_next_second_is_kept(void **state)
{
    Gate *gate = *state;
    pthread_t waiter;
    assert_int_equal(pthread_create(&waiter, NULL, wait_for_gate, gate), 0);
    const int64_t deadline_ms = now_ms() + 999;
    assert_false(thread_join(waiter, deadline_ms));
    assert_true(now_ms() + 100 >= deadline_ms);
    (void)open_gate(gate);
    assert_true(thread_join(waiter, now_ms() + PATIENCE_MS));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cond_wait_signalled_ends_before_its_time),
        TEST(test_cond_wait_unsignalled_lasts_its_time),
        TEST(test_join_thread_still_running_is_false_and_may_be_tried_again),
        TEST(test_join_deadline_in_the_next_second_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

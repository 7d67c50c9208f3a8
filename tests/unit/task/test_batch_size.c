#include "common/macros.h"
#include "worker/task/batch_size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MOST = 5000 };

static void
test_next_follows_the_time_that_rows_take(void **state)
{
    (void)state;
    static const struct {
        int rows;
        BatchTime time;
        int next;
    } cases[] = {
        {50, {10, 0}, 100},    {50, {61, 0}, 100},    {50, {62, 0}, 50},    {50, {125, 0}, 50},
        {50, {126, 0}, 25},    {1, {5000, 0}, 1},     {3, {5000, 1}, 1},    {MOST, {10, 0}, MOST},
        {3000, {10, 0}, MOST}, {8000, {62, 0}, MOST}, {50, {1000, 10}, 25},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(batch_size_next(cases[i].rows, &cases[i].time, BATCH_AIM_MS, MOST),
                         cases[i].next);
}

/* A server that takes 30 ms to answer anything keeps the locks of a single row for 180 ms. */
static void
test_next_over_a_slow_line_is_not_made_smaller(void **state)
{
    (void)state;
    const BatchTime slow = {200, 30};
    int rows = 50;
    for (int i = 0; i < 20; i++)
        rows = batch_size_next(rows, &slow, BATCH_AIM_MS, MOST);
    assert_int_equal(rows, 50);
}

static void
test_next_over_a_slower_line_still_shrinks_for_slow_rows(void **state)
{
    (void)state;
    int rows = 50;
    for (int i = 0; i < 20; i++) { /* 20 ms a row */
        const BatchTime time = {180 + 20 * rows, 30};
        rows = batch_size_next(rows, &time, BATCH_AIM_MS, MOST);
    }
    assert_int_equal(rows, 6);
}

static void
test_next_follows_what_is_aimed_at(void **state)
{
    (void)state;
    const BatchTime time = {101, 0};
    assert_int_equal(batch_size_next(500, &time, BATCH_AIM_MS, MOST), 500);
    assert_int_equal(batch_size_next(500, &time, SET_AIM_MS, MOST), 250);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_follows_the_time_that_rows_take),
        cmocka_unit_test(test_next_follows_what_is_aimed_at),
        cmocka_unit_test(test_next_over_a_slow_line_is_not_made_smaller),
        cmocka_unit_test(test_next_over_a_slower_line_still_shrinks_for_slow_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

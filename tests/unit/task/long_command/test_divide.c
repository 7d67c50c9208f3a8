#include "worker/task/long_command/divide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int
wanted(int executors, int64_t rows)
{
    const TaskSettings settings = {.executors = executors};
    const TaskContext context = {.settings = &settings};
    return divide_wanted(&context, rows);
}

static void
test_wanted_is_one_for_each_executor_as_far_as_rows_and_room_go(void **state)
{
    (void)state;
    assert_int_equal(wanted(0, 1000000), 1);
    assert_int_equal(wanted(4, 0), 1);
    assert_int_equal(wanted(4, 9999), 1);
    assert_int_equal(wanted(4, 10000), 2);
    assert_int_equal(wanted(4, 1000000), 4);
    assert_int_equal(wanted(64, 1000000), TARGET_RANGES_MAX);
}

static void
test_add_names_each_range_after_its_target(void **state)
{
    (void)state;
    LedgerRange ranges[TARGET_RANGES_MAX];
    TargetPlan plan = {.target = &target_sessions, .ranges = ranges};
    (void)divide_add(&plan);
    const LedgerRange *second = divide_add(&plan);
    assert_int_equal(plan.count, 2);
    assert_ptr_equal(second, &ranges[1]);
    assert_string_equal(second->target, "sessions");
    assert_int_equal(second->range_no, 1);
    assert_int_equal(second->state, RANGE_RUNNING);
    assert_int_equal(second->counted, 3);
    assert_string_equal(second->cursor.major, "");
    assert_string_equal(second->bound_low, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wanted_is_one_for_each_executor_as_far_as_rows_and_room_go),
        cmocka_unit_test(test_add_names_each_range_after_its_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

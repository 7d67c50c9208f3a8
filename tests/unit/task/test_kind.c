/* The table of the tasks, and what every target in it has to have. */
#include "worker/task/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
assert_target_is_whole(const Target *target)
{
    const TargetWords *words = &target->words;
    assert_in_range(strlen(target->name), 1, RANGE_TARGET_BYTES - 1);
    assert_in_range(target->counted, 1, RANGE_COUNTS_MAX);
    for (size_t i = 0; i < target->counted; i++)
        assert_non_null(target->counts[i]);
    assert_true(words->due && words->done && words->would && words->rows && words->failure &&
                words->heading && words->section && words->skipped);
    assert_true((words->ids == NULL) == (words->truncated == NULL));
    assert_true(target->age_minutes && target->plan && target->batch && target->last_pass &&
                target->preview && target->count);
}

static void
test_every_task_has_a_failure_and_whole_targets_with_names_of_their_own(void **state)
{
    (void)state;
    for (int task = 0; task < COMMAND_TASK_COUNT; task++) {
        const Command command = {.task = (CommandTask)task};
        const TaskKind *kind = task_kind(&command);
        assert_non_null(kind->failure);
        assert_in_range(kind->target_count, 1, TASK_TARGETS_MAX);
        for (size_t i = 0; i < kind->target_count; i++) {
            assert_target_is_whole(kind->targets[i]);
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(kind->targets[i]->name, kind->targets[j]->name);
        }
    }
}

static void
test_shape_is_the_tasks_own_and_a_dry_run_is_a_read(void **state)
{
    (void)state;
    static const TaskShape shapes[COMMAND_TASK_COUNT] = {
        [COMMAND_CLEANUP_INACTIVE_SESSIONS] = TASK_SHAPE_LONG_COMMAND,
        [COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER] = TASK_SHAPE_SET,
        [COMMAND_GET_INACTIVE_SESSIONS_PREVIEW] = TASK_SHAPE_READ,
        [COMMAND_EXPIRE_PENDING_BOOKINGS] = TASK_SHAPE_LONG_COMMAND,
        [COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW] = TASK_SHAPE_READ,
        [COMMAND_SCHEDULED_CLEANUP] = TASK_SHAPE_LONG_COMMAND,
    };
    for (int task = 0; task < COMMAND_TASK_COUNT; task++) {
        Command command = {.task = (CommandTask)task};
        assert_int_equal(task_shape(&command), shapes[task]);
        command.params.dry_run = true;
        assert_int_equal(task_shape(&command), TASK_SHAPE_READ);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_has_a_failure_and_whole_targets_with_names_of_their_own),
        cmocka_unit_test(test_shape_is_the_tasks_own_and_a_dry_run_is_a_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

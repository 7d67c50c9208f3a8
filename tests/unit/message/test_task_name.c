#include "worker/message/task_name.h"

#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_read_names_give_task_and_deprecation(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        CommandTask task;
        bool is_canonical;
        bool is_deprecated;
    } cases[] = {
        {"scheduled_cleanup", COMMAND_SCHEDULED_CLEANUP, true, false},
        {"run_cleanup_now", COMMAND_SCHEDULED_CLEANUP, false, true},
        {"run_booking_expiration_now", COMMAND_EXPIRE_PENDING_BOOKINGS, false, true},
        {"app.scheduler.cleanup_inactive_sessions", COMMAND_CLEANUP_INACTIVE_SESSIONS, false, true},
        {"app.tasks.scheduler.run_booking_expiration_now", COMMAND_EXPIRE_PENDING_BOOKINGS, false,
         true},
        {"x.get_expired_bookings_preview", COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW, false, true},
        {"app.tasks.cleanup_tasks.expire_pending_bookings", COMMAND_EXPIRE_PENDING_BOOKINGS, false,
         false},
        {"app.tasks.cleanup_tasks.run_cleanup_now", COMMAND_SCHEDULED_CLEANUP, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        TaskName read;
        Fault fault = {0};
        if (!task_name_read(cases[i].name, &read, &fault))
            fail_msg("%s: %s", cases[i].name, fault.message);
        assert_int_equal(read.task, cases[i].task);
        assert_int_equal(read.is_canonical, cases[i].is_canonical);
        assert_int_equal(read.is_deprecated, cases[i].is_deprecated);
    }
}

static void
assert_unknown(const char *name, const char *part)
{
    TaskName read;
    Fault fault = {0};
    if (task_name_read(name, &read, &fault))
        fail_msg("%s was taken", name);
    assert_int_equal(fault.code, ERROR_CODE_UNKNOWN_TASK);
    if (strstr(fault.message, part) == NULL)
        fail_msg("%s: %s", name, fault.message);
    assert_true(utf8_is_valid(fault.message, strlen(fault.message)));
    free(fault.message);
}

static void
test_read_other_names_are_unknown(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        ".",
        "cleanup",
        "Scheduled_Cleanup",
        "scheduled_cleanup ",
        " scheduled_cleanup",
        "scheduled_cleanup.",
        ".scheduled_cleanup",
        "app..scheduled_cleanup",
        "app/tasks.scheduled_cleanup",
        "app tasks.scheduled_cleanup",
        "scheduled_cleanup.now",
        "my_scheduled_cleanup",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_unknown(names[i], "there is no task \"");
}

static void
test_read_scheduler_names_point_to_the_schedule(void **state)
{
    (void)state;
    static const char *const names[] = {
        "start_cleanup_scheduler",
        "stop_cleanup_scheduler",
        "app.scheduler.start_cleanup_scheduler",
        "app.tasks.cleanup_tasks.stop_cleanup_scheduler",
        "get_cleanup_scheduler_status",
        "start_scheduler",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_unknown(names[i], "[schedule]");
}

/* A cut inside a character once made the result's JSON invalid. */
static void
test_read_long_name_is_quoted_between_characters(void **state)
{
    (void)state;
    char name[100];
    memset(name, 'x', sizeof(name));
    memcpy(name + 63, "éy", sizeof("éy"));
    assert_unknown(name, "xx…\"");
    memcpy(name + 62, "éy", sizeof("éy"));
    assert_unknown(name, "xé…\"");
    name[64] = '\0';
    assert_unknown(name, "xé\"");
}

static void
test_read_control_characters_are_not_repeated(void **state)
{
    (void)state;
    assert_unknown("a\x1B[2Jb\n\x7F", "\"a?[2Jb??\"");
}

static void
test_read_every_tasks_own_name_is_canonical(void **state)
{
    (void)state;
    for (int task = 0; task < COMMAND_TASK_COUNT; task++) {
        TaskName read;
        Fault fault = {0};
        assert_true(task_name_read(command_task_name((CommandTask)task), &read, &fault));
        assert_int_equal(read.task, task);
        assert_true(read.is_canonical);
        assert_false(read.is_deprecated);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_names_give_task_and_deprecation),
        cmocka_unit_test(test_read_other_names_are_unknown),
        cmocka_unit_test(test_read_scheduler_names_point_to_the_schedule),
        cmocka_unit_test(test_read_long_name_is_quoted_between_characters),
        cmocka_unit_test(test_read_control_characters_are_not_repeated),
        cmocka_unit_test(test_read_every_tasks_own_name_is_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

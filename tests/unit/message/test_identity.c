#include "worker/message/identity.h"

#include "worker/message/task_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <uuid/uuid.h>

#include <cmocka.h>

/* The project's own, of what was asked for; it never changes. */
static const uuid_t content_namespace = {0xc4, 0x77, 0x2e, 0x50, 0x0b, 0x9d, 0x45, 0xe1,
                                         0x86, 0xfa, 0x3c, 0x18, 0xd5, 0x62, 0x99, 0x07};

static void
expect_content(CommandTask task, const CommandParams *params, const char *hashed)
{
    const char *name = command_task_name(task);
    uuid_t by_task;
    uuid_t by_both;
    char expected[UUID_TEXT_BYTES];
    char content[UUID_TEXT_BYTES];
    uuid_generate_sha1(by_task, content_namespace, name, strlen(name));
    uuid_generate_sha1(by_both, by_task, hashed, strlen(hashed));
    uuid_unparse_lower(by_both, expected);
    identity_of_content(task, params, content);
    assert_string_equal(content, expected);
}

static void
test_content_of_each_task_is_hashed_with_its_name(void **state)
{
    (void)state;
    const CommandParams params = {.inactive_hours = 24};
    for (int task = 0; task < COMMAND_TASK_COUNT; task++)
        expect_content((CommandTask)task, &params, "inactive_hours=24\n");
}

static void
test_content_has_the_params_that_have_a_value(void **state)
{
    (void)state;
    const CommandParams params = {.user_id = "6f0c1a64-0000-4000-8000-000000000001",
                                  .inactive_hours = 0.1,
                                  .expiration_minutes = 15,
                                  .limit = 100,
                                  .dry_run = true};
    expect_content(COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, &params,
                   "user_id=6f0c1a64-0000-4000-8000-000000000001\n"
                   "inactive_hours=0.10000000000000001\n"
                   "expiration_minutes=15\nlimit=100\ndry_run=1\n");
}

static void
test_content_numbers_are_written_as_printf_does(void **state)
{
    (void)state;
    static const double numbers[] = {1, 24, 87600, 0.5, 1e-7, 1e14, 999999999999999.0, 1e15, 1e300};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const CommandParams params = {.inactive_hours = numbers[i]};
        char hashed[64];
        assert_true(snprintf(hashed, sizeof(hashed), "inactive_hours=%.17g\n", numbers[i]) > 0);
        expect_content(COMMAND_CLEANUP_INACTIVE_SESSIONS, &params, hashed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_of_each_task_is_hashed_with_its_name),
        cmocka_unit_test(test_content_has_the_params_that_have_a_value),
        cmocka_unit_test(test_content_numbers_are_written_as_printf_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

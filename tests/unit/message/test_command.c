#include "worker/message/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const CommandFloors no_floors = {0, 0};

static Record
record_of(const char *value)
{
    return (Record){.topic = "cleanup.commands",
                    .partition = 1,
                    .offset = 2,
                    .timestamp_ms = 3,
                    .value = BYTES_TEXT(value)};
}

static Command
accept(const char *value)
{
    const Record record = record_of(value);
    Command command = {0};
    Rejection rejection = {0};
    const CommandVerdict verdict = command_parse(&record, &no_floors, &command, &rejection);
    if (verdict != COMMAND_ACCEPTED)
        fail_msg("%s: %s", value, rejection.message);
    return command;
}

static void
assert_rejected(const char *value, ErrorCode code, const char *part)
{
    const Record record = record_of(value);
    Command command = {0};
    Rejection rejection = {0};
    if (command_parse(&record, &no_floors, &command, &rejection) != COMMAND_REJECTED)
        fail_msg("%s was not rejected", value);
    if (rejection.code != code || strstr(rejection.message, part) == NULL)
        fail_msg("%s: %s: %s", value, error_code_name(rejection.code), rejection.message);
    rejection_done(&rejection);
}

static void
test_parse_only_task_takes_defaults(void **state)
{
    (void)state;
    Command command = accept("{\"task\":\"scheduled_cleanup\"}");
    assert_int_equal(command.task, COMMAND_SCHEDULED_CLEANUP);
    assert_true(command.params.inactive_hours == 24.0);
    assert_true(command.params.expiration_minutes == 15.0);
    assert_false(command.params.dry_run);
    assert_null(command.deprecated_task);
    assert_null(command.old_name);
    assert_int_equal(strlen(command.id), COMMAND_UUID_TEXT);
    command_done(&command);
}

static void
test_parse_null_members_count_as_absent(void **state)
{
    (void)state;
    Command command = accept("{\"task\":\"scheduled_cleanup\",\"command_id\":null,\"params\":null,"
                             "\"requested_by\":null,\"requested_at\":null,\"expires_at\":null} \n");
    assert_null(command.requested_by);
    assert_false(command.has_expires_at);
    command_done(&command);
}

static void
test_parse_uuid_is_lowered(void **state)
{
    (void)state;
    Command command =
        accept("{\"task\":\"cleanup_inactive_sessions_for_user\",\"params\":{\"user_id\":"
               "\"0D0C5B1E-8A51-4D4E-9C66-1F0F3F6F9A01\"}}");
    assert_string_equal(command.params.user_id, "0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a01");
    command_done(&command);
}

static void
test_parse_old_names_are_canonical(void **state)
{
    (void)state;
    Command command = accept("{\"task\":\"run_cleanup_now\"}");
    assert_int_equal(command.task, COMMAND_SCHEDULED_CLEANUP);
    assert_string_equal(command.deprecated_task, "run_cleanup_now");
    assert_string_equal(command.old_name, "run_cleanup_now");
    command_done(&command);
    command = accept("{\"task\":\"app.tasks.cleanup_tasks.expire_pending_bookings\"}");
    assert_int_equal(command.task, COMMAND_EXPIRE_PENDING_BOOKINGS);
    assert_null(command.deprecated_task);
    assert_non_null(command.old_name);
    command_done(&command);
}

static void
test_parse_faults_say_what_was_sent_and_what_it_takes(void **state)
{
    (void)state;
    assert_rejected("{\"task\":\"cleanup_inactive_sessions\",\"params\":{\"inactive_hours\":0}}",
                    ERROR_CODE_INVALID_PARAM,
                    "inactive_hours is 0, but takes a number above 0 and at most 87600");
    assert_rejected(
        "{\"task\":\"cleanup_inactive_sessions\",\"params\":{\"inactive_hours\":87600.5}}",
        ERROR_CODE_INVALID_PARAM, "87600.5");
    assert_rejected("{\"task\":\"get_inactive_sessions_preview\",\"params\":{\"limit\":1.5}}",
                    ERROR_CODE_INVALID_PARAM,
                    "limit is 1.5, but takes a whole number from 1 to 1000");
    assert_rejected("{\"task\":\"get_inactive_sessions_preview\",\"params\":{\"dry_run\":true}}",
                    ERROR_CODE_UNKNOWN_PARAM, "takes no param \"dry_run\"");
    assert_rejected(
        "{\"task\":\"cleanup_inactive_sessions_for_user\",\"params\":{\"user_id\":\"1\"}}",
        ERROR_CODE_INVALID_PARAM, "user_id is \"1\", but takes a UUID");
    assert_rejected("{\"task\":\"cleanup_inactive_sessions\",\"params\":{\"approve_rows\":1}}",
                    ERROR_CODE_UNKNOWN_PARAM, "approve_rows");
    assert_rejected("{\"task\":\"a..cleanup_inactive_sessions\"}", ERROR_CODE_UNKNOWN_TASK,
                    "no task");
    assert_rejected("{\"task\":\"start_cleanup_scheduler\"}", ERROR_CODE_UNKNOWN_TASK,
                    "[schedule]");
    assert_rejected("{\"task\":5}", ERROR_CODE_INVALID_MEMBER, "task takes a string");
    assert_rejected("{\"task\":\"scheduled_cleanup\",\"params\":[]}", ERROR_CODE_NOT_AN_OBJECT,
                    "object");
}

static void
test_parse_strict_json_only(void **state)
{
    (void)state;
    static const char *const faulty[] = {
        "",
        "{",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{'a':1}",
        "{\"a\":NaN}",
        "[1,]",
        "{} x",
        "{}{}",
        "/* c */{}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":1e999}",
        "tru",
        "{\"a\"1}",
    };
    for (size_t i = 0; i < ARRAY_LEN(faulty); i++)
        assert_rejected(faulty[i], ERROR_CODE_INVALID_JSON, "");
    assert_rejected("\xEF\xBB\xBF{}", ERROR_CODE_INVALID_UTF8, "");
    assert_rejected("{\"a\":\"\xC0\x80\"}", ERROR_CODE_INVALID_UTF8, "");
    assert_rejected("{\"a\":\"\xED\xA0\x80\"}", ERROR_CODE_INVALID_UTF8, "");
    assert_rejected("{\"a\":\"\xF4\x90\x80\x80\"}", ERROR_CODE_INVALID_UTF8, "");
    assert_rejected("{\"a\":{\"b\":1,\"b\":2}}", ERROR_CODE_DUPLICATE_KEY, "");
    assert_rejected("[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", ERROR_CODE_TOO_DEEP, "");
}

static void
test_parse_tombstone_and_inner_nul_are_rejected(void **state)
{
    (void)state;
    Record record = record_of("");
    record.value = (Bytes){NULL, 0};
    Command command;
    Rejection rejection;
    assert_int_equal(command_parse(&record, &no_floors, &command, &rejection), COMMAND_REJECTED);
    rejection_done(&rejection);
    static const char with_nul[] = "{\"task\":\"scheduled_cleanup\"}\0";
    record.value = (Bytes){with_nul, sizeof(with_nul) - 1};
    assert_int_equal(command_parse(&record, &no_floors, &command, &rejection), COMMAND_REJECTED);
    rejection_done(&rejection);
}

static void
test_derive_id_depends_on_position_time_and_bytes(void **state)
{
    (void)state;
    char first[COMMAND_ID_MAX + 1];
    char second[COMMAND_ID_MAX + 1];
    Record record = record_of("x");
    command_derive_id(&record, first);
    command_derive_id(&record, second);
    assert_string_equal(first, second);
    assert_int_equal(first[14], '5');
    record.timestamp_ms++;
    command_derive_id(&record, second);
    assert_string_not_equal(first, second);
    record = record_of("y");
    command_derive_id(&record, second);
    assert_string_not_equal(first, second);
}

/* Whatever the bytes are, there is a verdict. */
static void
test_parse_random_bytes_always_have_a_verdict(void **state)
{
    (void)state;
    static const char valid[] = "{\"command_id\":\"a\",\"task\":\"cleanup_inactive_sessions\","
                                "\"params\":{\"inactive_hours\":"
                                "2.5e1,\"dry_run\":false},\"requested_by\":\"\\ud83d\\ude00\"}";
    const unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srandom(seed);
    int verdicts[2] = {0};
    for (int round = 0; round < 50000; round++) {
        char bytes[sizeof(valid)];
        memcpy(bytes, valid, sizeof(valid));
        size_t size = sizeof(valid) - 1;
        for (long change = random() % 4; change > 0; change--)
            bytes[(size_t)random() % size] = (char)random();
        if (random() % 8 == 0)
            size = (size_t)random() % size;
        Record record = record_of("");
        record.value = (Bytes){bytes, size};
        Command command;
        Rejection rejection;
        const CommandVerdict verdict = command_parse(&record, &no_floors, &command, &rejection);
        assert_int_not_equal(verdict, COMMAND_OUT_OF_MEMORY);
        verdicts[verdict]++;
        if (verdict == COMMAND_ACCEPTED)
            command_done(&command);
        else
            rejection_done(&rejection);
    }
    assert_true(verdicts[COMMAND_ACCEPTED] > 0 && verdicts[COMMAND_REJECTED] > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_only_task_takes_defaults),
        cmocka_unit_test(test_parse_null_members_count_as_absent),
        cmocka_unit_test(test_parse_uuid_is_lowered),
        cmocka_unit_test(test_parse_old_names_are_canonical),
        cmocka_unit_test(test_parse_faults_say_what_was_sent_and_what_it_takes),
        cmocka_unit_test(test_parse_strict_json_only),
        cmocka_unit_test(test_parse_tombstone_and_inner_nul_are_rejected),
        cmocka_unit_test(test_derive_id_depends_on_position_time_and_bytes),
        cmocka_unit_test(test_parse_random_bytes_always_have_a_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

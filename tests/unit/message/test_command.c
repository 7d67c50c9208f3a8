#include "tests/unit/message/parsing.h"
#include "worker/message/identity.h"

#include <time.h>

static const CommandFloors no_floors = {0, 0};

static Command
accept(const char *value)
{
    const Record record = record_of(value);
    return accept_record(&record, &no_floors);
}

static void
assert_rejected(const char *value, ErrorCode code, const char *part)
{
    const Record record = record_of(value);
    assert_record_rejected(&record, code, part);
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
    assert_int_equal(strlen(command.id), UUID_TEXT_LENGTH);
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
test_parse_every_member_is_read(void **state)
{
    (void)state;
    Command command = accept("{\"command_id\":\"A.b_c:d-9\",\"task\":\"scheduled_cleanup\","
                             "\"params\":{},\"requested_by\":\"caf\\u00e9\","
                             "\"requested_at\":\"2026-11-23T02:00:00+02:00\","
                             "\"expires_at\":\"2026-11-23T00:00:01.5Z\"}");
    assert_string_equal(command.id, "A.b_c:d-9");
    assert_string_equal(command.requested_by, "café");
    assert_true(command.has_requested_at && command.has_expires_at);
    assert_int_equal(command.expires_at_us - command.requested_at_us, 1500000);
    assert_int_equal(command.replay, 0);
    command_done(&command);
}

static void
test_parse_members_of_other_form_are_rejected(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        ErrorCode code;
    } cases[] = {
        {"\"command_id\":\"\"", ERROR_CODE_INVALID_MEMBER},
        {"\"command_id\":\"a b\"", ERROR_CODE_INVALID_MEMBER},
        {"\"command_id\":\"a/b\"", ERROR_CODE_INVALID_MEMBER},
        {"\"command_id\":\"\u00e9\"", ERROR_CODE_INVALID_MEMBER},
        {"\"command_id\":7", ERROR_CODE_INVALID_MEMBER},
        {"\"requested_by\":[]", ERROR_CODE_INVALID_MEMBER},
        {"\"requested_at\":1763863200", ERROR_CODE_INVALID_MEMBER},
        {"\"requested_at\":\"2026-11-23\"", ERROR_CODE_INVALID_MEMBER},
        {"\"expires_at\":\"2026-11-23T02:00:00\"", ERROR_CODE_INVALID_MEMBER},
        {"\"expires_at\":\"9999-12-31T23:59:59-01:00\"", ERROR_CODE_INVALID_MEMBER},
        {"\"params\":\"{}\"", ERROR_CODE_NOT_AN_OBJECT},
        {"\"Params\":{}", ERROR_CODE_UNKNOWN_MEMBER},
        {"\"inactive_hours\":24", ERROR_CODE_UNKNOWN_MEMBER},
        {"\"replay\":1", ERROR_CODE_UNKNOWN_MEMBER},
        {"\"\":null", ERROR_CODE_UNKNOWN_MEMBER},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "{\"task\":\"cleanup_inactive_sessions\",%s}",
                       cases[i].member);
        assert_rejected(text, cases[i].code, "");
    }
    assert_rejected("{\"task\":null}", ERROR_CODE_MISSING_TASK, "");
    assert_rejected("{}", ERROR_CODE_MISSING_TASK, "");
    assert_rejected("\"scheduled_cleanup\"", ERROR_CODE_NOT_AN_OBJECT, "");
}

static void
test_parse_lengths_at_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        int most;
    } cases[] = {{"command_id", COMMAND_ID_MAX}, {"requested_by", COMMAND_REQUESTED_BY_MAX}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        for (int more = 0; more < 2; more++) {
            (void)snprintf(text, sizeof(text), "{\"task\":\"scheduled_cleanup\",\"%s\":\"%0*d\"}",
                           cases[i].member, cases[i].most + more, 7);
            if (more == 0) {
                Command command = accept(text);
                command_done(&command);
            } else {
                assert_rejected(text, ERROR_CODE_INVALID_MEMBER, cases[i].member);
            }
        }
    }
    static char large[COMMAND_VALUE_MAX_BYTES + 2];
    memset(large, ' ', sizeof(large) - 1);
    memcpy(large, "{\"task\":\"scheduled_cleanup\"}", 28);
    assert_rejected(large, ERROR_CODE_TOO_LARGE, "65537 bytes");
    large[COMMAND_VALUE_MAX_BYTES] = '\0';
    Command command = accept(large);
    command_done(&command);
}

/* Whatever is wrong with the rest, the answer finds its way back. */
static void
test_parse_rejection_keeps_what_was_valid(void **state)
{
    (void)state;
    Record record = record_of("{\"nonsense\":1,\"command_id\":\"c-1\",\"task\":\"nope\","
                              "\"requested_by\":\"me\",\"requested_at\":"
                              "\"1970-01-01T00:00:01Z\"}");
    Rejection rejection = reject_record(&record, &no_floors, ERROR_CODE_UNKNOWN_MEMBER, "nonsense");
    assert_string_equal(rejection.id, "c-1");
    assert_string_equal(rejection.task, "nope");
    assert_string_equal(rejection.requested_by, "me");
    assert_true(rejection.has_requested_at);
    assert_int_equal(rejection.requested_at_us, 1000000);
    rejection_done(&rejection);

    char derived[COMMAND_ID_MAX + 1];
    record = record_of("{\"task\":\"scheduled_cleanup\",\"command_id\":\"not valid\"}");
    identity_of_record(&record, derived);
    rejection = reject_record(&record, &no_floors, ERROR_CODE_INVALID_MEMBER, "command_id");
    assert_string_equal(rejection.id, derived);
    rejection_done(&rejection);
}

static void
test_parse_faulty_bytes_are_rejected_by_kind(void **state)
{
    (void)state;
    assert_rejected("{\"task\":\"scheduled_cleanup\",}", ERROR_CODE_INVALID_JSON, "byte 28");
    assert_rejected("\xEF\xBB\xBF{}", ERROR_CODE_INVALID_UTF8, "byte order mark");
    assert_rejected("{\"a\":{\"b\":1,\"b\":2}}", ERROR_CODE_DUPLICATE_KEY, "twice");
    assert_rejected("[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", ERROR_CODE_TOO_DEEP, "16");
    char text[256];
    (void)snprintf(
        text, sizeof(text),
        "{\"task\":\"cleanup_inactive_sessions\",\"params\":{\"inactive_hours\":24.%0100d}}", 0);
    assert_rejected(text, ERROR_CODE_INVALID_JSON, "byte");
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
assert_content(const char *value, const char *other, bool same)
{
    Command one = accept(value);
    Command two = accept(other);
    if ((strcmp(one.content, two.content) == 0) != same)
        fail_msg("%s, %s", value, other);
    command_done(&one);
    command_done(&two);
}

static void
test_content_is_task_and_params_with_their_defaults(void **state)
{
    (void)state;
#define CLEANUP_WITH(params) "{\"task\":\"cleanup_inactive_sessions\",\"params\":{" params "}}"
    static const char plain[] = "{\"task\":\"cleanup_inactive_sessions\"}";
    assert_content(plain, CLEANUP_WITH(""), true);
    assert_content(plain, CLEANUP_WITH("\"inactive_hours\":24"), true);
    assert_content(plain, CLEANUP_WITH("\"inactive_hours\":24.0,\"dry_run\":false"), true);
    assert_content(plain,
                   "{\"task\":\"cleanup_inactive_sessions\",\"command_id\":\"x\","
                   "\"requested_by\":\"me\",\"expires_at\":\"2030-01-01T00:00:00Z\"}",
                   true);
    assert_content(plain, CLEANUP_WITH("\"inactive_hours\":25"), false);
    assert_content(plain, CLEANUP_WITH("\"dry_run\":true"), false);
    assert_content(plain, "{\"task\":\"get_inactive_sessions_preview\"}", false);
    assert_content(plain, "{\"task\":\"scheduled_cleanup\"}", false);
    assert_content("{\"task\":\"run_cleanup_now\"}", "{\"task\":\"scheduled_cleanup\"}", true);
    Command command = accept(plain);
    /* Contents in ledgers must not change with a new release. */
    assert_string_equal(command.content, "a1deb66d-2ed0-57ae-b140-6d4681b1322e");
    command_done(&command);
}

static void
test_derive_id_depends_on_position_time_and_bytes(void **state)
{
    (void)state;
    Record records[7];
    for (size_t i = 0; i < ARRAY_LEN(records); i++)
        records[i] = record_of("x");
    records[1].topic = "other";
    records[2].partition++;
    records[3].offset++;
    records[4].timestamp_ms++;
    records[5].value = BYTES_TEXT("y");
    records[6].value = (Bytes){NULL, 0};
    char ids[ARRAY_LEN(records)][COMMAND_ID_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        identity_of_record(&records[i], ids[i]);
        assert_int_equal(ids[i][14], '5');
        for (size_t before = 0; before < i; before++)
            assert_string_not_equal(ids[i], ids[before]);
    }
    /* Ids in ledgers must not change with a new release. */
    assert_string_equal(ids[0], "984f0178-9ae4-5fa6-9af4-3e069683f988");
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
        for (size_t at = 0; round % 16 == 0 && at < size; at++)
            bytes[at] = (char)random();
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
        cmocka_unit_test(test_parse_every_member_is_read),
        cmocka_unit_test(test_parse_members_of_other_form_are_rejected),
        cmocka_unit_test(test_parse_lengths_at_their_limits),
        cmocka_unit_test(test_parse_rejection_keeps_what_was_valid),
        cmocka_unit_test(test_parse_faulty_bytes_are_rejected_by_kind),
        cmocka_unit_test(test_parse_tombstone_and_inner_nul_are_rejected),
        cmocka_unit_test(test_content_is_task_and_params_with_their_defaults),
        cmocka_unit_test(test_derive_id_depends_on_position_time_and_bytes),
        cmocka_unit_test(test_parse_random_bytes_always_have_a_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

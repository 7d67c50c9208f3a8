/* Commands as CloudEvents, and the headers of a replay. */
#include "tests/unit/message/parsing.h"

static const CommandFloors no_floors = {0, 0};

#define EVENT(rest)                                                                                \
    "{\"specversion\":\"1.0\",\"id\":\"e-1\",\"source\":\"/api\","                                 \
    "\"type\":\"cleanup.command.cleanup_inactive_sessions\"" rest "}"

static Command
accept_event(const char *value, const char *content_type)
{
    const RecordHeader headers[] = {HEADER("content-type", content_type)};
    const Record record = record_with(value, headers, 1);
    return accept_record(&record, &no_floors);
}

static void
assert_event_rejected(const char *value, ErrorCode code, const char *part)
{
    const RecordHeader headers[] = {HEADER("content-type", "application/cloudevents+json")};
    const Record record = record_with(value, headers, 1);
    assert_record_rejected(&record, code, part);
}

static void
test_structured_attributes_become_members(void **state)
{
    (void)state;
    Command command =
        accept_event(EVENT(",\"time\":\"2026-11-23T02:00:00Z\",\"expiresat\":"
                           "\"2026-11-23T03:00:00Z\",\"data\":{\"inactive_hours\":48}"),
                     "Application/CloudEvents+JSON; charset=utf-8");
    assert_string_equal(command.id, "e-1");
    assert_string_equal(command.requested_by, "/api");
    assert_int_equal(command.task, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    assert_true(command.has_requested_at && command.has_expires_at);
    assert_int_equal(command.expires_at_us - command.requested_at_us, INT64_C(3600000000));
    assert_true(command.params.inactive_hours == 48.0);
    command_done(&command);
}

static void
test_structured_absent_or_null_data_means_defaults(void **state)
{
    (void)state;
    static const char *const values[] = {EVENT(""), EVENT(",\"data\":null,\"time\":null"),
                                         EVENT(",\"data\":{}")};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        Command command = accept_event(values[i], "application/cloudevents+json");
        assert_true(command.params.inactive_hours == 24.0);
        assert_false(command.has_requested_at);
        command_done(&command);
    }
}

static void
test_structured_extensions_are_ignored(void **state)
{
    (void)state;
    Command command = accept_event(EVENT(",\"traceparent\":\"00-a\",\"sequence\":7,\"flag\":true,"
                                         "\"subject\":\"s\",\"empty\":null"),
                                   "application/cloudevents+json;charset=UTF-8");
    assert_string_equal(command.id, "e-1");
    command_done(&command);
}

/* A misspelt `data` once ran with the default of 24 hours. */
static void
test_structured_misspelt_data_is_rejected(void **state)
{
    (void)state;
    assert_event_rejected(EVENT(",\"params\":{\"inactive_hours\":48}"),
                          ERROR_CODE_INVALID_CLOUDEVENT, "\"params\" is no CloudEvents attribute");
    assert_event_rejected(EVENT(",\"dat\":[]"), ERROR_CODE_INVALID_CLOUDEVENT, "\"dat\"");
    assert_event_rejected(EVENT(",\"Data\":{}"), ERROR_CODE_INVALID_CLOUDEVENT, "\"Data\"");
    assert_event_rejected(EVENT(",\"expires_at\":\"2026-11-23T03:00:00Z\""),
                          ERROR_CODE_INVALID_CLOUDEVENT, "\"expires_at\"");
    assert_event_rejected(EVENT(",\"\":1"), ERROR_CODE_INVALID_CLOUDEVENT, "\"\"");
}

static void
test_structured_faults_are_named(void **state)
{
    (void)state;
    assert_event_rejected(EVENT(",\"data_base64\":\"e30=\""), ERROR_CODE_INVALID_CLOUDEVENT,
                          "data_base64");
    assert_event_rejected(EVENT(",\"data\":[]"), ERROR_CODE_NOT_AN_OBJECT, "object");
    assert_event_rejected(EVENT(",\"data\":{\"inactive_hours\":null}"), ERROR_CODE_INVALID_PARAM,
                          "inactive_hours");
    assert_event_rejected(EVENT(",\"time\":\"today\""), ERROR_CODE_INVALID_MEMBER, "time");
    assert_event_rejected(EVENT(",\"expiresat\":5"), ERROR_CODE_INVALID_CLOUDEVENT, "expiresat");
    assert_event_rejected("[]", ERROR_CODE_NOT_AN_OBJECT, "object");
    assert_event_rejected("{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\"}",
                          ERROR_CODE_INVALID_CLOUDEVENT, "no type");
    assert_event_rejected("{\"specversion\":\"0.3\",\"id\":\"a\",\"source\":\"s\",\"type\":"
                          "\"cleanup.command.scheduled_cleanup\"}",
                          ERROR_CODE_INVALID_CLOUDEVENT, "specversion is \"0.3\"");
    assert_event_rejected("{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":"
                          "\"scheduled_cleanup\"}",
                          ERROR_CODE_INVALID_CLOUDEVENT, "cleanup.command.<task>");
    assert_event_rejected("{\"specversion\":\"1.0\",\"id\":\"a/b\",\"source\":\"s\",\"type\":"
                          "\"cleanup.command.scheduled_cleanup\"}",
                          ERROR_CODE_INVALID_MEMBER, "the event's id takes");
    assert_event_rejected("{\"specversion\":\"1.0\",\"id\":null,\"source\":\"s\",\"type\":"
                          "\"cleanup.command.scheduled_cleanup\"}",
                          ERROR_CODE_INVALID_CLOUDEVENT, "no id");
}

static void
test_similar_content_types_are_plain_json(void **state)
{
    (void)state;
    static const char *const types[] = {"application/json", "application/cloudevents-batch+json",
                                        "application/cloudevents+jsonx"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        Command command = accept_event("{\"task\":\"scheduled_cleanup\"}", types[i]);
        assert_int_equal(command.task, COMMAND_SCHEDULED_CLEANUP);
        command_done(&command);
    }
}

static void
test_binary_headers_become_members(void **state)
{
    (void)state;
    const RecordHeader headers[] = {
        HEADER("ce_specversion", "1.0"),
        HEADER("ce_id", "e-2"),
        HEADER("ce_type", "cleanup.command.app.tasks.scheduler.run_booking_expiration_now"),
        HEADER("ce_source", "/api"),
        HEADER("ce_expiresat", "2026-11-23T03:00:00Z"),
        HEADER("content-type", "application/json"),
    };
    const Record record = record_with("{\"expiration_minutes\":30}", headers, ARRAY_LEN(headers));
    Command command = accept_record(&record, &no_floors);
    assert_string_equal(command.id, "e-2");
    assert_int_equal(command.task, COMMAND_EXPIRE_PENDING_BOOKINGS);
    assert_string_equal(command.deprecated_task, "app.tasks.scheduler.run_booking_expiration_now");
    assert_true(command.params.expiration_minutes == 30.0);
    assert_true(command.has_expires_at);
    command_done(&command);
}

/* One header at a time is spoilt. Bytes that are not UTF-8 once came out in the result. */
static void
test_binary_faulty_headers_are_rejected(void **state)
{
    (void)state;
    static const Bytes spoilt[] = {{NULL, 0}, {"\xFF\xFE", 2}, {"a\0b", 3}, {"\xC3", 1}};
    static const char *const names[] = {"ce_specversion", "ce_id", "ce_type", "ce_source",
                                        "ce_time"};
    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        for (size_t i = 0; i < ARRAY_LEN(spoilt); i++) {
            RecordHeader headers[] = {
                HEADER("ce_specversion", "1.0"),
                HEADER("ce_id", "e"),
                HEADER("ce_type", "cleanup.command.scheduled_cleanup"),
                HEADER("ce_source", "s"),
                HEADER("ce_time", "2026-11-23T03:00:00Z"),
            };
            headers[n].value = spoilt[i];
            const Record record = record_with("{}", headers, ARRAY_LEN(headers));
            assert_record_rejected(&record, ERROR_CODE_INVALID_CLOUDEVENT, names[n]);
        }
    }
}

static void
test_binary_value_is_the_params(void **state)
{
    (void)state;
    const RecordHeader headers[] = {
        HEADER("ce_specversion", "1.0"),
        HEADER("ce_id", "e"),
        HEADER("ce_type", "cleanup.command.cleanup_inactive_sessions"),
        HEADER("ce_source", "s"),
    };
    Record record = record_with("null", headers, ARRAY_LEN(headers));
    assert_record_rejected(&record, ERROR_CODE_NOT_AN_OBJECT, "params");
    record = record_with("{\"data\":{}}", headers, ARRAY_LEN(headers));
    assert_record_rejected(&record, ERROR_CODE_UNKNOWN_PARAM, "data");
}

static void
test_binary_event_without_a_value_has_no_params(void **state)
{
    (void)state;
    const RecordHeader headers[] = {
        HEADER("ce_specversion", "1.0"),
        HEADER("ce_id", "e1"),
        HEADER("ce_type", "cleanup.command.scheduled_cleanup"),
        HEADER("ce_source", "s"),
    };
    Record record = record_with("", headers, ARRAY_LEN(headers));
    Command command = accept_record(&record, &no_floors);
    assert_string_equal(command.id, "e1");
    assert_true(command.params.inactive_hours == 24.0);
    command_done(&command);
    record.value = (Bytes){NULL, 0};
    command = accept_record(&record, &no_floors);
    assert_string_equal(command.id, "e1");
    command_done(&command);
}

/* Its headers say what it is, whatever its value. */
static void
test_binary_event_with_a_broken_value_is_rejected_under_its_id(void **state)
{
    (void)state;
    const RecordHeader headers[] = {
        HEADER("ce_specversion", "1.0"),
        HEADER("ce_id", "e1"),
        HEADER("ce_type", "cleanup.command.scheduled_cleanup"),
        HEADER("ce_source", "/booking"),
    };
    CLEANUP(autofree) char *large = calloc(1, COMMAND_VALUE_MAX_BYTES + 2);
    memset(large, ' ', COMMAND_VALUE_MAX_BYTES + 1);
    const struct {
        const char *value;
        ErrorCode code;
    } broken[] = {
        {"{", ERROR_CODE_INVALID_JSON},
        {"\xff", ERROR_CODE_INVALID_UTF8},
        {large, ERROR_CODE_TOO_LARGE},
        {"[]", ERROR_CODE_NOT_AN_OBJECT},
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        const Record record = record_with(broken[i].value, headers, ARRAY_LEN(headers));
        Rejection rejection = reject_record(&record, &no_floors, broken[i].code, "");
        assert_string_equal(rejection.id, "e1");
        assert_string_equal(rejection.task, "scheduled_cleanup");
        assert_string_equal(rejection.requested_by, "/booking");
        rejection_done(&rejection);
    }
}

static Command
event_of(const char *source, const char *id)
{
    const RecordHeader headers[] = {
        HEADER("ce_specversion", "1.0"),
        HEADER("ce_id", id),
        HEADER("ce_type", "cleanup.command.scheduled_cleanup"),
        HEADER("ce_source", source),
    };
    const Record record = record_with("{}", headers, ARRAY_LEN(headers));
    return accept_record(&record, &no_floors);
}

static void
test_event_key_is_made_of_source_and_id(void **state)
{
    (void)state;
    Command events[] = {event_of("/booking", "1"), event_of("/chat", "1"),
                        event_of("/booking", "2"), event_of("/booking1", "1"),
                        event_of("/booking", "11")};
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        assert_true(events[i].is_event);
        assert_memory_equal(events[i].key, "ce:", 3);
        assert_int_equal(strlen(events[i].key), 3 + UUID_TEXT_LENGTH);
        for (size_t before = 0; before < i; before++)
            assert_string_not_equal(events[i].key, events[before].key);
    }
    assert_string_equal(events[0].id, "1");
    assert_string_equal(events[0].requested_by, "/booking");
    Command again = event_of("/booking", "1");
    assert_string_equal(again.key, events[0].key);
    /* Keys in ledgers must not change with a new release. */
    assert_string_equal(again.key, "ce:40c9bb33-4096-5eab-a96e-1f2aa8895e25");
    command_done(&again);
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        command_done(&events[i]);
    const Record plain = record_of("{\"task\":\"scheduled_cleanup\",\"command_id\":\"1\"}");
    Command command = accept_record(&plain, &no_floors);
    assert_false(command.is_event);
    assert_string_equal(command.key, "1");
    command_done(&command);
}

static void
test_structured_and_binary_form_of_an_event_have_one_key(void **state)
{
    (void)state;
    const RecordHeader header = HEADER("content-type", "application/cloudevents+json");
    const Record record =
        record_with("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/booking\","
                    "\"type\":\"cleanup.command.scheduled_cleanup\"}",
                    &header, 1);
    Command structured = accept_record(&record, &no_floors);
    Command binary = event_of("/booking", "1");
    assert_string_equal(structured.key, binary.key);
    assert_string_equal(structured.content, binary.content);
    command_done(&structured);
    command_done(&binary);
}

static void
test_replay_headers_carry_number_and_id(void **state)
{
    (void)state;
    const RecordHeader headers[] = {HEADER("cleanup-replay", "12"),
                                    HEADER("cleanup-command-id", "c-1")};
    static const char *const values[] = {"{\"task\":\"scheduled_cleanup\"}",
                                         "{\"task\":\"scheduled_cleanup\",\"command_id\":\"c-1\"}"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        const Record record = record_with(values[i], headers, 2);
        Command command = accept_record(&record, &no_floors);
        assert_int_equal(command.replay, 12);
        assert_string_equal(command.id, "c-1");
        command_done(&command);
    }
    const Record own = record_with(values[1], headers, 1);
    Command command = accept_record(&own, &no_floors);
    assert_int_equal(command.replay, 12);
    assert_string_equal(command.id, "c-1");
    command_done(&command);
}

static void
test_replay_numbers_that_make_no_sense_are_rejected(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "", "0", "-1", "+1", "01", "1.0", " 1", "1 ", "x", "1000000", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const RecordHeader headers[] = {HEADER("cleanup-replay", numbers[i]),
                                        HEADER("cleanup-command-id", "c-1")};
        const Record record = record_with("{\"task\":\"scheduled_cleanup\"}", headers, 2);
        assert_record_rejected(&record, ERROR_CODE_INVALID_HEADER, "from 1 to 999999");
    }
}

static void
test_replay_ids_that_make_no_sense_are_rejected(void **state)
{
    (void)state;
    const RecordHeader headers[] = {HEADER("cleanup-replay", "1"),
                                    HEADER("cleanup-command-id", "c-1")};
    Record record =
        record_with("{\"task\":\"scheduled_cleanup\",\"command_id\":\"c-2\"}", headers, 2);
    Rejection rejection = reject_record(&record, &no_floors, ERROR_CODE_INVALID_HEADER, "differs");
    assert_string_equal(rejection.id, "c-2");
    rejection_done(&rejection);

    record = record_with("{\"task\":\"scheduled_cleanup\"}", headers, 1);
    assert_record_rejected(&record, ERROR_CODE_INVALID_HEADER, "without an id of its own");

    static const Bytes spoilt[] = {{NULL, 0}, {"", 0}, {"a b", 3}, {"\xFF", 1}, {"a\0b", 3}};
    for (size_t i = 0; i < ARRAY_LEN(spoilt); i++) {
        const RecordHeader faulty[] = {HEADER("cleanup-replay", "1"),
                                       {"cleanup-command-id", spoilt[i]}};
        record = record_with("{\"task\":\"scheduled_cleanup\"}", faulty, 2);
        assert_record_rejected(&record, ERROR_CODE_INVALID_HEADER, "1 to 64 characters");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structured_attributes_become_members),
        cmocka_unit_test(test_structured_absent_or_null_data_means_defaults),
        cmocka_unit_test(test_structured_extensions_are_ignored),
        cmocka_unit_test(test_structured_misspelt_data_is_rejected),
        cmocka_unit_test(test_structured_faults_are_named),
        cmocka_unit_test(test_similar_content_types_are_plain_json),
        cmocka_unit_test(test_binary_headers_become_members),
        cmocka_unit_test(test_binary_faulty_headers_are_rejected),
        cmocka_unit_test(test_binary_value_is_the_params),
        cmocka_unit_test(test_binary_event_without_a_value_has_no_params),
        cmocka_unit_test(test_binary_event_with_a_broken_value_is_rejected_under_its_id),
        cmocka_unit_test(test_event_key_is_made_of_source_and_id),
        cmocka_unit_test(test_structured_and_binary_form_of_an_event_have_one_key),
        cmocka_unit_test(test_replay_headers_carry_number_and_id),
        cmocka_unit_test(test_replay_numbers_that_make_no_sense_are_rejected),
        cmocka_unit_test(test_replay_ids_that_make_no_sense_are_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

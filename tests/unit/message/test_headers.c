/* Headers that are there more than once. */
#include "tests/unit/message/parsing.h"

enum { HEADERS = 6 };

static const CommandFloors no_floors = {0, 0};

static const RecordHeader event_headers[HEADERS] = {
    {"ce_specversion", {"1.0", 3}},
    {"ce_id", {"e-1", 3}},
    {"ce_type", {"cleanup.command.scheduled_cleanup", 33}},
    {"ce_source", {"/api", 4}},
    {"ce_time", {"2026-11-23T02:00:00Z", 20}},
    {"ce_expiresat", {"2026-11-23T03:00:00Z", 20}},
};

static void
assert_ambiguous(const Record *record, const char *name)
{
    char sentence[128];
    (void)snprintf(sentence, sizeof(sentence),
                   "the header %s is there more than once, with different values", name);
    assert_record_rejected(record, ERROR_CODE_INVALID_HEADER, sentence);
}

static void
test_parse_event_with_two_values_of_an_attribute_is_rejected(void **state)
{
    (void)state;
    RecordHeader headers[HEADERS + 1];
    memcpy(headers, event_headers, sizeof(event_headers));
    for (size_t i = 0; i < HEADERS; i++) {
        headers[HEADERS] = HEADER(event_headers[i].name, "1.1");
        const Record record = record_with("{}", headers, ARRAY_LEN(headers));
        assert_ambiguous(&record, event_headers[i].name);
    }
}

static void
test_parse_event_with_two_tasks_names_neither(void **state)
{
    (void)state;
    const RecordHeader headers[] = {event_headers[0], event_headers[1],
                                    HEADER("ce_type", "cleanup.command.expire_pending_bookings"),
                                    event_headers[3],
                                    HEADER("ce_type", "cleanup.command.cleanup_inactive_sessions")};
    const Record record = record_with("{}", headers, ARRAY_LEN(headers));
    Rejection rejection =
        reject_record(&record, &no_floors, ERROR_CODE_INVALID_HEADER, "the header ce_type");
    assert_string_equal(rejection.id, "e-1");
    assert_null(rejection.task);
    rejection_done(&rejection);
}

static void
test_parse_event_with_equal_headers_is_taken(void **state)
{
    (void)state;
    RecordHeader headers[2 * HEADERS];
    memcpy(headers, event_headers, sizeof(event_headers));
    memcpy(headers + HEADERS, event_headers, sizeof(event_headers));
    const Record record = record_with("{}", headers, ARRAY_LEN(headers));
    Command command = accept_record(&record, &no_floors);
    assert_string_equal(command.id, "e-1");
    assert_int_equal(command.task, COMMAND_SCHEDULED_CLEANUP);
    command_done(&command);
}

static void
test_parse_absent_and_empty_value_differ(void **state)
{
    (void)state;
    RecordHeader headers[HEADERS + 2];
    memcpy(headers, event_headers, sizeof(event_headers));
    headers[HEADERS - 1] = (RecordHeader){"ce_expiresat", {NULL, 0}};
    headers[HEADERS] = (RecordHeader){"ce_expiresat", {"", 0}};
    headers[HEADERS + 1] = headers[HEADERS];
    const Record record = record_with("{}", headers, ARRAY_LEN(headers));
    assert_ambiguous(&record, "ce_expiresat");
}

static void
test_parse_two_content_types_are_rejected(void **state)
{
    (void)state;
    const RecordHeader headers[] = {HEADER("content-type", "application/cloudevents+json"),
                                    HEADER("content-type", "application/json")};
    const Record record = record_with("{\"task\":\"scheduled_cleanup\"}", headers, 2);
    assert_ambiguous(&record, "content-type");
}

static void
test_parse_two_values_of_a_replay_are_rejected(void **state)
{
    (void)state;
    RecordHeader headers[] = {HEADER("cleanup-replay", "1"), HEADER("cleanup-command-id", "c-1"),
                              HEADER("cleanup-replay", "2")};
    const Record record = record_with("{\"task\":\"scheduled_cleanup\"}", headers, 3);
    assert_ambiguous(&record, "cleanup-replay");
    headers[2] = HEADER("cleanup-command-id", "c-2");
    assert_ambiguous(&record, "cleanup-command-id");
    headers[2] = HEADER("cleanup-command-id", "c-1");
    Command command = accept_record(&record, &no_floors);
    assert_int_equal(command.replay, 1);
    command_done(&command);
}

static void
test_parse_headers_that_are_not_read_may_differ(void **state)
{
    (void)state;
    const RecordHeader headers[] = {HEADER("ce_type", "a"),
                                    HEADER("ce_type", "b"),
                                    HEADER("traceparent", "a"),
                                    HEADER("traceparent", "b"),
                                    HEADER("cleanup-command-id", "c-1"),
                                    HEADER("cleanup-command-id", "c-2")};
    const Record record =
        record_with("{\"task\":\"scheduled_cleanup\"}", headers, ARRAY_LEN(headers));
    Command command = accept_record(&record, &no_floors);
    command_done(&command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_event_with_two_values_of_an_attribute_is_rejected),
        cmocka_unit_test(test_parse_event_with_two_tasks_names_neither),
        cmocka_unit_test(test_parse_event_with_equal_headers_is_taken),
        cmocka_unit_test(test_parse_absent_and_empty_value_differ),
        cmocka_unit_test(test_parse_two_content_types_are_rejected),
        cmocka_unit_test(test_parse_two_values_of_a_replay_are_rejected),
        cmocka_unit_test(test_parse_headers_that_are_not_read_may_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

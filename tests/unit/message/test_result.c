#include "worker/message/result.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/json_write.h"
#include "tests/support/test_arena.h"
#include "tests/unit/message/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FINISHED_US INT64_C(1795399200000000) /* 2026-11-23T02:00:00Z */

static Result
sample(void)
{
    return (Result){.command_id = "c-1",
                    .task = "scheduled_cleanup",
                    .status = RESULT_SUCCEEDED,
                    .message = "done",
                    .attempts = 1,
                    .worker_id = "host-1",
                    .finished_at_us = FINISHED_US,
                    .source_topic = "cleanup.commands",
                    .source_partition = 3,
                    .source_offset = 1741};
}

static cJSON *
print_and_parse(const Result *result, size_t *ret_size)
{
    const char *text = result_print(&arena, result);
    assert_non_null(text);
    cJSON *root = NULL;
    size_t position;
    *ret_size = strlen(text);
    assert_int_equal(json_parse(text, *ret_size, 32, &root, &position), JSON_FAULT_NONE);
    return root;
}

static void
test_print_members_are_all_there_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {
        "schema",       "command_id", "task",        "deprecated_task", "status",    "success",
        "message",      "data",       "error",       "attempts",        "worker_id", "requested_by",
        "requested_at", "started_at", "finished_at", "duration_ms",     "source",    "replay"};
    Result result = sample();
    result.deprecated_task = "run_cleanup_now";
    result.replay = 2;
    size_t size;
    CLEANUP(json_deletep) cJSON *root = print_and_parse(&result, &size);
    size_t i = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, root)
    {
        assert_true(i < ARRAY_LEN(names));
        assert_string_equal(member->string, names[i++]);
    }
    assert_int_equal(i, ARRAY_LEN(names));
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(root, "finished_at")->valuestring,
                        "2026-11-23T02:00:00.000000Z");
}

static void
test_print_absent_values_are_null(void **state)
{
    (void)state;
    const Result result = sample();
    const char *text = result_print(&arena, &result);
    assert_string_equal(
        text,
        "{\"schema\":\"cleanup.result/1\",\"command_id\":\"c-1\",\"task\":\"scheduled_cleanup\","
        "\"status\":\"succeeded\",\"success\":true,\"message\":\"done\",\"data\":null,"
        "\"error\":null,\"attempts\":1,\"worker_id\":\"host-1\",\"requested_by\":null,"
        "\"requested_at\":null,\"started_at\":null,\"finished_at\":\"2026-11-23T02:00:00.000000Z\","
        "\"duration_ms\":null,\"source\":{\"topic\":\"cleanup.commands\",\"partition\":3,"
        "\"offset\":1741}}");
}

static void
test_print_duration_is_rounded_to_tenths(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        double ms;
    } cases[] = {{0, 0.0}, {49, 0.0}, {50, 0.1}, {12351, 12.4}, {12349, 12.3}, {3600000000, 3.6e6}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Result result = sample();
        result.has_started_at = true;
        result.started_at_us = FINISHED_US - cases[i].us;
        size_t size;
        CLEANUP(json_deletep) cJSON *root = print_and_parse(&result, &size);
        assert_true(cJSON_GetObjectItemCaseSensitive(root, "duration_ms")->valuedouble ==
                    cases[i].ms);
    }
}

static void
test_print_large_numbers_keep_every_digit(void **state)
{
    (void)state;
    Result result = sample();
    result.source_offset = INT64_C(9007199254740991);
    const char *text = result_print(&arena, &result);
    assert_non_null(strstr(text, "\"offset\":9007199254740991}"));
}

static void
test_print_data_is_kept_with_raw_digits(void **state)
{
    (void)state;
    Result result = sample();
    result.data = "{\"total_cost\":120.50}";
    const char *first = result_print(&arena, &result);
    const char *second = result_print(&arena, &result);
    assert_non_null(strstr(first, "\"data\":{\"total_cost\":120.50}"));
    assert_string_equal(first, second);
}

static void
test_print_empty_sqlstate_is_null(void **state)
{
    (void)state;
    Result result = sample();
    result.status = RESULT_FAILED;
    result.has_error = true;
    result.error_code = ERROR_CODE_DATABASE_ERROR;
    result.error_message = "no";
    result.error_sqlstate = "";
    const char *text = result_print(&arena, &result);
    assert_non_null(strstr(text, "\"success\":false"));
    assert_non_null(strstr(
        text, "\"error\":{\"code\":\"database_error\",\"message\":\"no\",\"sqlstate\":null}"));
}

/* The longest texts, each byte of which is escaped to six, beside the longest lists. */
static void
test_print_longest_result_stays_below_its_limit(void **state)
{
    (void)state;
    CLEANUP(autofree) char *text = malloc(COMMAND_VALUE_MAX_BYTES + 1);
    CLEANUP(autofree) char *list = malloc(RESULT_LIST_MAX_BYTES);
    assert_non_null(text);
    assert_non_null(list);
    memset(text, '\x01', COMMAND_VALUE_MAX_BYTES);
    text[COMMAND_VALUE_MAX_BYTES] = '\0';
    memset(list, 'x', RESULT_LIST_MAX_BYTES - 1);
    list[RESULT_LIST_MAX_BYTES - 1] = '\0';
    CLEANUP(strbuf_done) StrBuf data = {0};
    json_open_object(&data, NULL);
    json_add_text(&data, "list", list);
    json_close_object(&data);
    Result result = sample();
    result.task = result.deprecated_task = result.message = result.error_message = text;
    result.has_error = true;
    result.data = strbuf_text(&data);
    size_t size;
    CLEANUP(json_deletep) cJSON *root = print_and_parse(&result, &size);
    assert_non_null(root);
    assert_true(size > RESULT_LIST_MAX_BYTES && size <= RESULT_MAX_BYTES);
}

static void
test_print_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t before = 0; before < 4; before++) {
        char text[20000];
        memset(text, 'x', before);
        for (size_t at = before; at + 4 < sizeof(text); at += 4)
            memcpy(text + at, "😀", 5);
        Result result = sample();
        result.task = text;
        size_t size;
        CLEANUP(json_deletep) cJSON *root = print_and_parse(&result, &size);
        const char *cut = cJSON_GetObjectItemCaseSensitive(root, "task")->valuestring;
        assert_true(strlen(cut) < 5000);
        assert_string_equal(cut + strlen(cut) - 3, "…");
    }
}

static void
test_rejection_has_the_workers_times_and_no_attempt(void **state)
{
    (void)state;
    char message[] = "there is no task \"x\"";
    const Rejection rejection = {.id = "c-9", .code = ERROR_CODE_UNKNOWN_TASK, .message = message};
    const Record source = {.topic = "t", .partition = 1, .offset = 2};
    const char *text =
        result_print_rejection(&arena, &rejection, &source, "w", FINISHED_US - 1000, FINISHED_US);
    assert_string_equal(
        text, "{\"schema\":\"cleanup.result/1\",\"command_id\":\"c-9\",\"task\":null,"
              "\"status\":\"rejected\",\"success\":false,\"message\":\"Rejected: there is no task "
              "\\\"x\\\"\",\"data\":null,\"error\":{\"code\":\"unknown_task\",\"message\":\"there "
              "is no task \\\"x\\\"\",\"sqlstate\":null},\"attempts\":0,\"worker_id\":\"w\","
              "\"requested_by\":null,\"requested_at\":null,"
              "\"started_at\":\"2026-11-23T01:59:59.999000Z\","
              "\"finished_at\":\"2026-11-23T02:00:00.000000Z\",\"duration_ms\":1,"
              "\"source\":{\"topic\":\"t\",\"partition\":1,\"offset\":2}}");
}

static void
test_record_has_key_and_event_headers(void **state)
{
    (void)state;
    const RecordHeader headers[] = {{"traceparent", BYTES_TEXT("00-a-b-01")},
                                    {"tracestate", BYTES_TEXT("v=1")},
                                    {"own", BYTES_TEXT("1")}};
    const Record source = {.topic = "t", .headers = headers, .header_count = 3};
    CLEANUP(record_freep)
    Record *record = result_record(
        "cleanup.results", &(EventContent){"c-1", "c-1", "host-1", FINISHED_US, "{}"}, 0, &source);
    assert_event(record, "c-1", "cleanup.result.v1", "2026-11-23T02:00:00.000000Z");
}

static void
test_record_drops_a_trace_that_is_too_large_and_says_so(void **state)
{
    (void)state;
    static char large[8192];
    const RecordHeader headers[] = {{"traceparent", BYTES_TEXT("00-a-b-01")},
                                    {"tracestate", {large, sizeof(large)}}};
    const Record source = {.topic = "t", .headers = headers, .header_count = ARRAY_LEN(headers)};
    CLEANUP(record_freep)
    Record *record =
        result_record("r", &(EventContent){"c-1", "c-1", "w", FINISHED_US, "{}"}, 0, &source);
    assert_non_null(record);
    assert_int_equal(record->header_count, 8);
    assert_header(record, "traceparent", "00-a-b-01");
    assert_null(record_header(record, "tracestate"));
    assert_header(record, "cleanup-headers-dropped", "tracestate");
}

static void
test_record_passes_on_just_as_much_trace_as_fits(void **state)
{
    (void)state;
    static char large[8192];
    const size_t fitting = sizeof(large) - strlen("traceparent") - strlen("tracestate") - 1;
    RecordHeader headers[] = {{"traceparent", BYTES_TEXT("x")}, {"tracestate", {large, fitting}}};
    const Record source = {.topic = "t", .headers = headers, .header_count = ARRAY_LEN(headers)};
    CLEANUP(record_freep)
    Record *record =
        result_record("r", &(EventContent){"c-1", "c-1", "w", FINISHED_US, "{}"}, 0, &source);
    assert_non_null(record);
    assert_int_equal(record_header(record, "tracestate")->value.size, fitting);
    assert_null(record_header(record, "cleanup-headers-dropped"));
    headers[0].value = (Bytes){large, sizeof(large)};
    headers[1].value = (Bytes){large, sizeof(large)};
    CLEANUP(record_freep)
    Record *without =
        result_record("r", &(EventContent){"c-1", "c-1", "w", FINISHED_US, "{}"}, 0, &source);
    assert_non_null(without);
    assert_header(without, "cleanup-headers-dropped", "traceparent,tracestate");
}

static void
test_record_of_a_replay_has_an_event_id_of_its_own(void **state)
{
    (void)state;
    const Record source = {.topic = "t"};
    char worker_id[400];
    memset(worker_id, 'w', sizeof(worker_id) - 1);
    worker_id[sizeof(worker_id) - 1] = '\0';
    CLEANUP(record_freep)
    Record *record =
        result_record("r", &(EventContent){"c-1", "c-1", worker_id, FINISHED_US, "{}"}, 3, &source);
    assert_non_null(record);
    assert_int_equal(record->header_count, 6);
    assert_header(record, "ce_id", "c-1/replay/3");
    assert_string_equal(record->key.data, "c-1");
    assert_int_equal(record_header(record, "ce_source")->value.size,
                     strlen("cleanup-worker/") + strlen(worker_id));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_members_are_all_there_in_order),
        cmocka_unit_test(test_print_absent_values_are_null),
        cmocka_unit_test(test_print_duration_is_rounded_to_tenths),
        cmocka_unit_test(test_print_large_numbers_keep_every_digit),
        cmocka_unit_test(test_print_data_is_kept_with_raw_digits),
        cmocka_unit_test(test_print_empty_sqlstate_is_null),
        cmocka_unit_test(test_print_longest_result_stays_below_its_limit),
        cmocka_unit_test(test_print_long_text_is_cut_between_characters),
        cmocka_unit_test(test_rejection_has_the_workers_times_and_no_attempt),
        cmocka_unit_test(test_record_has_key_and_event_headers),
        cmocka_unit_test(test_record_drops_a_trace_that_is_too_large_and_says_so),
        cmocka_unit_test(test_record_passes_on_just_as_much_trace_as_fits),
        cmocka_unit_test(test_record_of_a_replay_has_an_event_id_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, test_arena_tear_down);
}

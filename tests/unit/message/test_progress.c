#include "worker/message/progress.h"

#include "tests/unit/message/records.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define STARTED_US INT64_C(1795399200000000) /* 2026-11-23T02:00:00Z */

static Progress
sample(void)
{
    return (Progress){.command_id = "golden-1",
                      .task = "cleanup_inactive_sessions",
                      .number = 3,
                      .rows_done = 151000,
                      .rows_total = 10000000,
                      .rows_per_second = 10066.666,
                      .worker_id = "host-1",
                      .started_at_us = STARTED_US,
                      .updated_at_us = STARTED_US + INT64_C(15004200)};
}

/* CLEANUP_TEST_UPDATE_GOLDENS=1 writes it anew, as for results. */
static void
assert_golden(const Progress *progress, const char *folder)
{
    char path[1024];
    char expected[4096] = "";
    CLEANUP(autofree) char *printed = progress_print(progress);
    assert_non_null(printed);
    (void)snprintf(path, sizeof(path), "%s/tests/golden/%s/progress.json", SOURCE_DIR, folder);
    const bool update = getenv("CLEANUP_TEST_UPDATE_GOLDENS") != NULL;
    FILE *file = fopen(path, update ? "w+" : "r");
    assert_non_null(file);
    if (update)
        (void)fprintf(file, "%s\n", printed);
    rewind(file);
    assert_non_null(fgets(expected, sizeof(expected), file));
    (void)fclose(file);
    expected[strcspn(expected, "\n")] = '\0';
    assert_string_equal(printed, expected);
}

static void
test_print_progress_is_the_golden_byte_for_byte(void **state)
{
    (void)state;
    Progress progress = sample();
    assert_golden(&progress, "task-cleanup-inactive-sessions");
    progress.task = "scheduled_cleanup";
    progress.number = 4000002;
    progress.rows_total = 0;
    progress.rows_per_second = 0;
    assert_golden(&progress, "task-scheduled-cleanup");
}

static void
test_print_large_counts_keep_every_digit(void **state)
{
    (void)state;
    Progress progress = sample();
    progress.rows_done = INT64_C(9007199254740991);
    progress.rows_total = INT64_C(9007199254740992);
    CLEANUP(autofree) char *text = progress_print(&progress);
    assert_non_null(
        strstr(text, "\"rows_done\":9007199254740991,\"rows_total\":9007199254740992,"));
}

static void
test_print_rate_that_is_no_number_is_zero(void **state)
{
    (void)state;
    Progress progress = sample();
    progress.rows_per_second = INFINITY;
    CLEANUP(autofree) char *infinite = progress_print(&progress);
    assert_non_null(strstr(infinite, "\"rows_per_second\":0,"));
    progress.rows_per_second = NAN;
    CLEANUP(autofree) char *none = progress_print(&progress);
    assert_non_null(strstr(none, "\"rows_per_second\":0,"));
    progress.rows_per_second = 12.349;
    CLEANUP(autofree) char *rounded = progress_print(&progress);
    assert_non_null(strstr(rounded, "\"rows_per_second\":12.3,"));
}

static void
test_record_has_the_key_of_the_result_and_an_event_of_its_own(void **state)
{
    (void)state;
    const RecordHeader headers[] = {{"traceparent", BYTES_TEXT("00-a-b-01")},
                                    {"tracestate", BYTES_TEXT("v=1")},
                                    {"ce_type", BYTES_TEXT("cleanup.command.scheduled_cleanup")}};
    const Record source = {.topic = "t", .headers = headers, .header_count = ARRAY_LEN(headers)};
    CLEANUP(record_freep)
    Record *record = progress_record("cleanup.results",
                                     &(EventContent){"c-1", "c-1", "host-1", STARTED_US, "{}"},
                                     1000001, &source);
    assert_event(record, "c-1/progress/1000001", "cleanup.progress.v1",
                 "2026-11-23T02:00:00.000000Z");
    assert_true(progress_is_record(record));
    assert_false(progress_is_record(&source));
}

static void
test_is_record_goes_by_the_whole_type_alone(void **state)
{
    (void)state;
    static const char *const types[] = {"cleanup.result.v1", "cleanup.progress.v", "",
                                        "cleanup.progress.v12"};
    const Record bare = {.topic = "t", .value = BYTES_TEXT("{\"schema\":\"cleanup.progress/1\"}")};
    assert_false(progress_is_record(&bare));
    for (size_t i = 0; i <= ARRAY_LEN(types); i++) {
        const RecordHeader header = {"ce_type", i < ARRAY_LEN(types) ? BYTES_TEXT(types[i])
                                                                     : (Bytes){NULL, 0}};
        const Record record = {.topic = "t", .headers = &header, .header_count = 1};
        assert_false(progress_is_record(&record));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_progress_is_the_golden_byte_for_byte),
        cmocka_unit_test(test_print_large_counts_keep_every_digit),
        cmocka_unit_test(test_print_rate_that_is_no_number_is_zero),
        cmocka_unit_test(test_record_has_the_key_of_the_result_and_an_event_of_its_own),
        cmocka_unit_test(test_is_record_goes_by_the_whole_type_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

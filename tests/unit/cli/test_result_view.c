#include "worker/cli/result_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PROGRESS                                                                                   \
    "{\"schema\":\"cleanup.progress/1\",\"command_id\":\"c-1\",\"task\":\"scheduled_cleanup\","    \
    "\"progress\":1,\"rows_done\":151000,\"rows_total\":%s,\"rows_per_second\":10066.7,"           \
    "\"worker_id\":\"w\",\"started_at\":\"2026-11-23T02:00:00.000000Z\","                          \
    "\"updated_at\":\"2026-11-23T02:00:15.004200Z\"}"

static const RecordHeader progress_header = {"ce_type", {"cleanup.progress.v1", 19}};

static Record
record_of(const char *json, bool progress)
{
    return (Record){.value = BYTES_TEXT(json),
                    .headers = progress ? &progress_header : NULL,
                    .header_count = progress ? 1 : 0};
}

static void
assert_row(const ResultView *view, const char *part)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    result_view_print_row(out, view, true);
    (void)fclose(out);
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in %s", part, text);
    assert_null(strstr(text, "\033[31m"));
    free(text);
}

static void
test_read_progress_is_no_result_and_a_result_no_progress(void **state)
{
    (void)state;
    ResultView view;
    /* Whatever it says of itself, the header decides. */
    static const char json[] = "{\"command_id\":\"c-1\",\"status\":\"succeeded\"}";
    const Record progress = record_of(json, true);
    const Record result = record_of(json, false);
    assert_false(result_view_read(&progress, &view));
    assert_false(result_view_read_progress(&result, &view));
    assert_true(result_view_read(&result, &view));
    assert_string_equal(view.status, "succeeded");
    result_view_done(&view);
}

static void
test_print_row_of_a_progress_says_how_far_it_has_come(void **state)
{
    (void)state;
    static const struct {
        const char *total;
        const char *part;
    } cases[] = {{"10000000", "151000 of 10000000 rows, 10067/s"},
                 {"null", "151000 rows, 10067/s"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char json[1024];
        ResultView view;
        (void)snprintf(json, sizeof(json), PROGRESS, cases[i].total);
        const Record record = record_of(json, true);
        assert_true(result_view_read_progress(&record, &view));
        assert_row(&view, cases[i].part);
        assert_row(&view, "2026-11-23T02:00:15Z  running");
        assert_row(&view, "c-1");
        result_view_done(&view);
    }
}

static void
test_read_bytes_that_are_no_json_is_neither(void **state)
{
    (void)state;
    ResultView view;
    const Record nothing = record_of("not json", true);
    const Record tombstone = {.headers = &progress_header, .header_count = 1};
    assert_false(result_view_read_progress(&nothing, &view));
    assert_false(result_view_read_progress(&tombstone, &view));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_progress_is_no_result_and_a_result_no_progress),
        cmocka_unit_test(test_print_row_of_a_progress_says_how_far_it_has_come),
        cmocka_unit_test(test_read_bytes_that_are_no_json_is_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

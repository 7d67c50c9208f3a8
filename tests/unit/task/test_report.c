#include "worker/task/report.h"

#include "common/json.h"
#include "tests/support/test_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
assert_message(const Report *report, const char *expected)
{
    const Reports reports = {report, 1};
    const char *message = report_message(&arena, &reports);
    assert_non_null(message);
    assert_string_equal(message, expected);
}

static void
test_message_sessions_says_what_was_done(void **state)
{
    (void)state;
    Report report = {.target = &target_sessions, .user_id = ""};
    assert_message(&report, "No inactive sessions found");
    report.tally.counts[0] = 2;
    assert_message(&report, "Successfully cleaned up 2 inactive sessions");
    report.tally.skipped = 3;
    assert_message(&report, "Successfully cleaned up 2 inactive sessions (3 skipped: locked)");
    report.user_id = "u";
    report.tally.skipped = 0;
    assert_message(&report, "Successfully cleaned up 2 inactive sessions for user u");
    report.tally.counts[0] = 0;
    assert_message(&report, "No inactive sessions found for user u");
    report.dry_run = true;
    assert_message(&report, "Would clean up 0 inactive sessions for user u");
}

static void
test_message_nothing_done_but_skipped_is_not_called_nothing_found(void **state)
{
    (void)state;
    const Report sessions = {.target = &target_sessions, .user_id = "", .tally.skipped = 1};
    assert_message(&sessions, "Successfully cleaned up 0 inactive sessions (1 skipped: locked)");
    const Report bookings = {.target = &target_bookings, .user_id = "", .tally.skipped = 1};
    assert_message(&bookings, "Successfully marked 0 bookings as Expired (1 skipped: locked)");
}

/* In the order of the reasons, each once; what has no cause of its own is locked. */
static void
test_skipped_rows_are_told_with_their_reasons(void **state)
{
    (void)state;
    Report report = {
        .target = &target_sessions,
        .user_id = "",
        .tally = {.counts = {2, 4, 1},
                  .skipped = 7,
                  .reasons = {{{SKIP_ERROR, "P0001", "legal hold"}, 3, "s1"},
                              {{SKIP_ERROR, "23514", "refused"}, 1, "s2"},
                              {{SKIP_TRIGGER, "", ""}, 2, "s3"}},
                  .reason_count = 3},
    };
    assert_message(&report, "Successfully cleaned up 2 inactive sessions (7 skipped: locked, "
                            "trigger, error)");
    const char *text = report_data(&arena, &(Reports){&report, 1}, NULL);
    assert_string_equal(
        text, "{\"deleted_sessions\":2,\"deleted_image_records\":4,\"deleted_video_records\":1,"
              "\"skipped_sessions\":7,\"skipped_reasons\":["
              "{\"reason\":\"error\",\"count\":3,\"sqlstate\":\"P0001\",\"message\":\"legal hold\","
              "\"example\":\"s1\"},"
              "{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"23514\",\"message\":\"refused\","
              "\"example\":\"s2\"},"
              "{\"reason\":\"trigger\",\"count\":2,\"sqlstate\":null,\"message\":null,"
              "\"example\":\"s3\"},"
              "{\"reason\":\"locked\",\"count\":1,\"sqlstate\":null,\"message\":null,"
              "\"example\":null}],\"cutoff_time\":\"1970-01-01T00:00:00.000000Z\"}");
    report.tally.skipped = 6;
    assert_message(&report,
                   "Successfully cleaned up 2 inactive sessions (6 skipped: trigger, error)");
}

static void
test_message_bookings_says_what_was_done(void **state)
{
    (void)state;
    Report report = {.target = &target_bookings, .user_id = ""};
    assert_message(&report, "No expired pending bookings found");
    report.tally.counts[0] = 4;
    assert_message(&report, "Successfully marked 4 bookings as Expired");
    report.dry_run = true;
    assert_message(&report, "Would mark 4 bookings as Expired");
}

static void
test_message_failure_names_the_cause(void **state)
{
    (void)state;
    const Report report = {.target = &target_sessions, .user_id = "u", .failure = "no way"};
    assert_message(&report, "Error cleaning up inactive sessions for user u: no way");
}

static void
test_data_bookings_cut_list_is_marked(void **state)
{
    (void)state;
    const char *ids[] = {"b1"};
    const Report report = {.target = &target_bookings,
                           .user_id = "",
                           .tally = {.counts = {2}, .ids = ids, .id_count = 1}};
    const char *text = report_data(&arena, &(Reports){&report, 1}, NULL);
    assert_string_equal(text, "{\"expired_bookings\":2,\"expired_booking_ids\":[\"b1\"],"
                              "\"expired_booking_ids_truncated\":true,\"skipped_bookings\":0,"
                              "\"cutoff_time\":\"1970-01-01T00:00:00.000000Z\"}");
}

static void
test_two_targets_one_failed_keeps_the_other(void **state)
{
    (void)state;
    const Report each[] = {
        {.target = &target_sessions, .user_id = "", .failure = "denied"},
        {.target = &target_bookings, .user_id = "", .tally.counts = {1}},
    };
    const Reports reports = {each, ARRAY_LEN(each)};
    const char *message = report_message(&arena, &reports);
    assert_string_equal(message, "Session cleanup: Error cleaning up inactive sessions: denied; "
                                 "Booking expiration: Successfully marked 1 bookings as Expired");
    const char *text = report_data(&arena, &reports, "c-1");
    CLEANUP(json_deletep) cJSON *data = cJSON_Parse(text);
    assert_true(cJSON_IsFalse(
        cJSON_GetObjectItem(cJSON_GetObjectItem(data, "session_cleanup"), "success")));
    assert_true(cJSON_IsTrue(
        cJSON_GetObjectItem(cJSON_GetObjectItem(data, "booking_expiration"), "success")));
    assert_string_equal(cJSON_GetObjectItem(data, "shared_with")->valuestring, "c-1");
}

static void
test_cutoff_takes_fractions(void **state)
{
    (void)state;
    const CommandParams params = {.inactive_hours = 0.5, .expiration_minutes = 1.5};
    assert_int_equal(target_cutoff_us(&target_sessions, &params, INT64_C(3600000000)),
                     INT64_C(1800000000));
    assert_int_equal(target_cutoff_us(&target_bookings, &params, INT64_C(3600000000)),
                     INT64_C(3510000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_sessions_says_what_was_done),
        cmocka_unit_test(test_message_nothing_done_but_skipped_is_not_called_nothing_found),
        cmocka_unit_test(test_skipped_rows_are_told_with_their_reasons),
        cmocka_unit_test(test_message_bookings_says_what_was_done),
        cmocka_unit_test(test_message_failure_names_the_cause),
        cmocka_unit_test(test_data_bookings_cut_list_is_marked),
        cmocka_unit_test(test_two_targets_one_failed_keeps_the_other),
        cmocka_unit_test(test_cutoff_takes_fractions),
    };
    return cmocka_run_group_tests(tests, NULL, test_arena_tear_down);
}

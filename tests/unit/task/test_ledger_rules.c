#include "worker/task/ledger_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const Record source = {
    .topic = "cleanup.commands", .partition = 3, .offset = 41, .timestamp_ms = 1000};

static LedgerRecord
row_in_state(LedgerState state)
{
    return (LedgerRecord){.command_id = "a",
                          .state = state,
                          .source_topic = "cleanup.commands",
                          .source_partition = 3,
                          .source_offset = 41,
                          .source_timestamp_ms = 1000};
}

static void
test_decide_same_source_running_is_taken_over(void **state)
{
    (void)state;
    const LedgerRecord row = row_in_state(LEDGER_RUNNING);
    const Command command = {.id = "a", .key = "a"};
    assert_int_equal(ledger_decide(&row, &command, &source), LEDGER_TAKE_OVER);
}

static void
test_decide_same_source_ended_is_published(void **state)
{
    (void)state;
    static const LedgerState ended[] = {LEDGER_SUCCEEDED, LEDGER_FAILED, LEDGER_EXPIRED,
                                        LEDGER_BLOCKED, LEDGER_CANCELLED};
    const Command command = {.id = "a", .key = "a"};
    for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
        const LedgerRecord row = row_in_state(ended[i]);
        assert_int_equal(ledger_decide(&row, &command, &source), LEDGER_PUBLISH);
    }
}

static void
test_decide_any_difference_of_source_is_absorbed(void **state)
{
    (void)state;
    const Command command = {.id = "a", .key = "a"};
    const LedgerRecord row = row_in_state(LEDGER_RUNNING);
    Record other = source;
    other.offset = 42;
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_ABSORB);
    other = source;
    other.partition = 4;
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_ABSORB);
    other = source;
    other.timestamp_ms = 1001;
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_ABSORB);
    other = source;
    other.topic = "another";
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_ABSORB);
}

static void
test_decide_replay_runs_again_only_what_ended_without_success(void **state)
{
    (void)state;
    Record other = source;
    other.offset = 99;
    const Command replay = {.id = "a", .key = "a", .replay = 1};
    LedgerRecord row = row_in_state(LEDGER_FAILED);
    assert_int_equal(ledger_decide(&row, &replay, &other), LEDGER_RUN_AGAIN);
    row.replay = 1;
    assert_int_equal(ledger_decide(&row, &replay, &other), LEDGER_ABSORB);
    row = row_in_state(LEDGER_SUCCEEDED);
    assert_int_equal(ledger_decide(&row, &replay, &other), LEDGER_ABSORB);
    row = row_in_state(LEDGER_RUNNING);
    assert_int_equal(ledger_decide(&row, &replay, &other), LEDGER_ABSORB);
}

static void
test_decide_other_content_is_a_conflict_but_from_the_same_source(void **state)
{
    (void)state;
    Record other = source;
    other.offset = 99;
    Command command = {.id = "a", .key = "a", .content = "one"};
    LedgerRecord row = row_in_state(LEDGER_SUCCEEDED);
    row.content = "one";
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_ABSORB);
    row.content = "two";
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_CONFLICT);
    assert_int_equal(ledger_decide(&row, &command, &source), LEDGER_PUBLISH);
    row.state = LEDGER_RUNNING;
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_CONFLICT);
    row.state = LEDGER_FAILED;
    command.replay = 1;
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_CONFLICT);
    row.content = NULL;
    assert_int_equal(ledger_decide(&row, &command, &other), LEDGER_RUN_AGAIN);
}

static void
test_find_row_of_an_event_is_by_key_or_by_id_and_source(void **state)
{
    (void)state;
    LedgerRecord row = row_in_state(LEDGER_SUCCEEDED);
    LedgerRows rows = {&row, 1, NULL};
    Record other = source;
    other.offset = 99;
    const Command plain = {.id = "a", .key = "a"};
    const Command event = {.id = "a", .key = "ce:x", .is_event = true};
    assert_ptr_equal(ledger_rows_find(&rows, &plain, &other), &row);
    assert_ptr_equal(ledger_rows_find(&rows, &event, &source), &row);
    assert_null(ledger_rows_find(&rows, &event, &other));
    row.command_id = "ce:x";
    assert_ptr_equal(ledger_rows_find(&rows, &event, &other), &row);
    assert_null(ledger_rows_find(&rows, &plain, &source));
}

static void
test_find_row_among_many_is_by_the_bytes_of_their_ids(void **state)
{
    (void)state;
    static const char *const ids[] = {"B", "a", "a-1", "a1", "ce:x", "\xc3\xa9"};
    LedgerRecord list[ARRAY_LEN(ids)];
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        list[i] = row_in_state(LEDGER_SUCCEEDED);
        list[i].command_id = ids[i];
    }
    const LedgerRows rows = {list, ARRAY_LEN(ids), NULL};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        Command command = {.id = "other"};
        memcpy(command.key, ids[i], strlen(ids[i]) + 1);
        assert_ptr_equal(ledger_rows_find(&rows, &command, &source), &list[i]);
    }
    const Command unknown = {.id = "b", .key = "b"};
    assert_null(ledger_rows_find(&rows, &unknown, &source));
    assert_null(ledger_rows_find(&(LedgerRows){0}, &unknown, &source));
}

static void
test_start_past_expiry_expires_unless_replayed(void **state)
{
    (void)state;
    Record fresh = source;
    fresh.timestamp_ms = 5000;
    Command command = {.id = "a", .key = "a", .has_expires_at = true, .expires_at_us = 6000000};
    assert_int_equal(ledger_start(&command, &fresh, 5999999, 360), LEDGER_START_RUN);
    assert_int_equal(ledger_start(&command, &fresh, 6000000, 360), LEDGER_START_EXPIRED);
    command.replay = 1;
    assert_int_equal(ledger_start(&command, &fresh, 6000000, 360), LEDGER_START_RUN);
}

static void
test_start_older_than_retention_is_refused(void **state)
{
    (void)state;
    const int64_t hour_us = INT64_C(3600) * 1000000;
    Record old = source;
    old.timestamp_ms = 0;
    const Command command = {.id = "a", .key = "a"};
    assert_int_equal(ledger_start(&command, &old, 9 * hour_us, 10), LEDGER_START_RUN);
    assert_int_equal(ledger_start(&command, &old, 9 * hour_us + 1, 10), LEDGER_START_TOO_OLD);
    old.timestamp_ms = INT64_MAX;
    assert_int_equal(ledger_start(&command, &old, 9 * hour_us + 1, 10), LEDGER_START_RUN);
    old.timestamp_ms = -1;
    assert_int_equal(ledger_start(&command, &old, 9 * hour_us + 1, 10), LEDGER_START_RUN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_same_source_running_is_taken_over),
        cmocka_unit_test(test_decide_same_source_ended_is_published),
        cmocka_unit_test(test_decide_any_difference_of_source_is_absorbed),
        cmocka_unit_test(test_decide_replay_runs_again_only_what_ended_without_success),
        cmocka_unit_test(test_decide_other_content_is_a_conflict_but_from_the_same_source),
        cmocka_unit_test(test_find_row_of_an_event_is_by_key_or_by_id_and_source),
        cmocka_unit_test(test_find_row_among_many_is_by_the_bytes_of_their_ids),
        cmocka_unit_test(test_start_past_expiry_expires_unless_replayed),
        cmocka_unit_test(test_start_older_than_retention_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/postgres.h"

#include "worker/repository/ledger_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static DatabaseSettings settings;
static PgConn *app;
static Database *database;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

static void
begin_again(void)
{
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
}

static void
commit(void)
{
    Error err = {0};
    ASSERT_OK(database_commit(database, &err), &err);
}

static int
begin(void **state)
{
    (void)state;
    postgres_clear(app);
    database = postgres_open(&settings);
    begin_again();
    return 0;
}

static int
end(void **state)
{
    (void)state;
    database_free(database);
    return 0;
}

static LedgerRecord
record_of(const char *id, int64_t offset)
{
    return (LedgerRecord){
        .command_id = id,
        .task = "scheduled_cleanup",
        .state = LEDGER_RUNNING,
        .source_topic = "cleanup.commands",
        .source_partition = 3,
        .source_offset = offset,
        .source_timestamp_ms = 1700000000123,
        .worker_id = "w\"1\\",
        .owner_epoch = 1,
        .now_us = 1700000000123456,
        .started_us = 1700000000123457,
    };
}

static void
insert(const LedgerRecord *records, size_t count, bool *inserted)
{
    Error err = {0};
    ASSERT_OK(ledger_insert(database, records, count, inserted, &err), &err);
}

static void
test_insert_new_and_known_ids_tells_which(void **state)
{
    (void)state;
    bool inserted[3];
    const LedgerRecord first[] = {record_of("b", 1)};
    insert(first, 1, inserted);
    assert_true(inserted[0]);
    const LedgerRecord second[] = {record_of("c", 2), record_of("b", 1), record_of("a", 3)};
    insert(second, 3, inserted);
    assert_true(inserted[0]);
    assert_false(inserted[1]);
    assert_true(inserted[2]);
}

static void
test_insert_same_id_twice_in_a_set_counts_once(void **state)
{
    (void)state;
    bool inserted[4];
    const LedgerRecord records[] = {record_of("x", 7), record_of("a", 8), record_of("x", 9),
                                    record_of("X", 9)};
    insert(records, 4, inserted);
    assert_int_equal(inserted[0] + inserted[2], 1);
    assert_true(inserted[0]);
    assert_true(inserted[1]);
    assert_true(inserted[3]);
    commit();
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 3);
}

static void
test_insert_row_in_doubt_waits_and_is_busy(void **state)
{
    (void)state;
    Error err = {0};
    bool inserted[1];
    CLEANUP(database_freep) Database *other = postgres_open(&settings);
    int64_t now_us;
    const LedgerRecord record = record_of("a", 1);
    insert(&record, 1, inserted);
    ASSERT_OK(database_begin(other, DATABASE_WRITE, 0, &now_us, &err), &err);
    ASSERT_OK(database_stop_waiting(other, &err), &err);
    assert_false(ledger_insert(other, &record, 1, inserted, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_string_equal(err.code, "ledger_busy");
}

static void
test_lock_row_held_by_others_is_busy(void **state)
{
    (void)state;
    Error err = {0};
    bool inserted[1];
    const char *const ids[] = {"a"};
    LedgerRows rows = {0};
    const LedgerRecord record = record_of("a", 1);
    insert(&record, 1, inserted);
    commit();
    postgres_exec(app, "BEGIN; SELECT FROM cleanup_worker.ledger FOR UPDATE");
    begin_again();
    ASSERT_OK(database_stop_waiting(database, &err), &err);
    assert_false(ledger_lock(database, ids, 1, &rows, &err));
    assert_string_equal(err.code, "ledger_busy");
    postgres_exec(app, "ROLLBACK");
}

static void
test_update_then_find_gives_every_field_back(void **state)
{
    (void)state;
    Error err = {0};
    bool inserted[1];
    const char *const ids[] = {"a", "unknown"};
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    LedgerRecord record = record_of("a", 1);
    insert(&record, 1, inserted);
    record.state = LEDGER_FAILED;
    record.source_offset = 99;
    record.replay = 2;
    record.owner_epoch = 5;
    record.finished_us = 1700000000999999;
    record.attempts = 4;
    record.dead_letter = true;
    record.reason = "it's \"quoted\" \\ and {braced}";
    record.result = "{\"ü\":\"line\\nbreak\"}";
    ASSERT_OK(ledger_update(database, &record, 1, &err), &err);
    ASSERT_OK(ledger_find(database, ids, 2, &rows, &err), &err);
    assert_int_equal(rows.count, 1);
    const LedgerRecord *row = &rows.rows[0];
    assert_string_equal(row->command_id, "a");
    assert_string_equal(row->task, record.task);
    assert_string_equal(row->source_topic, record.source_topic);
    assert_string_equal(row->worker_id, record.worker_id);
    assert_string_equal(row->reason, record.reason);
    assert_string_equal(row->result, record.result);
    assert_int_equal(row->state, LEDGER_FAILED);
    assert_int_equal(row->source_partition, 3);
    assert_int_equal(row->source_offset, 99);
    assert_int_equal(row->source_timestamp_ms, record.source_timestamp_ms);
    assert_int_equal(row->replay, 2);
    assert_int_equal(row->owner_epoch, 5);
    assert_int_equal(row->now_us, record.now_us);
    assert_int_equal(row->started_us, record.started_us);
    assert_int_equal(row->finished_us, record.finished_us);
    assert_int_equal(row->attempts, 4);
    assert_true(row->dead_letter);
}

static void
test_lock_running_row_has_no_end_and_ids_are_in_order(void **state)
{
    (void)state;
    Error err = {0};
    bool inserted[3];
    const char *const ids[] = {"b", "a", "B"};
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    const LedgerRecord records[] = {record_of("b", 1), record_of("a", 2), record_of("B", 3)};
    insert(records, 3, inserted);
    ASSERT_OK(ledger_lock(database, ids, 3, &rows, &err), &err);
    assert_int_equal(rows.count, 3);
    assert_string_equal(rows.rows[0].command_id, "B");
    assert_string_equal(rows.rows[2].command_id, "b");
    assert_int_equal(rows.rows[0].finished_us, 0);
    assert_null(rows.rows[0].result);
    assert_null(rows.rows[0].reason);
}

static void
test_update_row_that_is_gone_is_busy(void **state)
{
    (void)state;
    Error err = {0};
    const LedgerRecord record = record_of("a", 1);
    assert_false(ledger_update(database, &record, 1, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_string_equal(err.code, "ledger_busy");
}

static void
insert_ranges(void)
{
    Error err = {0};
    const LedgerRange ranges[] = {{.target = "bookings", .owner_epoch = 1},
                                  {.target = "sessions", .range_no = 1, .owner_epoch = 1},
                                  {.target = "sessions", .owner_epoch = 1}};
    ASSERT_OK(ledger_range_insert(database, "a", ranges, ARRAY_LEN(ranges), &err), &err);
}

static void
test_range_lock_all_gives_sessions_before_bookings(void **state)
{
    (void)state;
    Error err = {0};
    size_t count = 0;
    LedgerRange ranges[4];
    insert_ranges();
    ASSERT_OK(ledger_range_lock_all(database, "a", ranges, 4, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_string_equal(ranges[0].target, "sessions");
    assert_int_equal(ranges[0].range_no, 0);
    assert_int_equal(ranges[1].range_no, 1);
    assert_string_equal(ranges[2].target, "bookings");
    assert_string_equal(ranges[2].cursor.major, "");
    assert_false(ledger_range_lock_all(database, "a", ranges, 2, &count, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
}

static void
test_range_update_then_lock_gives_every_field_back(void **state)
{
    (void)state;
    Error err = {0};
    bool found = false;
    LedgerRange read;
    LedgerRange range = {.target = "sessions",
                         .range_no = 1,
                         .owner_epoch = 4,
                         .state = RANGE_FAILED,
                         .by_id = true,
                         .rows_done = 7,
                         .rows_total = 8,
                         .cursor = {"major", "minor"},
                         .counts = {1, 2, 3, 4},
                         .counted = 4,
                         .skipped = 5,
                         .last_pass_us = 6,
                         .error_code = "timeout",
                         .error_sqlstate = "57014",
                         .error_message = "it took too long"};
    insert_ranges();
    LedgerRangeKey key = {"a", "sessions", 1};
    ASSERT_OK(ledger_range_update(database, "a", &range, &err), &err);
    ASSERT_OK(ledger_range_lock(database, &key, &read, &found, &err), &err);
    assert_true(found);
    assert_int_equal(read.state, RANGE_FAILED);
    assert_int_equal(read.owner_epoch, 4);
    assert_true(read.by_id);
    assert_int_equal(read.rows_done, 7);
    assert_int_equal(read.rows_total, 8);
    assert_string_equal(read.cursor.major, "major");
    assert_string_equal(read.cursor.minor, "minor");
    assert_int_equal(read.counted, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(read.counts[i], 1 + i);
    assert_int_equal(read.skipped, 5);
    assert_int_equal(read.last_pass_us, 6);
    assert_string_equal(read.error_code, "timeout");
    assert_string_equal(read.error_sqlstate, "57014");
    assert_string_equal(read.error_message, "it took too long");
    key.range_no = 7;
    ASSERT_OK(ledger_range_lock(database, &key, &read, &found, &err), &err);
    assert_false(found);
    range.range_no = 7;
    assert_false(ledger_range_update(database, "a", &range, &err));
}

static void
test_take_over_sets_the_epoch_everywhere(void **state)
{
    (void)state;
    Error err = {0};
    bool inserted[1];
    const LedgerRecord record = record_of("a", 1);
    insert(&record, 1, inserted);
    insert_ranges();
    ASSERT_OK(ledger_take_over(database, "a", "w2", 2, &err), &err);
    commit();
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range "
                                          "WHERE owner_epoch = 2"),
                     3);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger "
                                          "WHERE owner_epoch = 2 AND worker_id = 'w2'"),
                     1);
}

static const LedgerRangeKey sessions = {"a", "sessions", 0};
static const LedgerRangeKey bookings = {"a", "bookings", 0};
static const LedgerCursor beginning;

static size_t
skip_items(const char **items, size_t count, int limit)
{
    Error err = {0};
    size_t kept = 0;
    const char *owners[] = {"u2", "u1", "u1"};
    const SkippedRows rows = {owners, items, count, {SKIP_LOCKED, "", ""}};
    ASSERT_OK(ledger_skip(database, &sessions, &rows, limit, &kept, &err), &err);
    return kept;
}

static void
test_skip_known_rows_stay_once_and_room_is_bounded(void **state)
{
    (void)state;
    Error err = {0};
    const char *first[] = {"s1", "s2"};
    const char *second[] = {"s2", "s3", "s4"};
    SkippedRows rows = {0};
    assert_int_equal(skip_items(first, 2, 3), 2);
    assert_int_equal(skip_items(second, 3, 3), 2); /* s2 was there, s3 fits, s4 does not */
    assert_int_equal(skip_items(second, 3, 3), 2);
    ASSERT_OK(ledger_skipped_list(database, &sessions, &beginning, 10, &rows, &err), &err);
    assert_int_equal(rows.count, 3);
    assert_string_equal(rows.owners[0], "u1");
    assert_string_equal(rows.items[0], "s2");
    assert_string_equal(rows.items[1], "s3");
    assert_string_equal(rows.owners[2], "u2");
    assert_string_equal(rows.items[2], "s1");
    const LedgerCursor after = {"u1", "s2"};
    ASSERT_OK(ledger_skipped_list(database, &sessions, &after, 1, &rows, &err), &err);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.items[0], "s3");
}

static void
test_skipped_delete_forgets_those_of_the_target(void **state)
{
    (void)state;
    Error err = {0};
    const char *items[] = {"s1", "s2"};
    SkippedRows rows = {0};
    int64_t count = 0;
    (void)skip_items(items, 2, 10);
    ASSERT_OK(ledger_skipped_delete(database, &bookings, items, 2, &err), &err);
    ASSERT_OK(ledger_skipped_count(database, &sessions, &count, &err), &err);
    assert_int_equal(count, 2);
    ASSERT_OK(ledger_skipped_delete(database, &sessions, items, 1, &err), &err);
    ASSERT_OK(ledger_skipped_list(database, &sessions, &beginning, 10, &rows, &err), &err);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.items[0], "s2");
}

static void
test_ids_are_kept_in_order_up_to_a_thousand(void **state)
{
    (void)state;
    Error err = {0};
    static char texts[700][8];
    const char *ids[700];
    SkippedRows rows = {0};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "b%zu", 999 - i);
        ids[i] = texts[i];
    }
    ASSERT_OK(ledger_ids_add(database, "a", ids, ARRAY_LEN(ids), &err), &err);
    ASSERT_OK(ledger_ids_add(database, "a", ids, ARRAY_LEN(ids), &err), &err);
    ASSERT_OK(ledger_ids_list(database, "a", &rows, &err), &err);
    assert_int_equal(rows.count, 1000);
    assert_string_equal(rows.items[0], "b999");
    assert_string_equal(rows.items[699], "b300");
    assert_string_equal(rows.items[700], "b999");
    assert_string_equal(rows.owners[0], "");
}

static void
test_range_delete_all_leaves_other_commands(void **state)
{
    (void)state;
    Error err = {0};
    const char *items[] = {"s1"};
    size_t kept;
    insert_ranges();
    (void)skip_items(items, 1, 10);
    ASSERT_OK(ledger_ids_add(database, "a", items, 1, &err), &err);
    const LedgerRangeKey other = {"other", "bookings", 0};
    const SkippedRows rows = {items, items, 1, {SKIP_LOCKED, "", ""}};
    ASSERT_OK(ledger_skip(database, &other, &rows, 10, &kept, &err), &err);
    ASSERT_OK(ledger_range_delete_all(database, "a", &err), &err);
    commit();
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range"), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_listed_id"),
                     0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped"), 1);
}

static void
test_expire_deletes_old_ended_rows_below_the_offset(void **state)
{
    (void)state;
    Error err = {0};
    bool inserted[5];
    int64_t deleted = 0;
    LedgerRecord records[] = {record_of("old", 1), record_of("running", 2), record_of("recent", 3),
                              record_of("old2", 4), record_of("above", 9)};
    insert(records, ARRAY_LEN(records), inserted);
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        records[i].state = i == 1 ? LEDGER_RUNNING : LEDGER_SUCCEEDED;
        records[i].finished_us = i == 1 ? 0 : i == 2 ? 200 : 50;
    }
    ASSERT_OK(ledger_update(database, records, ARRAY_LEN(records), &err), &err);
    const LedgerExpiry elsewhere = {"cleanup.commands", 2, 9, 100};
    const LedgerExpiry expiry = {"cleanup.commands", 3, 9, 100};
    ASSERT_OK(ledger_expire(database, &elsewhere, 10, &deleted, &err), &err);
    assert_int_equal(deleted, 0);
    ASSERT_OK(ledger_expire(database, &expiry, 1, &deleted, &err), &err);
    assert_int_equal(deleted, 1);
    ASSERT_OK(ledger_expire(database, &expiry, 10, &deleted, &err), &err);
    assert_int_equal(deleted, 1);
    commit();
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger WHERE "
                                          "command_id IN ('running', 'recent', 'above')"),
                     3);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 3);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_insert_new_and_known_ids_tells_which),
        CASE(test_insert_same_id_twice_in_a_set_counts_once),
        CASE(test_insert_row_in_doubt_waits_and_is_busy),
        CASE(test_lock_row_held_by_others_is_busy),
        CASE(test_update_then_find_gives_every_field_back),
        CASE(test_lock_running_row_has_no_end_and_ids_are_in_order),
        CASE(test_update_row_that_is_gone_is_busy),
        CASE(test_range_lock_all_gives_sessions_before_bookings),
        CASE(test_range_update_then_lock_gives_every_field_back),
        CASE(test_take_over_sets_the_epoch_everywhere),
        CASE(test_skip_known_rows_stay_once_and_room_is_bounded),
        CASE(test_skipped_delete_forgets_those_of_the_target),
        CASE(test_ids_are_kept_in_order_up_to_a_thousand),
        CASE(test_range_delete_all_leaves_other_commands),
        CASE(test_expire_deletes_old_ended_rows_below_the_offset),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

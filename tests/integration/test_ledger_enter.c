/* Commands of a set enter the ledger by COPY, all of them or none. */
#include "tests/support/postgres.h"
#include "worker/repository/database_private.h"
#include "worker/repository/ledger_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    ID_BYTES = 24,
    MANY = 3000, /* more than the socket and libpq take at once */
};

static DatabaseSettings settings;
static PgConn *app;
static Database *database;

static void
begin_transaction(Database *one)
{
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_begin(one, DATABASE_WRITE, 0, &now_us, &err), &err);
}

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

static int
begin(void **state)
{
    (void)state;
    postgres_clear(app);
    database = postgres_open(&settings);
    begin_transaction(database);
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
        .task = "cleanup_inactive_sessions_for_user",
        .state = LEDGER_SUCCEEDED,
        .source_topic = "cleanup.commands",
        .source_partition = 3,
        .source_offset = offset,
        .source_timestamp_ms = 1700000000123,
        .replay = 2,
        .worker_id = "w\"1\\",
        .owner_epoch = 1,
        .now_us = 1700000000123456,
        .started_us = 1700000000123457,
        .finished_us = 1700000000999999,
        .attempts = 4,
        .dead_letter = true,
        .content = "0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a01",
        .reason = "why \xc3\xa4",
        .result = "{\"message\":\"\\u00e4 \xc3\xa4\"}",
    };
}

static void
enter(const LedgerRecord *records, size_t count)
{
    Error err = {0};
    ASSERT_OK(ledger_enter(database, records, count, &err), &err);
}

static void
test_enter_then_find_gives_every_field_back(void **state)
{
    (void)state;
    Error err = {0};
    const char *const ids[] = {"a", "b"};
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    LedgerRecord records[] = {record_of("b", 2), record_of("a", 1)};
    records[0].reason = NULL;
    records[0].dead_letter = false;
    enter(records, 2);
    ASSERT_OK(ledger_find(database, ids, 2, &rows, &err), &err);
    assert_int_equal(rows.count, 2);
    const LedgerRecord *a = &rows.rows[0];
    assert_string_equal(a->command_id, "a");
    assert_string_equal(a->task, records[1].task);
    assert_int_equal(a->state, LEDGER_SUCCEEDED);
    assert_string_equal(a->source_topic, "cleanup.commands");
    assert_int_equal(a->source_partition, 3);
    assert_int_equal(a->source_offset, 1);
    assert_int_equal(a->source_timestamp_ms, 1700000000123);
    assert_int_equal(a->replay, 2);
    assert_string_equal(a->worker_id, "w\"1\\");
    assert_int_equal(a->owner_epoch, 1);
    assert_int_equal(a->now_us, 1700000000123456);
    assert_int_equal(a->started_us, 1700000000123457);
    assert_int_equal(a->finished_us, 1700000000999999);
    assert_int_equal(a->attempts, 4);
    assert_true(a->dead_letter);
    assert_string_equal(a->content, records[1].content);
    assert_string_equal(a->reason, records[1].reason);
    assert_string_equal(a->result, records[1].result);
    assert_false(rows.rows[1].dead_letter);
    assert_null(rows.rows[1].reason);
}

/* Megabytes, of which the last row is refused: all of them are read, and the connection is as good
 * as before. */
static void
test_enter_many_of_which_one_is_known_enters_none(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(autofree) LedgerRecord *records = calloc(MANY, sizeof(*records));
    CLEANUP(autofree) char(*ids)[ID_BYTES] = calloc(MANY, sizeof(*ids));
    char result[1024];
    assert_true(records != NULL && ids != NULL);
    memset(result, 'x', sizeof(result) - 1);
    result[sizeof(result) - 1] = '\0';
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "c%05d", i);
        records[i] = record_of(ids[i], i);
        records[i].result = result;
    }
    enter(&records[MANY - 1], 1);
    ASSERT_OK(database_commit(database, &err), &err);
    begin_transaction(database);
    assert_false(ledger_enter(database, records, MANY, &err));
    assert_int_equal(err.reason, REASON_LEDGER_ENTERED);
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_false(err.counts_as_attempt);
    assert_string_equal(err.code, "ledger_busy");
    database_rollback(database);
    assert_false(database_is_lost(database));
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
    begin_transaction(database);
    enter(records, MANY - 1);
    ASSERT_OK(database_commit(database, &err), &err);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), MANY);
}

static void
test_enter_row_in_doubt_waits_and_is_busy(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(database_freep) Database *other = postgres_open(&settings);
    const LedgerRecord record = record_of("a", 1);
    enter(&record, 1);
    begin_transaction(other);
    ASSERT_OK(database_stop_waiting(other, &err), &err);
    assert_false(ledger_enter(other, &record, 1, &err));
    assert_int_equal(err.reason, REASON_LEDGER_BUSY);
    assert_string_equal(err.code, "ledger_busy");
}

static void
test_enter_what_the_server_refuses_is_no_known_row(void **state)
{
    (void)state;
    Error err = {0};
    LedgerRecord record = record_of("a", 1);
    record.task = "\xff";
    assert_false(ledger_enter(database, &record, 1, &err));
    assert_int_equal(err.reason, REASON_DATA_INVALID);
    database_rollback(database);
    assert_false(database_is_lost(database));
}

/* A statement that asks for rows where there are none to give ends all the same. */
static void
test_copy_without_rows_to_give_fails(void **state)
{
    (void)state;
    Error err = {0};
    PGresult *result = NULL;
    assert_false(pg_conn_exec(app, "COPY users FROM STDIN", &result, &err));
    assert_non_null(strstr(err.text, "there are no rows"));
    assert_false(pg_conn_is_lost(app));
    assert_int_equal(postgres_number(app, "SELECT 1"), 1);
}

static void
test_copy_into_a_table_that_is_missing_says_so(void **state)
{
    (void)state;
    Error err = {0};
    PgCopy rows = {0};
    assert_false(pg_conn_copy_in(app, "COPY nowhere FROM STDIN (FORMAT binary)", &rows, &err));
    assert_int_equal(err.reason, REASON_OBJECT_MISSING);
    assert_int_equal(postgres_number(app, "SELECT 1"), 1);
    strbuf_done(&rows.bytes);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_enter_then_find_gives_every_field_back),
        CASE(test_enter_many_of_which_one_is_known_enters_none),
        CASE(test_enter_row_in_doubt_waits_and_is_busy),
        CASE(test_enter_what_the_server_refuses_is_no_known_row),
        CASE(test_copy_without_rows_to_give_fails),
        CASE(test_copy_into_a_table_that_is_missing_says_so),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

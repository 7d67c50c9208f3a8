/* What the ledger may forget: ended long ago, and below what the group has committed. */
#include "tests/support/postgres.h"

#include "worker/upkeep/upkeep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TOPIC "cleanup.commands"

enum {
    RETENTION_HOURS = 10,
    PARTITION = 3,
};

static DatabaseSettings settings;
static PgConn *app;
static Database *database;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    return failed;
}

static int
begin(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    database = postgres_open(&settings);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    database_free(database);
    pg_conn_free(app);
    return 0;
}

/* `count` rows at the offsets from `offset` on, which ended that many hours ago; running ones have
 * not. Ids tell topic, partition and offset. */
static void
add_rows(const char *topic, int partition, int offset, int count, const char *state, int hours)
{
    postgres_exec(
        app,
        "INSERT INTO cleanup_worker.ledger "
        "SELECT '%s/%d/' || n, 'scheduled_cleanup', '%s', '%s', %d, n, 1, 0, 'w', 1, 1, "
        "1, CASE WHEN '%s' <> 'running' THEN "
        "(extract(epoch FROM now()) * 1000000)::bigint - %d * 3600 * 1000000::bigint END, "
        "1, false, NULL, NULL FROM generate_series(%d, %d) AS n",
        topic, partition, state, topic, partition, state, hours, offset, offset + count - 1);
}

static int64_t
rows_left(void)
{
    return postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger");
}

static int64_t
run_round(int64_t committed_offset)
{
    Error err = {0};
    int64_t deleted = -1;
    const int64_t before_us =
        clock_now_us(clock_system()) - RETENTION_HOURS * 3600 * CLOCK_US_PER_SECOND;
    const LedgerExpiry expiry = {TOPIC, PARTITION, committed_offset, before_us};
    ASSERT_OK(upkeep_round(database, &expiry, &deleted, &err), &err);
    return deleted;
}

static void
test_round_deletes_what_ended_long_ago_below_the_committed_offset(void **state)
{
    (void)state;
    static const char *const states[] = {"succeeded", "failed", "expired", "blocked", "cancelled"};
    for (int i = 0; i < (int)ARRAY_LEN(states); i++)
        add_rows(TOPIC, PARTITION, i, 1, states[i], RETENTION_HOURS + 1);
    add_rows(TOPIC, PARTITION, 10, 1, "running", 0);
    add_rows(TOPIC, PARTITION, 11, 1, "succeeded", RETENTION_HOURS - 1);
    add_rows(TOPIC, PARTITION, 12, 2, "succeeded", RETENTION_HOURS + 1);
    assert_int_equal(run_round(13), 6);
    assert_int_equal(rows_left(), 3);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger "
                                          "WHERE source_offset IN (10, 11, 13)"),
                     3);
    assert_int_equal(run_round(13), 0);
}

static void
test_round_leaves_other_partitions_and_topics_alone(void **state)
{
    (void)state;
    add_rows(TOPIC, PARTITION, 0, 1, "succeeded", RETENTION_HOURS + 1);
    add_rows(TOPIC, PARTITION + 1, 0, 1, "succeeded", RETENTION_HOURS + 1);
    add_rows("other.commands", PARTITION, 0, 1, "succeeded", RETENTION_HOURS + 1);
    assert_int_equal(run_round(100), 1);
    assert_int_equal(rows_left(), 2);
    assert_int_equal(postgres_number(app,
                                     "SELECT count(*) FROM cleanup_worker.ledger "
                                     "WHERE source_topic = '" TOPIC "' AND "
                                     "source_partition = %d",
                                     PARTITION),
                     0);
}

static void
test_round_with_nothing_committed_deletes_nothing(void **state)
{
    (void)state;
    add_rows(TOPIC, PARTITION, 0, 5, "succeeded", RETENTION_HOURS + 1);
    assert_int_equal(run_round(0), 0);
    assert_int_equal(rows_left(), 5);
}

static void
test_round_goes_on_until_all_is_deleted(void **state)
{
    (void)state;
    add_rows(TOPIC, PARTITION, 0, 2500, "succeeded", RETENTION_HOURS + 1);
    add_rows(TOPIC, PARTITION, 2500, 10, "succeeded", RETENTION_HOURS - 1);
    assert_int_equal(run_round(10000), 2500);
    assert_int_equal(rows_left(), 10);
    add_rows(TOPIC, PARTITION, 3000, 2000, "succeeded", RETENTION_HOURS + 1);
    assert_int_equal(run_round(10000), 2000); /* full transactions to the last */
    assert_int_equal(rows_left(), 10);
}

static void
test_round_row_that_others_hold_is_left_for_the_next(void **state)
{
    (void)state;
    CLEANUP(pg_conn_freep) PgConn *other = postgres_connect();
    add_rows(TOPIC, PARTITION, 0, 3, "succeeded", RETENTION_HOURS + 1);
    postgres_exec(other, "BEGIN; SELECT FROM cleanup_worker.ledger WHERE source_offset = 1 "
                         "FOR UPDATE");
    assert_int_equal(run_round(100), 2);
    postgres_exec(other, "COMMIT");
    assert_int_equal(run_round(100), 1);
}

static void
test_round_without_server_fails(void **state)
{
    (void)state;
    Error err = {0};
    int64_t deleted = -1;
    DatabaseSettings unreachable = settings;
    unreachable.dsn = "host=127.0.0.1 port=1";
    CLEANUP(database_freep) Database *cut_off = postgres_open(&unreachable);
    const LedgerExpiry expiry = {TOPIC, PARTITION, 1, 1};
    assert_false(upkeep_round(cut_off, &expiry, &deleted, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_int_equal(deleted, -1);
}

/* A row of the partition that is gone shows that a round has come that far; a second one, added
 * after it, that the round has ended. */
static void
wait_for_a_whole_round(int offset)
{
    for (int i = 0; i < 2; i++) {
        add_rows(TOPIC, PARTITION, offset + i, 1, "succeeded", RETENTION_HOURS + 1);
        postgres_wait_until(app, "SELECT NOT EXISTS (SELECT FROM cleanup_worker.ledger "
                                 "WHERE source_partition = 3 AND state = 'succeeded' AND "
                                 "source_offset BETWEEN 1000 AND 1999)");
    }
}

static void
test_thread_deletes_in_the_partitions_it_was_told_of(void **state)
{
    (void)state;
    Error err = {0};
    Upkeep *upkeep = NULL;
    const UpkeepSettings upkeep_settings = {&settings, TOPIC, RETENTION_HOURS, 5, NULL};
    add_rows(TOPIC, PARTITION, 0, 3, "succeeded", RETENTION_HOURS + 1);
    add_rows(TOPIC, PARTITION, 3, 1, "running", 0);
    add_rows(TOPIC, PARTITION, 4, 1, "succeeded", RETENTION_HOURS - 1);
    add_rows(TOPIC, PARTITION, 5000, 1, "succeeded", RETENTION_HOURS + 1);
    add_rows(TOPIC, PARTITION + 1, 0, 2, "succeeded", RETENTION_HOURS + 1);
    ASSERT_OK(upkeep_start(&upkeep_settings, clock_system(), &upkeep, &err), &err);
    upkeep_note_committed(upkeep, PARTITION, 1);
    upkeep_note_committed(upkeep, PARTITION, 2000);
    wait_for_a_whole_round(1000);
    assert_int_equal(postgres_number(app,
                                     "SELECT count(*) FROM cleanup_worker.ledger "
                                     "WHERE source_partition = %d",
                                     PARTITION + 1),
                     2);
    assert_int_equal(postgres_number(app,
                                     "SELECT count(*) FROM cleanup_worker.ledger WHERE "
                                     "source_partition = %d AND source_offset IN (3, 4, 5000)",
                                     PARTITION),
                     3);
    assert_int_equal(rows_left(), 5);
    upkeep_note_committed(upkeep, PARTITION + 1, 1);
    postgres_wait_until(app, "SELECT count(*) = 4 FROM cleanup_worker.ledger");
    upkeep_stop(upkeep);
    assert_int_equal(rows_left(), 4);
}

static void
test_thread_goes_on_after_its_connection_was_lost(void **state)
{
    (void)state;
    Error err = {0};
    Upkeep *upkeep = NULL;
    const UpkeepSettings upkeep_settings = {&settings, TOPIC, RETENTION_HOURS, 5, NULL};
    ASSERT_OK(upkeep_start(&upkeep_settings, clock_system(), &upkeep, &err), &err);
    upkeep_note_committed(upkeep, PARTITION, 2000);
    wait_for_a_whole_round(1000);
    assert_true(postgres_number(app, "SELECT count(pg_terminate_backend(pid)) FROM "
                                     "pg_stat_activity WHERE datname = current_database() AND "
                                     "pid <> pg_backend_pid()") > 0);
    wait_for_a_whole_round(1100);
    upkeep_stop(upkeep);
}

static void
test_thread_stopped_before_its_first_round_does_nothing(void **state)
{
    (void)state;
    Error err = {0};
    Upkeep *upkeep = NULL;
    const UpkeepSettings upkeep_settings = {&settings, TOPIC, RETENTION_HOURS, 3600000, NULL};
    add_rows(TOPIC, PARTITION, 0, 3, "succeeded", RETENTION_HOURS + 1);
    ASSERT_OK(upkeep_start(&upkeep_settings, clock_system(), &upkeep, &err), &err);
    upkeep_note_committed(upkeep, PARTITION, 100);
    upkeep_stop(upkeep);
    upkeep_stop(NULL);
    assert_int_equal(rows_left(), 3);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_round_deletes_what_ended_long_ago_below_the_committed_offset),
        CASE(test_round_leaves_other_partitions_and_topics_alone),
        CASE(test_round_with_nothing_committed_deletes_nothing),
        CASE(test_round_goes_on_until_all_is_deleted),
        CASE(test_round_row_that_others_hold_is_left_for_the_next),
        CASE(test_round_without_server_fails),
        CASE(test_thread_deletes_in_the_partitions_it_was_told_of),
        CASE(test_thread_goes_on_after_its_connection_was_lost),
        CASE(test_thread_stopped_before_its_first_round_does_nothing),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

/* Into which ranges a long command is divided when it begins. */
#include "tests/support/ranges.h"
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static SentCommand sent;

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
    ranges_add_users(app);
    worker_open(&worker, &settings, "w");
    sent = (SentCommand){0};
    sent_make_task(&sent, 10, "a", "cleanup_inactive_sessions");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    sent_done(&sent);
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static int64_t
range_count(void)
{
    return postgres_number(app, "SELECT count(*) " RANGES_OF);
}

/* Each user, those of the bounds and at the ends too, lies in exactly one range. */
static void
assert_ranges_cover_all(void)
{
    assert_int_equal(
        postgres_number(
            app,
            "SELECT count(*) FROM (SELECT user_id AS id FROM users UNION SELECT bound_low::uuid "
            "FROM cleanup_worker.ledger_range WHERE bound_low <> '' UNION SELECT "
            "bound_high::uuid FROM cleanup_worker.ledger_range WHERE bound_high <> '') u WHERE "
            "(SELECT count(*) FROM cleanup_worker.ledger_range r WHERE target = 'sessions' "
            "AND " RANGES_HOLD_U ") <> 1"),
        0);
}

/* Begins the command anew with so many executors, and counts its ranges. */
static void
assert_divided(int executors, int rows, int expected)
{
    CLEANUP(long_command_freep) LongCommand *divided = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "TRUNCATE cleanup_worker.ledger, cleanup_worker.ledger_range");
    ranges_pretend_rows(app, rows);
    worker.settings.executors = executors;
    assert_int_equal(worker_step(&worker, &sent, divided, &outcome), TASK_REQUEUE);
    assert_int_equal(range_count(), expected);
    assert_ranges_cover_all();
}

static void
test_begin_divides_large_tables_by_the_executors(void **state)
{
    (void)state;
    assert_divided(1, 1000000, 1);
    assert_divided(2, 1000000, 2);
    assert_divided(3, 1000000, 3);
    assert_divided(64, 1000000, 16);
    assert_divided(2, RANGES_LARGE, 2);
    assert_divided(3, RANGES_LARGE, 2);
    assert_divided(2, RANGES_LARGE - 1, 1);
    assert_divided(2, -1, 1);
}

static void
test_begin_divides_by_the_statistics_into_like_parts(void **state)
{
    (void)state;
    assert_divided(2, RANGES_LARGE, 2);
    assert_in_range(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range r, "
                                         "(SELECT user_id AS id FROM sessions) u "
                                         "WHERE range_no = 0 AND " RANGES_HOLD_U),
                    RANGES_USERS * 2 / 5, RANGES_USERS * 3 / 5);
    assert_int_equal(postgres_number(app, "SELECT sum(rows_total) " RANGES_OF), RANGES_LARGE);
}

static void
test_begin_without_statistics_divides_the_uuids_evenly(void **state)
{
    (void)state;
    postgres_exec(app, "DELETE FROM pg_statistic WHERE starelid = 'sessions'::regclass");
    assert_divided(2, RANGES_LARGE, 2);
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGES_OF " AND range_no = 0 AND "
                                          "bound_low = '' AND bound_high = "
                                          "'7fffffff-ffff-ffff-ffff-ffffffffffff'"),
                     1);
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGES_OF " AND range_no = 1 AND "
                                          "bound_low = '80000000-0000-0000-0000-000000000000' AND "
                                          "bound_high = ''"),
                     1);
    assert_divided(3, 1000000, 3);
}

static void
test_begin_without_an_index_or_for_one_user_is_one_range(void **state)
{
    (void)state;
    postgres_exec(app, "DROP INDEX sessions_user_id");
    assert_divided(2, RANGES_LARGE, 1);
    postgres_exec(app, "CREATE INDEX sessions_user_id ON sessions (user_id, id)");
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGES_OF " AND by_id"), 1);
    sent_done(&sent);
    sent_make_for_user(&sent, 10, "a", 1);
    assert_divided(2, RANGES_LARGE, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_begin_divides_large_tables_by_the_executors),
        CASE(test_begin_divides_by_the_statistics_into_like_parts),
        CASE(test_begin_without_statistics_divides_the_uuids_evenly),
        CASE(test_begin_without_an_index_or_for_one_user_is_one_range),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

/* Constraints of the application that do not take a booking as Expired: it is skipped and named,
 * and the others go on. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    BOOKINGS = 40,
};

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    return failed;
}

/* b40 is the only one with this cost, beside one that has expired long since. */
static int
forty_bookings(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    for (int i = 1; i <= BOOKINGS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "b%02d", i);
        application_add_booking(app, id, "Pending", 1 + i);
    }
    application_add_booking(app, "old", "Expired", 900);
    postgres_exec(app, "UPDATE bookings SET total_cost = 1000 + substr(booking_id, 2)::int "
                       "WHERE booking_id <> 'old'; "
                       "UPDATE bookings SET total_cost = 1007 WHERE booking_id = 'old'");
    worker_open(&worker, &settings, "w1");
    worker.settings.max_row_errors = 100;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    postgres_exec(app, "ALTER TABLE bookings DROP CONSTRAINT IF EXISTS refuses; "
                       "DROP INDEX IF EXISTS refuses");
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static int64_t
previewed(int64_t offset, const char *id)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_task(&sent, offset, id, "get_expired_bookings_preview");
    worker_run(&worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    return outcome_number(&outcome, "data.total");
}

/* Of the forty b07 alone is refused, under this SQLSTATE. */
static void
assert_one_is_skipped(const char *sqlstate)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    assert_int_equal(previewed(9, "before"), BOOKINGS);
    sent_make_task(&sent, 10, "a", "expire_pending_bookings");
    worker_run(&worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), BOOKINGS - 1);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 1);
    if (postgres_number(app,
                        "SELECT (r ->> 'reason' = 'error' AND r ->> 'sqlstate' = '%s' "
                        "AND r ->> 'example' = 'b07' AND r ->> 'message' LIKE '%%refuses%%')::int "
                        "FROM cleanup_worker.ledger, jsonb_array_elements(convert_from(result, "
                        "'UTF8')::jsonb #> '{data,skipped_reasons}') r WHERE command_id = 'a'",
                        sqlstate) != 1)
        fail_msg("not refused for %s: %s", sqlstate, outcome.result);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     1);
    assert_int_equal(previewed(11, "after"), 1);
}

static void
test_expire_booking_that_a_check_refuses_is_skipped(void **state)
{
    (void)state;
    postgres_exec(app, "ALTER TABLE bookings ADD CONSTRAINT refuses "
                       "CHECK (status <> 'Expired' OR booking_id <> 'b07')");
    assert_one_is_skipped("23514");
}

static void
test_expire_booking_that_is_no_longer_unique_is_skipped(void **state)
{
    (void)state;
    postgres_exec(app, "CREATE UNIQUE INDEX refuses ON bookings (total_cost, status)");
    assert_one_is_skipped("23505");
}

static void
test_expire_booking_that_an_exclusion_refuses_is_skipped(void **state)
{
    (void)state;
    postgres_exec(app, "ALTER TABLE bookings ADD CONSTRAINT refuses EXCLUDE USING btree "
                       "(total_cost WITH =) WHERE (status = 'Expired')");
    assert_one_is_skipped("23P01");
}

static void
test_expire_booking_that_an_exclusion_refuses_at_commit_is_skipped(void **state)
{
    (void)state;
    postgres_exec(app, "ALTER TABLE bookings ADD CONSTRAINT refuses EXCLUDE USING btree "
                       "(total_cost WITH =) WHERE (status = 'Expired') "
                       "DEFERRABLE INITIALLY DEFERRED");
    assert_one_is_skipped("23P01");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, forty_bookings, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_expire_booking_that_a_check_refuses_is_skipped),
        CASE(test_expire_booking_that_is_no_longer_unique_is_skipped),
        CASE(test_expire_booking_that_an_exclusion_refuses_is_skipped),
        CASE(test_expire_booking_that_an_exclusion_refuses_at_commit_is_skipped),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

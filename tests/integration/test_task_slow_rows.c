/* While rows of the application are locked no statement may take long: batches begin small, grow
 * while they are quick, and shrink until they are in time; a row that takes too long alone is
 * skipped. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"
#define EXPIRE_ALL "expire_pending_bookings"

enum {
    ROWS = 24,
    LOCKED_MS = 400,
};

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static LongCommand *long_command;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    settings.locked_timeout_ms = LOCKED_MS;
    return failed;
}

static int
begin(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    for (int i = 1; i <= ROWS; i++) {
        char id[16];
        application_add_user(app, i, 48);
        (void)snprintf(id, sizeof(id), "b%02d", i);
        application_add_booking(app, id, "Pending", 1 + i);
    }
    worker_open(&worker, &settings, "w1");
    worker.settings.max_attempts = 1;
    long_command = long_command_new();
    return 0;
}

static int
end(void **state)
{
    (void)state;
    postgres_exec(app, "DROP FUNCTION IF EXISTS act CASCADE");
    long_command_free(long_command);
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static void
slow_down(const char *event, const char *when, double seconds)
{
    postgres_exec(app,
                  "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  "PERFORM pg_sleep(%f); RETURN NEW; END $$; CREATE TRIGGER act AFTER %s FOR EACH "
                  "ROW WHEN (%s) EXECUTE FUNCTION act()",
                  seconds, event, when);
}

static int64_t
rows_done(void)
{
    return postgres_number(app, "SELECT sum(rows_done) FROM cleanup_worker.ledger_range");
}

static void
test_batches_begin_small_and_grow_while_they_are_quick(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    static const int64_t done[] = {0, 3, 9, 21, ROWS};
    worker.settings.first_batch_rows = 3;
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    for (size_t i = 0; i < ARRAY_LEN(done); i++) {
        assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
        assert_int_equal(rows_done(), done[i]);
    }
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
}

/* All at once they would take three times as long as is allowed. */
static void
run_slow(const char *task, const char *event)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    slow_down(event, "true", 3.0 * LOCKED_MS / ROWS / 1000);
    sent_make_task(&sent, 10, "a", task);
    worker_run(&worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
    assert_null(strstr(outcome.result, "skipped_reasons"));
}

static void
test_batch_of_sessions_that_takes_too_long_is_halved_without_an_attempt(void **state)
{
    (void)state;
    run_slow(CLEANUP_ALL, "DELETE ON sessions");
    assert_int_equal(application_count_sessions(app), 0);
}

static void
test_batch_of_bookings_that_takes_too_long_is_halved_without_an_attempt(void **state)
{
    (void)state;
    run_slow(EXPIRE_ALL, "UPDATE ON bookings");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     0);
}

static void
test_row_that_takes_too_long_alone_is_skipped_and_named(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.max_row_errors = 1;
    slow_down("DELETE ON sessions", "OLD.id = 's7'", 30);
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    worker_run(&worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 23 inactive sessions (1 skipped: error)");
    assert_int_equal(
        postgres_number(app,
                        "SELECT (convert_from(result, 'UTF8')::jsonb #> '{data,skipped_reasons}' = "
                        "'[{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"57014\","
                        "\"message\":\"canceling statement due to statement timeout\","
                        "\"example\":\"s7\"}]')::int FROM cleanup_worker.ledger"),
        1);
    assert_int_equal(application_count_sessions(app), 1);
}

static void
test_set_that_takes_too_long_is_to_be_halved(void **state)
{
    (void)state;
    SentCommand sent[2] = {0};
    TaskOutcome outcomes[2] = {0};
    TaskItem items[2];
    Error err = {0};
    slow_down("DELETE ON sessions", "true", 0.75 * LOCKED_MS / 1000);
    for (int i = 0; i < 2; i++) {
        sent_make_for_user(&sent[i], 10 + i, i == 0 ? "a" : "b", 1 + i);
        items[i] = sent_item(&sent[i]);
    }
    assert_false(task_run_set(&worker.context, items, 2, 1, outcomes, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_int_equal(err.reason, REASON_TIMEOUT);
    for (int i = 0; i < 2; i++) {
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        worker_run(&worker, &sent[i], &outcome);
        assert_finished(app, &sent[i], &outcome, "succeeded");
    }
    for (int i = 0; i < 2; i++)
        sent_done(&sent[i]);
}

static void
test_set_of_one_that_takes_too_long_goes_on_as_a_long_command(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    for (int i = 0; i < ROWS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "u%02d", i);
        application_add_session(app, id, 1, 48);
    }
    slow_down("DELETE ON sessions", "true", 3.0 * LOCKED_MS / ROWS / 1000);
    sent_make_for_user(&sent, 10, "a", 1);
    worker_run(&worker, &sent, &outcome);
    assert_int_equal(outcome.step, TASK_LEAVE_SET);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), ROWS + 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_batches_begin_small_and_grow_while_they_are_quick),
        CASE(test_batch_of_sessions_that_takes_too_long_is_halved_without_an_attempt),
        CASE(test_batch_of_bookings_that_takes_too_long_is_halved_without_an_attempt),
        CASE(test_row_that_takes_too_long_alone_is_skipped_and_named),
        CASE(test_set_that_takes_too_long_is_to_be_halved),
        CASE(test_set_of_one_that_takes_too_long_goes_on_as_a_long_command),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

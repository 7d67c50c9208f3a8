/* Databases of other encodings: every task, requesters that the database cannot hold, and ids that
 * are no UTF-8. */
#include "tests/support/every_task.h"

#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define APPLICATION SOURCE_DIR "/deploy/postgres/application.sql"
#define REPLACEMENT "\xEF\xBF\xBD"

static DatabaseSettings settings;
static PgConn *app;

static int
setup_latin1(void **state)
{
    (void)state;
    const int failed = postgres_create_encoded(APPLICATION, "LATIN1");
    settings = postgres_settings();
    return failed;
}

static int
setup_sql_ascii(void **state)
{
    (void)state;
    const int failed = postgres_create_encoded(APPLICATION, "SQL_ASCII");
    settings = postgres_settings();
    return failed;
}

static int
begin(void **state)
{
    (void)state;
    app = postgres_connect();
    every_task_fill(app);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    pg_conn_free(app);
    return 0;
}

static void
test_every_task_for_a_requester_that_the_database_cannot_hold_ends(void **state)
{
    (void)state;
    every_task_run(app, &settings);
}

/* The leader's end enters all that share its run. */
static void
test_shared_run_of_requesters_that_the_database_cannot_hold_ends(void **state)
{
    (void)state;
    TestWorker worker;
    CLEANUP(sent_done) SentCommand leader = {0};
    CLEANUP(sent_done) SentCommand follower = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(task_outcome_done) TaskOutcome shared = {0};
    Error err = {0};
    LongCommand *run = long_command_new();
    worker_open(&worker, &settings, "w1");
    sent_make(&leader, 1, "{\"command_id\":\"a\",\"task\":\"cleanup_inactive_sessions\"}");
    sent_make(&follower, 2,
              "{\"command_id\":\"b\",\"task\":\"cleanup_inactive_sessions\","
              "\"requested_by\":\"\xE6\x97\xA5\xE6\x9C\xAC\"}");
    const TaskItem leads = sent_item(&leader);
    const TaskItem follows = sent_item(&follower);
    const TaskFollowers followers = {&follows, &shared, 1};
    TaskStep step = TASK_REQUEUE;
    while (step == TASK_REQUEUE) {
        const int claim = worker_claim(&worker, run);
        const TaskTurn turn = {run, claim, claim == CLAIM_EXCLUSIVE ? &followers : NULL};
        task_outcome_done(&outcome);
        ASSERT_OK(task_step_long_command(&worker.context, &leads, &turn, &outcome, &err), &err);
        step = outcome.step;
    }
    assert_finished(app, &leader, &outcome, "succeeded");
    assert_finished(app, &follower, &shared, "succeeded");
    assert_outcome_text(&shared, "requested_by", "\xE6\x97\xA5\xE6\x9C\xAC");
    assert_outcome_text(&shared, "data.shared_with", "a");
    long_command_free(run);
    worker_done(&worker);
}

static TaskOutcome
run_once(TestWorker *worker, int64_t offset, const char *members)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    TaskOutcome outcome = {0};
    sent_make(&sent, offset, "{\"command_id\":\"c%d\",%s}", (int)offset, members);
    worker_run(worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    if (!utf8_is_valid(outcome.result, strlen(outcome.result)))
        fail_msg("no UTF-8: %s", outcome.result);
    return outcome;
}

/* An error whose text is cut short must not bring a character that the database does not have. */
static void
test_failure_with_a_long_message_ends(void **state)
{
    (void)state;
    TestWorker worker;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$BEGIN RAISE '%%', repeat('long ', 1000); END$$; "
                       "CREATE TRIGGER refuse BEFORE UPDATE ON bookings FOR EACH ROW "
                       "EXECUTE FUNCTION refuse()");
    worker_open(&worker, &settings, "w1");
    sent_make_task(&sent, 1, "a", "expire_pending_bookings");
    worker_run(&worker, &sent, &outcome);
    assert_int_equal(outcome.step, TASK_FINISHED);
    worker_done(&worker);
    postgres_exec(app, "DROP FUNCTION refuse() CASCADE");
}

/* "ü" as LATIN1 has it, in ids of sessions and bookings. */
static void
test_ids_that_are_no_utf8_are_worked_on_and_shown_with_replacements(void **state)
{
    (void)state;
    static const char preview[] = "\"task\":\"get_inactive_sessions_preview\"";
    TestWorker worker;
    postgres_exec(app,
                  "UPDATE bookings SET booking_id = booking_id || E'\\xFC'; "
                  "INSERT INTO sessions (id, user_id, created_at) SELECT E'\\xFC' || id, user_id, "
                  "created_at FROM sessions");
    worker_open(&worker, &settings, "w1");
    worker.settings.batch_sessions = 2;
    TaskOutcome outcome = run_once(&worker, 1, preview);
    assert_int_equal(outcome_number(&outcome, "data.total"), 6);
    assert_non_null(strstr(outcome.result, "\"session_id\":\"" REPLACEMENT "s1\""));
    task_outcome_done(&outcome);
    outcome = run_once(&worker, 2, "\"task\":\"get_expired_bookings_preview\"");
    assert_non_null(strstr(outcome.result, "\"booking_id\":\"b1" REPLACEMENT "\""));
    task_outcome_done(&outcome);
    outcome =
        run_once(&worker, 3, "\"task\":\"expire_pending_bookings\",\"params\":{\"dry_run\":true}");
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 2);
    task_outcome_done(&outcome);
    outcome = run_once(&worker, 4,
                       "\"task\":\"cleanup_inactive_sessions_for_user\",\"params\":{\"user_id\":"
                       "\"00000000-0000-4000-8000-000000000001\"}");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 2);
    task_outcome_done(&outcome);
    outcome = run_once(&worker, 5, "\"task\":\"scheduled_cleanup\"");
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_sessions"), 4);
    assert_int_equal(outcome_number(&outcome, "data.booking_expiration.expired_bookings"), 2);
    assert_non_null(strstr(outcome.result, "\"b1" REPLACEMENT "\""));
    task_outcome_done(&outcome);
    assert_int_equal(application_count_sessions(app), 2);
    worker_done(&worker);
}

/* In LATIN1 the same byte is a character, and is shown as such. */
static void
test_ids_beyond_ascii_are_shown_as_they_are(void **state)
{
    (void)state;
    TestWorker worker;
    postgres_exec(app, "UPDATE bookings SET booking_id = booking_id || '\xC3\xBC'");
    worker_open(&worker, &settings, "w1");
    TaskOutcome outcome = run_once(&worker, 1, "\"task\":\"expire_pending_bookings\"");
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 2);
    assert_non_null(strstr(outcome.result, "\"b1\xC3\xBC\""));
    task_outcome_done(&outcome);
    worker_done(&worker);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest latin1[] = {
        CASE(test_every_task_for_a_requester_that_the_database_cannot_hold_ends),
        CASE(test_shared_run_of_requesters_that_the_database_cannot_hold_ends),
        CASE(test_failure_with_a_long_message_ends),
        CASE(test_ids_beyond_ascii_are_shown_as_they_are),
    };
    const struct CMUnitTest sql_ascii[] = {
        CASE(test_every_task_for_a_requester_that_the_database_cannot_hold_ends),
        CASE(test_shared_run_of_requesters_that_the_database_cannot_hold_ends),
        CASE(test_failure_with_a_long_message_ends),
        CASE(test_ids_that_are_no_utf8_are_worked_on_and_shown_with_replacements),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    const int failed = cmocka_run_group_tests(latin1, setup_latin1, postgres_drop);
    return failed + cmocka_run_group_tests(sql_ascii, setup_sql_ascii, postgres_drop);
}

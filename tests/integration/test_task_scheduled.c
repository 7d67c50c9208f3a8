/* scheduled_cleanup: two halves with one "now", each with an outcome of its own. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SCHEDULED "scheduled_cleanup"
#define SESSIONS_DONE "Successfully cleaned up 3 inactive sessions"
#define BOOKINGS_DONE "Successfully marked 2 bookings as Expired"
#define SESSIONS_REFUSED "Error cleaning up inactive sessions: no deletes from sessions"
#define BOOKINGS_REFUSED "Error expiring pending bookings: no updates of bookings"

static DatabaseSettings settings;
static PgConn *app;
static char role[APPLICATION_ROLE_BYTES];
static char *poor_dsn;
static TestWorker worker;
static LongCommand *long_command;
static SentCommand sent;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    PgConn *conn = postgres_connect();
    postgres_exec(conn,
                  "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                  "$$ BEGIN IF TG_OP = 'DELETE' THEN RAISE 'no deletes from %%', TG_TABLE_NAME; "
                  "END IF; RAISE 'no updates of %%', TG_TABLE_NAME; END $$");
    application_add_role(conn, role);
    poor_dsn = postgres_dsn(role);
    pg_conn_free(conn);
    return failed;
}

static int
teardown(void **state)
{
    PgConn *conn = postgres_connect();
    application_drop_role(conn, role);
    pg_conn_free(conn);
    free(poor_dsn);
    return postgres_drop(state);
}

/* Three inactive sessions, two bookings too old; a worker without superuser's rights, two tries. */
static int
three_and_two(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    application_add_booking(app, "b1", "Pending", 5);
    application_add_booking(app, "b2", "Pending", 4);
    settings = postgres_settings();
    settings.dsn = poor_dsn;
    worker_open(&worker, &settings, "w1");
    worker.settings.max_attempts = 2;
    long_command = long_command_new();
    sent = (SentCommand){0};
    sent_make_task(&sent, 10, "a", SCHEDULED);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    postgres_exec(app,
                  "DROP TRIGGER IF EXISTS refuse ON sessions; "
                  "DROP TRIGGER IF EXISTS refuse ON bookings; "
                  "GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %s",
                  role);
    sent_done(&sent);
    long_command_free(long_command);
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static void
refuse_sessions(void)
{
    postgres_exec(app, "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW "
                       "EXECUTE FUNCTION refuse()");
}

static void
refuse_bookings(void)
{
    postgres_exec(app, "CREATE TRIGGER refuse BEFORE UPDATE ON bookings FOR EACH ROW "
                       "EXECUTE FUNCTION refuse()");
}

static int64_t
expired_bookings(void)
{
    return postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired'");
}

/* A value of the stored result, as a number: a member of `data`. */
static int64_t
data_is(const char *half, const char *member, const char *expected)
{
    return postgres_number(
        app,
        "SELECT (convert_from(result, 'UTF8')::json->'data'->'%s'->>'%s' = '%s')::int "
        "FROM cleanup_worker.ledger",
        half, member, expected);
}

static void
assert_half(const char *half, bool success, const char *message)
{
    assert_int_equal(data_is(half, "success", success ? "true" : "false"), 1);
    assert_int_equal(data_is(half, "message", message), 1);
}

static void
assert_part_failed(const TaskOutcome *outcome, const char *message)
{
    assert_finished(app, &sent, outcome, "failed");
    assert_outcome_text(outcome, "message", message);
    assert_outcome_text(outcome, "error.code", "part_failed");
    assert_outcome_text(outcome, "error.message", message);
    assert_outcome_text(outcome, "error.sqlstate", "P0001");
    assert_int_equal(outcome_number(outcome, "attempts"), 1);
    assert_true(outcome->dead_letter);
    assert_string_equal(outcome->reason, message);
}

static void
test_scheduled_runs_both_halves_with_one_now(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_outcome_text(&outcome, "message",
                        "Session cleanup: " SESSIONS_DONE "; Booking expiration: " BOOKINGS_DONE);
    assert_half("session_cleanup", true, SESSIONS_DONE);
    assert_half("booking_expiration", true, BOOKINGS_DONE);
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_sessions"), 3);
    assert_int_equal(outcome_number(&outcome, "data.booking_expiration.expired_bookings"), 2);
    assert_int_equal(
        postgres_number(
            app, "SELECT ((convert_from(result, 'UTF8')::json #>> "
                 "'{data,booking_expiration,cutoff_time}')"
                 "::timestamptz - interval '23 hours 45 minutes' = "
                 "(convert_from(result, 'UTF8')::json #>> '{data,session_cleanup,cutoff_time}')"
                 "::timestamptz)::int FROM cleanup_worker.ledger"),
        1);
}

static void
test_scheduled_sessions_fail_for_themselves_bookings_run(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    refuse_sessions();
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_part_failed(&outcome,
                       "Session cleanup: " SESSIONS_REFUSED "; Booking expiration: " BOOKINGS_DONE);
    assert_half("session_cleanup", false, SESSIONS_REFUSED);
    assert_half("booking_expiration", true, BOOKINGS_DONE);
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_sessions"), 0);
    assert_int_equal(application_count_sessions(app), 3);
    assert_int_equal(expired_bookings(), 2);
}

static void
test_scheduled_bookings_fail_for_themselves_sessions_run(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    refuse_bookings();
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_part_failed(&outcome,
                       "Session cleanup: " SESSIONS_DONE "; Booking expiration: " BOOKINGS_REFUSED);
    assert_half("session_cleanup", true, SESSIONS_DONE);
    assert_half("booking_expiration", false, BOOKINGS_REFUSED);
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_sessions"), 3);
    assert_int_equal(application_count_sessions(app), 0);
    assert_int_equal(expired_bookings(), 0);
}

static void
test_scheduled_half_that_failed_stays_failed_for_the_next_owner(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(long_command_freep) LongCommand *next = long_command_new();
    refuse_sessions();
    while (postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range "
                                "WHERE state = 'failed'") == 0)
        assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    postgres_exec(app, "DROP TRIGGER refuse ON sessions");
    worker_finish_long_command(&worker, &sent, next, &outcome);
    assert_finished(app, &sent, &outcome, "failed");
    assert_outcome_text(&outcome, "error.code", "part_failed");
    assert_half("session_cleanup", false, SESSIONS_REFUSED);
    assert_half("booking_expiration", true, BOOKINGS_DONE);
    assert_int_equal(application_count_sessions(app), 3);
}

static void
test_scheduled_sessions_that_fail_half_way_tell_what_was_done(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.batch_sessions = 2;
    postgres_exec(app, "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW "
                       "WHEN (OLD.id = 's3') EXECUTE FUNCTION refuse()");
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "failed");
    assert_half("session_cleanup", false, SESSIONS_REFUSED);
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_sessions"), 2);
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_image_records"), 4);
    assert_int_equal(application_count_sessions(app), 1);
    assert_int_equal(expired_bookings(), 2);
}

/* Steps until the environment is to blame for the command as a whole. */
static void
step_until_hold(void)
{
    Error err = {0};
    const TaskItem item = sent_item(&sent);
    for (int i = 0; i < 100; i++) {
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        const int claim = worker_claim(&worker, long_command);
        if (!task_step_long_command(&worker.context, &item, &(TaskTurn){long_command, claim, NULL},
                                    &outcome, &err)) {
            assert_int_equal(err.kind, ERROR_HOLD);
            assert_string_equal(err.sqlstate, "42501");
            worker.monotonic_ms += 5000; /* the pause of the executor */
            return;
        }
        assert_int_equal(outcome.step, TASK_REQUEUE);
    }
    fail_msg("no hold");
}

static void
test_scheduled_sessions_that_wait_let_the_bookings_run(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "REVOKE DELETE ON sessions FROM %s", role);
    step_until_hold();
    assert_int_equal(expired_bookings(), 2);
    assert_int_equal(application_count_sessions(app), 3);
    assert_int_equal(ledger_count(app, "a", "running"), 1);
    step_until_hold();
    postgres_exec(app, "GRANT DELETE ON sessions TO %s", role);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_outcome_text(&outcome, "message",
                        "Session cleanup: " SESSIONS_DONE "; Booking expiration: " BOOKINGS_DONE);
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
}

static void
test_scheduled_bookings_that_wait_let_the_sessions_run(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "REVOKE UPDATE ON bookings FROM %s", role);
    step_until_hold();
    assert_int_equal(expired_bookings(), 0);
    assert_int_equal(application_count_sessions(app), 0);
    postgres_exec(app, "GRANT UPDATE ON bookings TO %s", role);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(expired_bookings(), 2);
}

static void
test_scheduled_half_that_waits_while_the_other_fails_ends_when_both_have(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "REVOKE DELETE ON sessions FROM %s", role);
    refuse_bookings();
    step_until_hold();
    assert_int_equal(ledger_count(app, "a", "running"), 1);
    postgres_exec(app, "GRANT DELETE ON sessions TO %s", role);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_part_failed(&outcome,
                       "Session cleanup: " SESSIONS_DONE "; Booking expiration: " BOOKINGS_REFUSED);
}

static void
test_scheduled_halves_that_both_wait_are_a_hold(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "REVOKE DELETE ON sessions FROM %s; REVOKE UPDATE ON bookings FROM %s", role,
                  role);
    step_until_hold();
    step_until_hold();
    postgres_exec(app, "GRANT UPDATE ON bookings TO %s", role);
    step_until_hold();
    step_until_hold(); /* each half has its turn */
    assert_int_equal(expired_bookings(), 2);
    postgres_exec(app, "GRANT DELETE ON sessions TO %s", role);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(application_count_sessions(app), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, three_and_two, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_scheduled_runs_both_halves_with_one_now),
        CASE(test_scheduled_sessions_fail_for_themselves_bookings_run),
        CASE(test_scheduled_bookings_fail_for_themselves_sessions_run),
        CASE(test_scheduled_half_that_failed_stays_failed_for_the_next_owner),
        CASE(test_scheduled_sessions_that_fail_half_way_tell_what_was_done),
        CASE(test_scheduled_sessions_that_wait_let_the_bookings_run),
        CASE(test_scheduled_bookings_that_wait_let_the_sessions_run),
        CASE(test_scheduled_half_that_waits_while_the_other_fails_ends_when_both_have),
        CASE(test_scheduled_halves_that_both_wait_are_a_hold),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

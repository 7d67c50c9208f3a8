/* What a long command met locked: kept, tried again at the end, and counted when it stays locked.
 */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"
#define EXPIRE_ALL "expire_pending_bookings"

enum {
    LONG_MS = 600000,
};

static DatabaseSettings settings;
static PgConn *app;
static PgConn *other;
static TestWorker worker;
static LongCommand *long_command;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    return failed;
}

/* Users 1 to 5 with an inactive session each, bookings b1 to b5 too old. */
static int
five_of_each(void **state)
{
    (void)state;
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 5; user++) {
        char id[] = "b0";
        id[1] = (char)('0' + user);
        application_add_user(app, user, 48);
        application_add_booking(app, id, "Pending", 10 - user);
    }
    worker_open(&worker, &settings, "w1");
    long_command = long_command_new();
    return 0;
}

static int
end(void **state)
{
    (void)state;
    long_command_free(long_command);
    worker_done(&worker);
    pg_conn_free(other);
    pg_conn_free(app);
    return 0;
}

static void
hold_bookings(const char *from, const char *to)
{
    postgres_exec(other,
                  "BEGIN; SELECT FROM bookings WHERE booking_id BETWEEN '%s' AND '%s' "
                  "FOR UPDATE",
                  from, to);
}

static void
hold_users(int from, int to)
{
    postgres_exec(other,
                  "BEGIN; SELECT FROM users WHERE user_id BETWEEN '" USER_FORMAT
                  "' AND '" USER_FORMAT "' FOR KEY SHARE",
                  from, to);
}

/* Begin, all batches, and as many tries of the last pass. */
static void
step_into_last_pass(const SentCommand *sent, int tries)
{
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    while (postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range "
                                "WHERE state = 'last_pass'") == 0)
        assert_int_equal(worker_step(&worker, sent, long_command, &outcome), TASK_REQUEUE);
    for (int i = 0; i < tries; i++)
        assert_int_equal(worker_step(&worker, sent, long_command, &outcome), TASK_REQUEUE);
}

static void
finish(const SentCommand *sent, TaskOutcome *ret_outcome)
{
    worker_finish_long_command(&worker, sent, long_command, ret_outcome);
    assert_finished(app, sent, ret_outcome, "succeeded");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped"), 0);
}

/* The windows do not lock children; the batch that meets one of the application's comes again with
 * their locks, and nothing of it counts as a try. */
static void
test_last_pass_image_held_is_skipped_then_cleaned(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.lock_wait_ms = LONG_MS;
    postgres_exec(other, "BEGIN; UPDATE \"imageSent\" SET id = id WHERE session_id = 's3'");
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    step_into_last_pass(&sent, 2);
    assert_int_equal(application_count_sessions(app), 1);
    postgres_exec(other, "COMMIT");
    finish(&sent, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
}

static void
test_last_pass_user_released_in_time_is_cleaned(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.lock_wait_ms = LONG_MS;
    hold_users(2, 2);
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    step_into_last_pass(&sent, 3);
    assert_int_equal(application_count_sessions(app), 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped"), 1);
    postgres_exec(other, "COMMIT");
    finish(&sent, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    assert_int_equal(outcome_number(&outcome, "data.deleted_image_records"), 10);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
    assert_outcome_text(&outcome, "message", "Successfully cleaned up 5 inactive sessions");
    assert_int_equal(application_count_sessions(app), 0);
}

static void
test_last_pass_user_never_released_is_counted(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    hold_users(2, 2);
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    finish(&sent, &outcome);
    postgres_exec(other, "COMMIT");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 4);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 1);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 4 inactive sessions (1 skipped: locked)");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's2'"), 1);
}

static void
test_last_pass_user_who_wrote_meanwhile_is_left_alone(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.lock_wait_ms = LONG_MS;
    postgres_exec(other, "BEGIN");
    application_add_message(other, 2, "user", 0);
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    step_into_last_pass(&sent, 1);
    postgres_exec(other, "COMMIT");
    finish(&sent, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 4);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's2'"), 1);
}

static void
test_last_pass_booking_released_in_time_is_expired(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.lock_wait_ms = LONG_MS;
    hold_bookings("b2", "b2");
    sent_make_task(&sent, 10, "a", EXPIRE_ALL);
    step_into_last_pass(&sent, 3);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     1);
    postgres_exec(other, "COMMIT");
    finish(&sent, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 5);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired'"),
                     5);
}

static void
test_last_pass_booking_never_released_is_counted(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    hold_bookings("b2", "b2");
    sent_make_task(&sent, 10, "a", EXPIRE_ALL);
    finish(&sent, &outcome);
    postgres_exec(other, "COMMIT");
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 4);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 1);
    assert_outcome_text(&outcome, "message",
                        "Successfully marked 4 bookings as Expired (1 skipped: locked)");
}

static void
test_last_pass_booking_confirmed_meanwhile_is_left_alone(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.lock_wait_ms = LONG_MS;
    postgres_exec(other, "BEGIN; UPDATE bookings SET status = 'Confirmed' WHERE booking_id = 'b2'");
    sent_make_task(&sent, 10, "a", EXPIRE_ALL);
    step_into_last_pass(&sent, 1);
    postgres_exec(other, "COMMIT");
    finish(&sent, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 4);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 0);
    assert_int_equal(
        postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Confirmed'"), 1);
}

static void
test_last_pass_of_another_owner_goes_on_with_what_was_kept(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(worker_done) TestWorker second = {0};
    CLEANUP(long_command_freep) LongCommand *second_command = long_command_new();
    worker.settings.lock_wait_ms = LONG_MS;
    hold_users(2, 3);
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    step_into_last_pass(&sent, 1);
    worker_open(&second, &settings, "w2");
    second.settings.lock_wait_ms = LONG_MS;
    assert_int_equal(worker_step(&second, &sent, second_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&second, &sent, second_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_OWNERSHIP_LOST);
    postgres_exec(other, "COMMIT");
    worker_finish_long_command(&second, &sent, second_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
}

static void
test_last_pass_with_more_than_a_batch_counts_each(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sessions = {0};
    CLEANUP(sent_done) SentCommand bookings = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    worker.settings.batch_sessions = 2;
    hold_users(1, 4);
    sent_make_task(&sessions, 10, "a", CLEANUP_ALL);
    worker_run(&worker, &sessions, &first);
    postgres_exec(other, "COMMIT");
    assert_int_equal(outcome_number(&first, "data.deleted_sessions"), 1);
    assert_int_equal(outcome_number(&first, "data.skipped_sessions"), 4);
    hold_bookings("b1", "b5");
    sent_make_task(&bookings, 11, "b", EXPIRE_ALL);
    worker_run(&worker, &bookings, &second);
    postgres_exec(other, "COMMIT");
    assert_int_equal(outcome_number(&second, "data.expired_bookings"), 0);
    assert_int_equal(outcome_number(&second, "data.skipped_bookings"), 5);
}

/* The first two of four stay locked: they must not hide the last two, who are free by now. */
static void
test_last_pass_looks_behind_those_that_stay_locked(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(pg_conn_freep) PgConn *stubborn = postgres_connect();
    worker.settings.batch_sessions = 2;
    worker.settings.lock_wait_ms = LONG_MS;
    hold_users(3, 4);
    postgres_exec(stubborn,
                  "BEGIN; SELECT FROM users WHERE user_id <= '" USER_FORMAT "' FOR KEY SHARE", 2);
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    step_into_last_pass(&sent, 4);
    assert_int_equal(application_count_sessions(app), 4);
    postgres_exec(other, "COMMIT");
    step_into_last_pass(&sent, 4);
    assert_int_equal(application_count_sessions(app), 2);
    worker.settings.lock_wait_ms = 0;
    finish(&sent, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 3);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 2);
}

static void
test_last_pass_bookings_looks_behind_those_that_stay_locked(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(pg_conn_freep) PgConn *stubborn = postgres_connect();
    worker.settings.batch_sessions = 2;
    hold_bookings("b3", "b4");
    postgres_exec(stubborn, "BEGIN; SELECT FROM bookings WHERE booking_id <= 'b2' FOR UPDATE");
    sent_make_task(&sent, 10, "a", EXPIRE_ALL);
    step_into_last_pass(&sent, 0);
    postgres_exec(other, "COMMIT");
    finish(&sent, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 3);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 2);
}

/* User 2 has a session that a further table references and one that somebody holds. */
static void
test_last_pass_counts_a_referenced_session_once(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    DatabaseSettings with_notes = settings;
    CLEANUP(worker_done) TestWorker lock_children_first = {0};
    with_notes.tables.session_references = "notes";
    application_add_session(app, "held", 2, 48);
    postgres_exec(app, "CREATE TABLE notes (session_id varchar(64) REFERENCES sessions); "
                       "INSERT INTO notes VALUES ('s2')");
    postgres_exec(other, "BEGIN; SELECT FROM sessions WHERE id = 'held' FOR UPDATE");
    worker_open(&lock_children_first, &with_notes, "w1");
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    worker_run(&lock_children_first, &sent, &outcome);
    postgres_exec(other, "COMMIT");
    postgres_exec(app, "DROP TABLE notes");
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 4);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, five_of_each, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_last_pass_image_held_is_skipped_then_cleaned),
        CASE(test_last_pass_user_released_in_time_is_cleaned),
        CASE(test_last_pass_user_never_released_is_counted),
        CASE(test_last_pass_user_who_wrote_meanwhile_is_left_alone),
        CASE(test_last_pass_booking_released_in_time_is_expired),
        CASE(test_last_pass_booking_never_released_is_counted),
        CASE(test_last_pass_booking_confirmed_meanwhile_is_left_alone),
        CASE(test_last_pass_of_another_owner_goes_on_with_what_was_kept),
        CASE(test_last_pass_with_more_than_a_batch_counts_each),
        CASE(test_last_pass_looks_behind_those_that_stay_locked),
        CASE(test_last_pass_bookings_looks_behind_those_that_stay_locked),
        CASE(test_last_pass_counts_a_referenced_session_once),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

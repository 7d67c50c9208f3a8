/* Long commands: begin, batches, end, and what the ledger's rules say when they come again. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"
#define EXPIRE_ALL "expire_pending_bookings"

static DatabaseSettings settings;
static PgConn *app;
static PgConn *other;
static TestWorker worker;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    return failed;
}

/* Users 1 to 5 with an inactive session each, user 6 active; bookings b1 to b5 too old, and others.
 * Batches of two. */
static int
small_batches(void **state)
{
    (void)state;
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 6; user++)
        application_add_user(app, user, 48);
    application_add_message(app, 6, "user", 1);
    application_add_booking(app, "b1", "Pending", 9);
    application_add_booking(app, "b2", "Pending", 8);
    application_add_booking(app, "b3", "Pending", 8);
    application_add_booking(app, "b4", "Pending", 7);
    application_add_booking(app, "b5", "Pending", 6);
    application_add_booking(app, "confirmed", "Confirmed", 9);
    application_add_booking(app, "recent", "Pending", 0);
    worker_open(&worker, &settings, "w1");
    worker.settings.batch_sessions = 2;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    worker_done(&worker);
    pg_conn_free(other);
    pg_conn_free(app);
    return 0;
}

static int64_t
rows_beside_the_ledger(void)
{
    return postgres_number(app, "SELECT (SELECT count(*) FROM cleanup_worker.ledger_range) + "
                                "(SELECT count(*) FROM cleanup_worker.ledger_skipped) + "
                                "(SELECT count(*) FROM cleanup_worker.ledger_listed_id)");
}

static void
test_long_command_of_sessions_goes_batch_by_batch_and_sums_up(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    static const int64_t left[] = {6, 4, 2, 1};
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    for (size_t i = 0; i < ARRAY_LEN(left); i++) {
        assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
        assert_int_equal(application_count_sessions(app), left[i]);
        assert_int_equal(ledger_count(app, "a", "running"), 1);
    }
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    assert_int_equal(outcome_number(&outcome, "data.deleted_image_records"), 10);
    assert_int_equal(outcome_number(&outcome, "data.deleted_video_records"), 5);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
    assert_outcome_text(&outcome, "message", "Successfully cleaned up 5 inactive sessions");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM \"imageSent\""), 2);
    assert_int_equal(rows_beside_the_ledger(), 0);
}

static void
test_long_command_of_bookings_expires_and_lists_them_oldest_first(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_task(&sent, 10, "a", EXPIRE_ALL);
    worker_run(&worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 5);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 0);
    assert_outcome_text(&outcome, "message", "Successfully marked 5 bookings as Expired");
    assert_int_equal(
        postgres_number(
            app, "SELECT (convert_from(result, 'UTF8')::json->'data'->>'expired_booking_ids' = "
                 "'[\"b1\",\"b2\",\"b3\",\"b4\",\"b5\"]')::int "
                 "FROM cleanup_worker.ledger"),
        1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired' "
                                          "AND updated_at IS NOT NULL AND booking_id LIKE 'b_'"),
                     5);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE updated_at IS NULL"),
                     2);
    assert_int_equal(rows_beside_the_ledger(), 0);
}

static void
test_long_command_with_nothing_to_do_says_so(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sessions = {0};
    CLEANUP(sent_done) SentCommand bookings = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    postgres_clear(app);
    sent_make_task(&sessions, 10, "a", CLEANUP_ALL);
    sent_make_task(&bookings, 11, "b", EXPIRE_ALL);
    worker_run(&worker, &sessions, &first);
    worker_run(&worker, &bookings, &second);
    assert_finished(app, &sessions, &first, "succeeded");
    assert_outcome_text(&first, "message", "No inactive sessions found");
    assert_finished(app, &bookings, &second, "succeeded");
    assert_outcome_text(&second, "message", "No expired pending bookings found");
}

static void
test_long_command_session_that_becomes_active_after_the_cutoff_stays(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    application_add_message(app, 5, "user", 0);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 4);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's5'"), 1);
}

static void
test_long_command_redelivered_after_its_end_publishes_the_same_bytes(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    worker_run(&worker, &sent, &first);
    application_add_session(app, "later", 1, 48);
    sent_make_expired(&sent);
    worker_run(&worker, &sent, &second);
    assert_published_again(&second, &first);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 'later'"), 1);
}

static void
test_long_command_duplicate_is_absorbed_while_the_first_runs_and_after(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand duplicate = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(task_outcome_done) TaskOutcome absorbed = {0};
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    sent_make_task(&duplicate, 11, "a", CLEANUP_ALL);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    worker_run(&worker, &duplicate, &absorbed);
    assert_int_equal(absorbed.step, TASK_DUPLICATE);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    worker_run(&worker, &duplicate, &absorbed);
    assert_int_equal(absorbed.step, TASK_DUPLICATE);
    assert_null(absorbed.result);
}

static void
test_long_command_late_command_does_not_start(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand expired = {0};
    CLEANUP(sent_done) SentCommand old = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    CLEANUP(task_outcome_done) TaskOutcome third = {0};
    sent_make_task(&expired, 10, "a", CLEANUP_ALL);
    sent_make_expired(&expired);
    worker_run(&worker, &expired, &first);
    assert_finished(app, &expired, &first, "expired");
    assert_outcome_text(&first, "error.code", "expired");
    assert_false(first.dead_letter);
    sent_make_task(&old, 11, "b", CLEANUP_ALL);
    sent_make_too_old(&old, TASKS_RETENTION_HOURS);
    worker_run(&worker, &old, &second);
    assert_finished(app, &old, &second, "expired");
    assert_outcome_text(&second, "error.code", "older_than_ledger");
    assert_true(second.dead_letter);
    worker_run(&worker, &old, &third);
    assert_published_again(&third, &second);
    assert_int_equal(application_count_sessions(app), 6);
    assert_int_equal(rows_beside_the_ledger(), 0);
}

/* Ten more inactive users than the five there are; somebody holds those ten. */
static void
hold_most_of_a_batch(void)
{
    for (int user = 11; user <= 20; user++)
        application_add_user(app, user, 48);
    postgres_exec(app, "DELETE FROM bookings");
    worker.settings.batch_sessions = 100;
    postgres_exec(other, "BEGIN; SELECT FROM users WHERE user_id >= '" USER_FORMAT "' FOR UPDATE",
                  11);
}

static void
test_long_command_batch_that_others_hold_most_of_is_given_up_and_done_later(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    hold_most_of_a_batch();
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
        assert_true(long_command_next_ms(long_command) > worker.monotonic_ms);
        assert_int_equal(application_count_sessions(app), 16);
    }
    postgres_exec(other, "COMMIT");
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 15);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
}

static void
test_long_command_batch_that_others_go_on_holding_is_skipped_in_the_end(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    hold_most_of_a_batch();
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    worker_run(&worker, &sent, &outcome);
    postgres_exec(other, "COMMIT");
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 10);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 5 inactive sessions (10 skipped: locked)");
    assert_int_equal(application_count_sessions(app), 11);
}

static void
test_long_command_of_one_user_leaves_the_others_alone(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    for (int i = 0; i < 5; i++) {
        char id[] = "extra-0";
        id[6] = (char)('0' + i);
        application_add_session(app, id, 3, 48);
    }
    sent_make_for_user(&sent, 10, "a", 3);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 6);
    assert_int_equal(application_count_sessions(app), 5);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 6 inactive sessions for user "
                        "00000000-0000-4000-8000-000000000003");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, small_batches, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_long_command_of_sessions_goes_batch_by_batch_and_sums_up),
        CASE(test_long_command_of_bookings_expires_and_lists_them_oldest_first),
        CASE(test_long_command_with_nothing_to_do_says_so),
        CASE(test_long_command_session_that_becomes_active_after_the_cutoff_stays),
        CASE(test_long_command_redelivered_after_its_end_publishes_the_same_bytes),
        CASE(test_long_command_duplicate_is_absorbed_while_the_first_runs_and_after),
        CASE(test_long_command_late_command_does_not_start),
        CASE(test_long_command_batch_that_others_hold_most_of_is_given_up_and_done_later),
        CASE(test_long_command_batch_that_others_go_on_holding_is_skipped_in_the_end),
        CASE(test_long_command_of_one_user_leaves_the_others_alone),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

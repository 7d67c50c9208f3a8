/* The end of a command whose tries have run out: written after the rollback, in a transaction of
 * its own, or not at all. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"

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

static int
three_users(void **state)
{
    (void)state;
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    worker_open(&worker, &settings, "w1");
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

static Error
cause_of(const char *detail)
{
    Error cause = {0};
    error_set_sqlstate(&cause, REASON_WORK_REFUSED, "P0001", "%s", detail);
    error_wrap(&cause, "what the log alone is told");
    return cause;
}

static void
fail_command(const SentCommand *sent, LongCommand *long_command, TaskOutcome *ret_outcome)
{
    Error err = {0};
    const Error cause = cause_of("not this one");
    const TaskItem item = sent_item(sent);
    ASSERT_OK(task_fail(&worker.context, &item, &(TaskFailure){&cause, 5, long_command},
                        ret_outcome, &err),
              &err);
}

static void
assert_hold(const TaskContext *context, const SentCommand *sent)
{
    Error err = {0};
    TaskOutcome outcome = {0};
    const Error cause = cause_of("not this one");
    const TaskItem item = sent_item(sent);
    assert_false(task_fail(context, &item, &(TaskFailure){&cause, 5, NULL}, &outcome, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_null(outcome.result);
}

static void
test_fail_after_the_set_was_rolled_back_is_stored_and_published_again(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    CLEANUP(task_outcome_done) TaskOutcome third = {0};
    CLEANUP(sent_done) SentCommand neighbour = {0};
    TaskOutcome rolled_back[2] = {0};
    Error cause = {0};
    Error err = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&neighbour, 11, "b", 2);
    const TaskItem item = sent_item(&sent);
    const TaskItem items[] = {item, sent_item(&neighbour)};
    postgres_exec(app, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN RAISE 'not this one' USING DETAIL = OLD.id; END $$; "
                       "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW "
                       "EXECUTE FUNCTION refuse()");
    const bool done = task_run_set(&worker.context, items, 2, 5, rolled_back, &cause);
    postgres_exec(app, "DROP FUNCTION refuse CASCADE");
    assert_false(done);
    ASSERT_OK(task_fail(&worker.context, &item, &(TaskFailure){&cause, 5, NULL}, &first, &err),
              &err);
    assert_finished(app, &sent, &first, "failed");
    assert_outcome_text(&first, "message",
                        "Error cleaning up inactive sessions for user "
                        "00000000-0000-4000-8000-000000000001: not this one");
    assert_outcome_text(&first, "error.code", "database_error");
    assert_outcome_text(&first, "error.message", "not this one");
    assert_outcome_text(&first, "error.sqlstate", "P0001");
    assert_int_equal(outcome_number(&first, "attempts"), 5);
    assert_true(first.dead_letter);
    assert_null(strstr(first.result, "s1"));
    worker_run(&worker, &sent, &second);
    assert_published_again(&second, &first);
    fail_command(&sent, NULL, &third);
    assert_published_again(&third, &first);
    assert_int_equal(application_count_sessions(app), 3);
}

static void
test_fail_each_task_has_its_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *task;
        const char *message;
    } cases[] = {
        {"cleanup_inactive_sessions", "Error cleaning up inactive sessions: not this one"},
        {"get_inactive_sessions_preview", "Error getting inactive sessions preview: not this one"},
        {"expire_pending_bookings", "Error expiring pending bookings: not this one"},
        {"get_expired_bookings_preview", "Error getting expired bookings preview: not this one"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(sent_done) SentCommand sent = {0};
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        sent_make_task(&sent, (int64_t)i, cases[i].task, cases[i].task);
        fail_command(&sent, NULL, &outcome);
        assert_finished(app, &sent, &outcome, "failed");
        assert_outcome_text(&outcome, "message", cases[i].message);
        assert_string_equal(outcome.reason, cases[i].message);
        assert_null(strstr(outcome.result, "the log alone"));
    }
}

static void
test_fail_of_a_long_command_under_way_tells_what_was_done(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(task_outcome_done) TaskOutcome again = {0};
    worker.settings.batch_sessions = 2;
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    fail_command(&sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "failed");
    assert_outcome_text(&outcome, "message", "Error cleaning up inactive sessions: not this one");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 2);
    assert_int_equal(outcome_number(&outcome, "data.deleted_image_records"), 4);
    assert_true(outcome.dead_letter);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range"), 0);
    worker_run(&worker, &sent, &again);
    assert_published_again(&again, &outcome);
    assert_int_equal(application_count_sessions(app), 1);
}

static void
test_fail_of_a_long_command_that_is_done_tells_its_failure_and_what_was_done(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    do
        assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    while (postgres_number(
               app, "SELECT count(*) FROM cleanup_worker.ledger_range WHERE state <> 'done'") > 0);
    fail_command(&sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "failed");
    assert_outcome_text(&outcome, "message", "Error cleaning up inactive sessions: not this one");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 3);
}

static void
test_fail_of_a_long_command_that_another_took_over_is_forgotten(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(long_command_freep) LongCommand *second_command = long_command_new();
    CLEANUP(worker_done) TestWorker second = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker_open(&second, &settings, "w2");
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&second, &sent, second_command, &outcome), TASK_REQUEUE);
    fail_command(&sent, long_command, &outcome);
    assert_int_equal(outcome.step, TASK_OWNERSHIP_LOST);
    assert_null(outcome.result);
    assert_int_equal(ledger_count(app, "a", "running"), 1);
    worker_finish_long_command(&second, &sent, second_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 3);
}

static void
test_fail_of_a_duplicate_is_absorbed(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand duplicate = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&duplicate, 11, "a", 1);
    worker_run(&worker, &sent, &first);
    fail_command(&duplicate, NULL, &outcome);
    assert_int_equal(outcome.step, TASK_DUPLICATE);
    assert_finished(app, &sent, &first, "succeeded");
}

static void
test_fail_of_a_replay_replaces_the_earlier_failure(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand replay = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&replay, 11, "a", 1);
    sent_make_replay(&replay, 1);
    fail_command(&sent, NULL, &first);
    fail_command(&replay, NULL, &outcome);
    assert_finished(app, &replay, &outcome, "failed");
    assert_int_equal(outcome.replay, 1);
    assert_int_equal(outcome_number(&outcome, "replay"), 1);
    assert_true(outcome.dead_letter);
    assert_int_equal(postgres_number(app, "SELECT source_offset FROM cleanup_worker.ledger"), 11);
}

static void
test_fail_without_server_is_a_hold(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    DatabaseSettings unreachable = settings;
    CLEANUP(worker_done) TestWorker cut_off = {0};
    unreachable.dsn = "host=127.0.0.1 port=1";
    worker_open(&cut_off, &unreachable, "w1");
    sent_make_for_user(&sent, 10, "a", 1);
    assert_hold(&cut_off.context, &sent);
}

/* The wait for a lock is short, so that the test is. */
static void
test_fail_while_another_holds_the_row_is_a_hold(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    DatabaseSettings hasty = settings;
    CLEANUP(worker_done) TestWorker second = {0};
    hasty.statement_timeout_ms = 500;
    worker_open(&second, &hasty, "w2");
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    postgres_exec(other, "BEGIN; SELECT FROM cleanup_worker.ledger FOR UPDATE");
    assert_hold(&second.context, &sent);
    postgres_exec(other, "COMMIT");
    assert_int_equal(ledger_count(app, "a", "running"), 1);
    fail_command(&sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "failed");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, three_users, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_fail_after_the_set_was_rolled_back_is_stored_and_published_again),
        CASE(test_fail_each_task_has_its_sentence),
        CASE(test_fail_of_a_long_command_under_way_tells_what_was_done),
        CASE(test_fail_of_a_long_command_that_is_done_tells_its_failure_and_what_was_done),
        CASE(test_fail_of_a_long_command_that_another_took_over_is_forgotten),
        CASE(test_fail_of_a_duplicate_is_absorbed),
        CASE(test_fail_of_a_replay_replaces_the_earlier_failure),
        CASE(test_fail_without_server_is_a_hold),
        CASE(test_fail_while_another_holds_the_row_is_a_hold),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

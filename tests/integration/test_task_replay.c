/* Replays: an id that neither runs nor succeeded runs again from nothing, once for each number. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static SentCommand original;
static TaskOutcome failed;

static int
setup(void **state)
{
    (void)state;
    const int failure = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    PgConn *conn = postgres_connect();
    postgres_exec(conn, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                        "$$ BEGIN RAISE 'not this one'; END $$");
    pg_conn_free(conn);
    return failure;
}

static void
refuse_session(const char *id)
{
    postgres_exec(app,
                  "DROP TRIGGER IF EXISTS refuse ON sessions; "
                  "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW "
                  "WHEN (OLD.id = '%s') EXECUTE FUNCTION refuse()",
                  id);
}

/* Four inactive users; a command "a" that failed after it had deleted two of their sessions, an
 * hour ago. */
static int
failed_half_way(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 4; user++)
        application_add_user(app, user, 48);
    refuse_session("s3");
    worker_open(&worker, &settings, "w1");
    worker.settings.batch_sessions = 2;
    worker.settings.max_attempts = 1;
    original = (SentCommand){0};
    sent_make_task(&original, 10, "a", CLEANUP_ALL);
    failed = (TaskOutcome){0};
    worker_run(&worker, &original, &failed);
    assert_finished(app, &original, &failed, "failed");
    assert_int_equal(outcome_number(&failed, "data.deleted_sessions"), 2);
    postgres_exec(app, "UPDATE cleanup_worker.ledger SET now_us = now_us - 3600 * 1000000::bigint");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    postgres_exec(app, "DROP TRIGGER IF EXISTS refuse ON sessions");
    task_outcome_done(&failed);
    sent_done(&original);
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static void
make_replay(SentCommand *sent, int64_t offset, int number)
{
    sent_make_task(sent, offset, "a", CLEANUP_ALL);
    sent_make_replay(sent, number);
}

static void
test_replay_of_a_failed_command_runs_again_from_nothing(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand replay = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    char old_cutoff[CLOCK_TEXT_BYTES];
    postgres_exec(app, "DROP TRIGGER refuse ON sessions");
    const int64_t old_now_us = postgres_number(app, "SELECT now_us FROM cleanup_worker.ledger");
    clock_format(old_now_us - 24 * 3600 * CLOCK_US_PER_SECOND, old_cutoff);
    make_replay(&replay, 20, 1);
    worker_run(&worker, &replay, &outcome);
    assert_finished(app, &replay, &outcome, "succeeded");
    assert_int_equal(outcome.replay, 1);
    assert_int_equal(outcome_number(&outcome, "replay"), 1);
    assert_int_equal(outcome_number(&outcome, "source.offset"), 20);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 2);
    assert_int_equal(outcome_number(&outcome, "data.deleted_image_records"), 4);
    assert_null(strstr(outcome.result, old_cutoff));
    assert_int_equal(postgres_number(app,
                                     "SELECT (now_us > %lld + 1800 * 1000000::bigint)::int "
                                     "FROM cleanup_worker.ledger",
                                     (long long)old_now_us),
                     1);
    assert_int_equal(application_count_sessions(app), 0);
}

static void
test_replay_redelivered_publishes_and_the_original_is_absorbed(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand replay = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    CLEANUP(task_outcome_done) TaskOutcome late = {0};
    postgres_exec(app, "DROP TRIGGER refuse ON sessions");
    make_replay(&replay, 20, 1);
    worker_run(&worker, &replay, &first);
    worker_run(&worker, &replay, &second);
    assert_published_again(&second, &first);
    assert_int_equal(second.replay, 1);
    worker_run(&worker, &original, &late);
    assert_int_equal(late.step, TASK_DUPLICATE);
}

static void
test_replay_of_a_succeeded_command_is_absorbed(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand first = {0};
    CLEANUP(sent_done) SentCommand second = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(task_outcome_done) TaskOutcome absorbed = {0};
    postgres_exec(app, "DROP TRIGGER refuse ON sessions");
    make_replay(&first, 20, 1);
    worker_run(&worker, &first, &outcome);
    application_add_session(app, "later", 1, 48);
    make_replay(&second, 21, 2);
    worker_run(&worker, &second, &absorbed);
    assert_int_equal(absorbed.step, TASK_DUPLICATE);
    assert_int_equal(application_count_sessions(app), 1);
    assert_finished(app, &first, &outcome, "succeeded");
}

static void
test_replay_with_a_number_that_is_not_higher_is_absorbed(void **state)
{
    (void)state;
    static const struct {
        int number;
        TaskStep step;
    } tries[] = {{2, TASK_FINISHED}, {2, TASK_DUPLICATE}, {1, TASK_DUPLICATE}, {3, TASK_FINISHED}};
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        CLEANUP(sent_done) SentCommand replay = {0};
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        make_replay(&replay, 20 + (int64_t)i, tries[i].number);
        worker_run(&worker, &replay, &outcome);
        assert_int_equal(outcome.step, tries[i].step);
        if (outcome.step == TASK_FINISHED) {
            assert_finished(app, &replay, &outcome, "failed");
            assert_int_equal(outcome_number(&outcome, "replay"), tries[i].number);
            assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 0);
            assert_true(outcome.dead_letter);
        }
    }
}

static void
test_replay_while_another_runs_is_absorbed(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand first = {0};
    CLEANUP(sent_done) SentCommand second = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "DROP TRIGGER refuse ON sessions");
    make_replay(&first, 20, 1);
    make_replay(&second, 21, 2);
    assert_int_equal(worker_step(&worker, &first, long_command, &outcome), TASK_REQUEUE);
    worker_run(&worker, &second, &outcome);
    assert_int_equal(outcome.step, TASK_DUPLICATE);
    worker_finish_long_command(&worker, &first, long_command, &outcome);
    assert_finished(app, &first, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 2);
}

static void
test_replay_ignores_expires_at_and_age(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand replay = {0};
    CLEANUP(sent_done) SentCommand unknown = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    postgres_exec(app, "DROP TRIGGER refuse ON sessions");
    make_replay(&replay, 20, 1);
    sent_make_expired(&replay);
    sent_make_too_old(&replay, TASKS_RETENTION_HOURS);
    worker_run(&worker, &replay, &outcome);
    assert_finished(app, &replay, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 2);
    sent_make_for_user(&unknown, 30, "unknown", 1);
    sent_make_replay(&unknown, 1);
    sent_make_expired(&unknown);
    worker_run(&worker, &unknown, &second);
    assert_finished(app, &unknown, &second, "succeeded");
}

static void
test_replay_of_a_command_that_never_started_runs(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand expired = {0};
    CLEANUP(sent_done) SentCommand replay = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    sent_make_for_user(&expired, 30, "b", 4);
    sent_make_too_old(&expired, TASKS_RETENTION_HOURS);
    worker_run(&worker, &expired, &outcome);
    assert_finished(app, &expired, &outcome, "expired");
    sent_make_for_user(&replay, 31, "b", 4);
    sent_make_replay(&replay, 1);
    worker_run(&worker, &replay, &outcome);
    assert_int_equal(outcome.step, TASK_LEAVE_SET); /* in a unit of its own */
    worker_finish_long_command(&worker, &replay, long_command, &outcome);
    assert_finished(app, &replay, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 1);
    assert_true(outcome_number(&outcome, "attempts") > 0);
}

static void
test_replay_taken_over_goes_on_and_the_first_owner_forgets(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand replay = {0};
    CLEANUP(worker_done) TestWorker second = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(long_command_freep) LongCommand *second_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "DROP TRIGGER refuse ON sessions");
    worker_open(&second, &settings, "w2");
    make_replay(&replay, 20, 1);
    assert_int_equal(worker_step(&worker, &replay, long_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&second, &replay, second_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&worker, &replay, long_command, &outcome), TASK_OWNERSHIP_LOST);
    worker_finish_long_command(&second, &replay, second_command, &outcome);
    assert_finished(app, &replay, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "replay"), 1);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, failed_half_way, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_replay_of_a_failed_command_runs_again_from_nothing),
        CASE(test_replay_redelivered_publishes_and_the_original_is_absorbed),
        CASE(test_replay_of_a_succeeded_command_is_absorbed),
        CASE(test_replay_with_a_number_that_is_not_higher_is_absorbed),
        CASE(test_replay_while_another_runs_is_absorbed),
        CASE(test_replay_ignores_expires_at_and_age),
        CASE(test_replay_of_a_command_that_never_started_runs),
        CASE(test_replay_taken_over_goes_on_and_the_first_owner_forgets),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

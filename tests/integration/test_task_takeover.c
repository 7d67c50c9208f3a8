/* Two owners of one long command: the later one goes on, the earlier one rolls back and forgets. */
#include "tests/support/tasks.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"

static DatabaseSettings settings;
static PgConn *app;
static PgConn *other;
static TestWorker first;
static TestWorker second;
static LongCommand *first_command;
static LongCommand *second_command;
static SentCommand sent;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    return failed;
}

/* Five inactive users, batches of two, and the command that the first of two workers has begun. */
static int
begun(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 5; user++)
        application_add_user(app, user, 48);
    worker_open(&first, &settings, "w1");
    worker_open(&second, &settings, "w2");
    first.settings.batch_sessions = 2;
    second.settings.batch_sessions = 2;
    first_command = long_command_new();
    second_command = long_command_new();
    sent = (SentCommand){0};
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    assert_int_equal(worker_step(&first, &sent, first_command, &outcome), TASK_REQUEUE);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    sent_done(&sent);
    long_command_free(first_command);
    long_command_free(second_command);
    worker_done(&first);
    worker_done(&second);
    pg_conn_free(other);
    pg_conn_free(app);
    return 0;
}

static TaskStep
step(TestWorker *worker, LongCommand *long_command)
{
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    return worker_step(worker, &sent, long_command, &outcome);
}

static void
assert_second_ends_with_all(void)
{
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker_finish_long_command(&second, &sent, second_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    assert_int_equal(outcome_number(&outcome, "data.deleted_image_records"), 10);
    assert_int_equal(outcome_number(&outcome, "data.deleted_video_records"), 5);
    assert_outcome_text(&outcome, "worker_id", "w2");
    assert_int_equal(application_count_sessions(app), 0);
}

static void
test_takeover_first_owner_forgets_and_second_goes_on(void **state)
{
    (void)state;
    assert_int_equal(step(&first, first_command), TASK_REQUEUE);
    assert_int_equal(application_count_sessions(app), 3);
    assert_int_equal(step(&second, second_command), TASK_REQUEUE);
    assert_int_equal(step(&first, first_command), TASK_OWNERSHIP_LOST);
    assert_int_equal(application_count_sessions(app), 3);
    assert_int_equal(step(&second, second_command), TASK_REQUEUE);
    assert_int_equal(application_count_sessions(app), 1);
    assert_int_equal(step(&first, first_command), TASK_OWNERSHIP_LOST);
    assert_second_ends_with_all();
    assert_int_equal(step(&first, first_command), TASK_OWNERSHIP_LOST);
}

static void
test_takeover_keeps_the_first_owners_now(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    char cutoff[CLOCK_TEXT_BYTES];
    char started[CLOCK_TEXT_BYTES];
    const int64_t hour_us = 3600 * CLOCK_US_PER_SECOND;
    postgres_exec(app, "UPDATE cleanup_worker.ledger SET now_us = now_us - 3600 * 1000000::bigint, "
                       "started_us = started_us - 3600 * 1000000::bigint");
    const int64_t now_us = postgres_number(app, "SELECT now_us FROM cleanup_worker.ledger");
    postgres_exec(app, "UPDATE sessions SET created_at = (now() AT TIME ZONE 'UTC') - "
                       "interval '24 hours 30 minutes' WHERE id = 's3'");
    worker_finish_long_command(&second, &sent, second_command, &outcome);
    clock_format(now_us - 24 * hour_us, cutoff);
    clock_format(now_us, started);
    assert_outcome_text(&outcome, "data.cutoff_time", cutoff);
    assert_outcome_text(&outcome, "started_at", started);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 4);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's3'"), 1);
}

static void
test_takeover_before_the_end_the_first_owner_cannot_end_it(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) /* three batches and the last pass */
        assert_int_equal(step(&first, first_command), TASK_REQUEUE);
    assert_int_equal(step(&second, second_command), TASK_REQUEUE);
    assert_int_equal(step(&first, first_command), TASK_OWNERSHIP_LOST);
    assert_int_equal(ledger_count(app, "a", "running"), 1);
    assert_second_ends_with_all();
    assert_int_equal(step(&first, first_command), TASK_OWNERSHIP_LOST);
}

static void
test_takeover_of_a_late_command_goes_on(void **state)
{
    (void)state;
    sent_make_expired(&sent);
    sent_make_too_old(&sent, TASKS_RETENTION_HOURS);
    postgres_exec(app, "UPDATE cleanup_worker.ledger SET source_timestamp_ms = "
                       "source_timestamp_ms - 360::bigint * 3600000");
    assert_second_ends_with_all();
}

typedef struct OtherStep {
    pthread_t thread;
    TestWorker *worker;
    LongCommand *long_command;
    int claim;
    bool done;
    TaskOutcome outcome;
    Error err;
} OtherStep;

static void *
step_main(void *argument)
{
    OtherStep *run = argument;
    const TaskItem item = sent_item(&sent);
    run->done = task_step_long_command(&run->worker->context, &item,
                                       &(TaskTurn){run->long_command, run->claim, NULL},
                                       &run->outcome, &run->err);
    return NULL;
}

static void
start_step(OtherStep *run, TestWorker *worker, LongCommand *long_command, const char *waits_for)
{
    char query[256];
    *run = (OtherStep){.worker = worker,
                       .long_command = long_command,
                       .claim = worker_claim(worker, long_command)};
    assert_int_equal(pthread_create(&run->thread, NULL, step_main, run), 0);
    (void)snprintf(query, sizeof(query),
                   "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                   "datname = current_database() AND query LIKE '%%%s%%')",
                   waits_for);
    postgres_wait_until(app, query);
}

static void
end_step(OtherStep *run, TaskStep expected)
{
    assert_int_equal(pthread_join(run->thread, NULL), 0);
    ASSERT_OK(run->done, &run->err);
    assert_int_equal(run->outcome.step, expected);
    task_outcome_done(&run->outcome);
}

static void
test_takeover_waits_for_the_batch_that_runs(void **state)
{
    (void)state;
    OtherStep batch;
    OtherStep takeover;
    postgres_exec(other, "BEGIN; LOCK TABLE sessions");
    start_step(&batch, &first, first_command, "WITH look");
    start_step(&takeover, &second, second_command, "ORDER BY target DESC");
    postgres_exec(other, "COMMIT");
    end_step(&batch, TASK_REQUEUE);
    end_step(&takeover, TASK_REQUEUE);
    assert_int_equal(application_count_sessions(app), 3);
    assert_int_equal(step(&first, first_command), TASK_OWNERSHIP_LOST);
    assert_second_ends_with_all();
}

static void
test_takeover_after_a_wait_goes_on_at_the_cursor_it_finds(void **state)
{
    (void)state;
    OtherStep takeover;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(other,
                  "BEGIN; UPDATE cleanup_worker.ledger_range SET cursor_major = '" USER_FORMAT "', "
                  "cursor_minor = 's2', counts[1] = 40",
                  2);
    start_step(&takeover, &second, second_command, "ORDER BY target DESC");
    postgres_exec(other, "COMMIT");
    end_step(&takeover, TASK_REQUEUE);
    worker_finish_long_command(&second, &sent, second_command, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 43);
    assert_int_equal(application_count_sessions(app), 2);
}

/* A later version, with another target, has begun it and was rolled back. */
static void
test_takeover_of_a_target_that_is_not_known_is_a_hold_and_changes_nothing(void **state)
{
    (void)state;
    Error err = {0};
    TaskOutcome outcome = {0};
    const TaskItem item = sent_item(&sent);
    const TaskTurn turn = {second_command, CLAIM_EXCLUSIVE, NULL};
    postgres_exec(app, "INSERT INTO cleanup_worker.ledger_range (command_id, target, range_no, "
                       "owner_epoch, state, cursor_major, cursor_minor, counts, skipped, "
                       "error_code, error_sqlstate, error_message) "
                       "VALUES ('a', 'drafts', 0, 1, 'running', '', '', '{0}', 0, '', '', '')");
    assert_false(task_step_long_command(&second.context, &item, &turn, &outcome, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    postgres_exec(app, "DELETE FROM cleanup_worker.ledger_range WHERE target = 'drafts'");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range "
                                          "WHERE owner_epoch = 1"),
                     1);
    assert_int_equal(step(&second, second_command), TASK_REQUEUE);
    assert_second_ends_with_all();
}

/* The wait for a lock is short, so that the test is. */
static void
test_takeover_that_waits_too_long_is_busy_and_comes_again(void **state)
{
    (void)state;
    Error err = {0};
    TaskOutcome outcome = {0};
    const TaskItem item = sent_item(&sent);
    DatabaseSettings hasty = settings;
    CLEANUP(worker_done) TestWorker third = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    hasty.statement_timeout_ms = 500;
    worker_open(&third, &hasty, "w3");
    postgres_exec(other, "BEGIN; SELECT FROM cleanup_worker.ledger_range FOR UPDATE");
    assert_false(task_step_long_command(
        &third.context, &item, &(TaskTurn){long_command, CLAIM_EXCLUSIVE, NULL}, &outcome, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_string_equal(err.code, "ledger_busy");
    postgres_exec(other, "COMMIT");
    worker_finish_long_command(&third, &sent, long_command, &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
    task_outcome_done(&outcome);
}

static void
test_batch_that_waits_for_its_range_row_counts_no_attempt(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    DatabaseSettings hasty = settings;
    CLEANUP(worker_done) TestWorker third = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    hasty.statement_timeout_ms = 500;
    worker_open(&third, &hasty, "w3");
    third.settings.max_attempts = 2;
    assert_int_equal(worker_step(&third, &sent, long_command, &outcome), TASK_REQUEUE);
    postgres_exec(other, "BEGIN; SELECT FROM cleanup_worker.ledger_range FOR UPDATE");
    assert_int_equal(worker_step(&third, &sent, long_command, &outcome), TASK_REQUEUE);
    assert_non_null(outcome.note);
    assert_true(long_command_next_ms(long_command) > third.monotonic_ms);
    postgres_exec(other, "COMMIT");
    postgres_exec(app, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN RAISE 'not yet'; END $$; CREATE TRIGGER refuse BEFORE DELETE ON "
                       "sessions FOR EACH ROW EXECUTE FUNCTION refuse()");
    assert_int_equal(worker_step(&third, &sent, long_command, &outcome), TASK_REQUEUE);
    postgres_exec(app, "DROP FUNCTION refuse CASCADE");
    worker_finish_long_command(&third, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 5);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begun, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_takeover_first_owner_forgets_and_second_goes_on),
        CASE(test_takeover_keeps_the_first_owners_now),
        CASE(test_takeover_before_the_end_the_first_owner_cannot_end_it),
        CASE(test_takeover_of_a_late_command_goes_on),
        CASE(test_takeover_waits_for_the_batch_that_runs),
        CASE(test_takeover_after_a_wait_goes_on_at_the_cursor_it_finds),
        CASE(test_takeover_of_a_target_that_is_not_known_is_a_hold_and_changes_nothing),
        CASE(test_takeover_that_waits_too_long_is_busy_and_comes_again),
        CASE(test_batch_that_waits_for_its_range_row_counts_no_attempt),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

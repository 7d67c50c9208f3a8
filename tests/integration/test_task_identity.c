/* By what a command is known: events of two sources, one id for two commands, and what an earlier
 * version has left in the ledger. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FOR_USER "cleanup_inactive_sessions_for_user"
#define ALL "cleanup_inactive_sessions"
#define USER_DATA(number) "{\"user_id\":\"00000000-0000-4000-8000-00000000000" number "\"}"

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static SentCommand first;
static SentCommand second;
static TaskOutcome outcome;
static TaskOutcome other;

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
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    worker_open(&worker, &settings, "w1");
    first = second = (SentCommand){0};
    outcome = other = (TaskOutcome){0};
    return 0;
}

static int
end(void **state)
{
    (void)state;
    task_outcome_done(&outcome);
    task_outcome_done(&other);
    sent_done(&first);
    sent_done(&second);
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static void
assert_conflict(const TaskOutcome *rejected, const char *words)
{
    assert_int_equal(rejected->step, TASK_FINISHED);
    assert_true(rejected->dead_letter);
    assert_true(rejected->id_conflict);
    assert_string_equal(rejected->status, "rejected");
    assert_outcome_text(rejected, "status", "rejected");
    assert_outcome_text(rejected, "error.code", "id_conflict");
    assert_outcome_text(rejected, "error.message", rejected->reason);
    assert_non_null(strstr(rejected->reason, words));
    assert_true(outcome_is_null(rejected, "data"));
    assert_int_equal(outcome_number(rejected, "attempts"), 0);
}

static void
test_events_of_two_sources_with_one_id_both_run(void **state)
{
    (void)state;
    sent_make_event(&first, 1, "/booking", "1", FOR_USER, USER_DATA("1"));
    sent_make_event(&second, 2, "/chat", "1", FOR_USER, USER_DATA("2"));
    const SentCommand *const set[] = {&first, &second};
    TaskOutcome outcomes[2] = {0};
    worker_run_set(&worker, set, 2, outcomes);
    for (size_t i = 0; i < 2; i++) {
        assert_finished(app, set[i], &outcomes[i], "succeeded");
        assert_outcome_text(&outcomes[i], "command_id", "1");
        assert_int_equal(outcome_number(&outcomes[i], "data.deleted_sessions"), 1);
    }
    assert_outcome_text(&outcomes[0], "requested_by", "/booking");
    assert_outcome_text(&outcomes[1], "requested_by", "/chat");
    task_outcome_done(&outcomes[0]);
    task_outcome_done(&outcomes[1]);
}

static void
test_event_and_plain_command_with_one_id_both_run(void **state)
{
    (void)state;
    sent_make_event(&first, 1, "/booking", "1", ALL, "{}");
    sent_make_task(&second, 2, "1", ALL);
    worker_run(&worker, &first, &outcome);
    assert_finished(app, &first, &outcome, "succeeded");
    worker_run(&worker, &second, &other);
    assert_finished(app, &second, &other, "succeeded");
}

static void
test_event_sent_twice_is_absorbed_in_every_shape(void **state)
{
    (void)state;
    static const char *const tasks[][2] = {
        {FOR_USER, USER_DATA("1")},
        {ALL, "{}"},
        {"get_inactive_sessions_preview", "{}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
        const char id[] = {(char)('a' + i), '\0'};
        sent_make_event(&first, 1, "/booking", id, tasks[i][0], tasks[i][1]);
        sent_make_event(&second, 2, "/booking", id, tasks[i][0], tasks[i][1]);
        worker_run(&worker, &first, &outcome);
        assert_finished(app, &first, &outcome, "succeeded");
        worker_run(&worker, &second, &other);
        assert_int_equal(other.step, TASK_DUPLICATE);
        assert_string_equal(other.status, "succeeded");
        assert_int_equal(other.first_started_us,
                         postgres_number(app,
                                         "SELECT started_us FROM cleanup_worker.ledger "
                                         "WHERE command_id = '%s'",
                                         first.command.key));
        worker_run(&worker, &first, &other);
        assert_published_again(&other, &outcome);
        sent_done(&first);
        sent_done(&second);
    }
}

static void
test_id_of_another_task_or_of_other_params_is_rejected(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *words;
    } others[] = {
        {"{\"command_id\":\"a\",\"task\":\"expire_pending_bookings\"}", "for " FOR_USER ", by"},
        {"{\"command_id\":\"a\",\"task\":\"get_inactive_sessions_preview\"}", "for " FOR_USER},
        {"{\"command_id\":\"a\",\"task\":\"" ALL "\",\"params\":{\"dry_run\":true}}",
         "for " FOR_USER},
        {"{\"command_id\":\"a\",\"task\":\"" FOR_USER "\",\"params\":" USER_DATA("2") "}",
         "with other params, by record 1 of partition 3 of cleanup.commands"},
    };
    sent_make_for_user(&first, 1, "a", 1);
    worker_run(&worker, &first, &outcome);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        sent_make(&second, 2, "%s", others[i].command);
        worker_run(&worker, &second, &other);
        assert_conflict(&other, others[i].words);
        sent_done(&second);
    }
    assert_int_equal(application_count_sessions(app), 2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
    worker_run(&worker, &first, &other);
    assert_published_again(&other, &outcome);
}

static void
test_id_of_a_command_that_still_runs_is_rejected_or_absorbed(void **state)
{
    (void)state;
    LongCommand *running = long_command_new();
    sent_make_task(&first, 1, "a", ALL);
    assert_int_equal(worker_step(&worker, &first, running, &outcome), TASK_REQUEUE);
    sent_make(&second, 2,
              "{\"command_id\":\"a\",\"task\":\"" ALL "\","
              "\"params\":{\"inactive_hours\":30}}");
    worker_run(&worker, &second, &other);
    assert_conflict(&other, "with other params");
    sent_done(&second);
    sent_make(&second, 3,
              "{\"command_id\":\"a\",\"task\":\"" ALL "\","
              "\"params\":{\"inactive_hours\":24}}");
    worker_run(&worker, &second, &other);
    assert_int_equal(other.step, TASK_DUPLICATE);
    assert_string_equal(other.status, "running");
    worker_finish_long_command(&worker, &first, running, &outcome);
    assert_finished(app, &first, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 3);
    long_command_free(running);
}

static void
test_replay_with_other_params_is_rejected(void **state)
{
    (void)state;
    sent_make_for_user(&first, 1, "a", 1);
    worker_run(&worker, &first, &outcome);
    postgres_exec(app, "UPDATE cleanup_worker.ledger SET state = 'failed'");
    sent_make_for_user(&second, 2, "a", 2);
    sent_make_replay(&second, 1);
    worker_run(&worker, &second, &other);
    assert_conflict(&other, "with other params");
}

static void
test_row_without_content_absorbs_whatever_has_its_id(void **state)
{
    (void)state;
    sent_make_for_user(&first, 1, "a", 1);
    worker_run(&worker, &first, &outcome);
    postgres_exec(app, "UPDATE cleanup_worker.ledger SET content = NULL");
    sent_make_task(&second, 2, "a", ALL);
    worker_run(&worker, &second, &other);
    assert_int_equal(other.step, TASK_DUPLICATE);
}

/* As the version before has left it: under the id alone, the bytes as text. */
static void
make_old_row(const SentCommand *sent)
{
    postgres_exec(app,
                  "UPDATE cleanup_worker.ledger SET command_id = '%s', content = NULL, "
                  "result_text = convert_from(result, 'UTF8'), result = NULL, "
                  "reason_text = convert_from(reason, 'UTF8'), reason = NULL",
                  sent->command.id);
    postgres_exec(app, "UPDATE cleanup_worker.ledger_range SET command_id = '%s'",
                  sent->command.id);
}

static void
test_event_that_an_earlier_version_ended_is_published_again(void **state)
{
    (void)state;
    static const char *const tasks[][2] = {
        {FOR_USER, USER_DATA("1")},
        {ALL, "{}"},
        {"get_inactive_sessions_preview", "{}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
        sent_make_event(&first, 1, "/\xE6\x97\xA5", "1", tasks[i][0], tasks[i][1]);
        worker_run(&worker, &first, &outcome);
        make_old_row(&first);
        worker_run(&worker, &first, &other);
        assert_published_again(&other, &outcome);
        sent_make_event(&second, 2, "/chat", "1", tasks[i][0], tasks[i][1]);
        worker_run(&worker, &second, &other);
        assert_finished(app, &second, &other, "succeeded");
        postgres_exec(app, "TRUNCATE cleanup_worker.ledger");
        sent_done(&first);
        sent_done(&second);
    }
}

static void
test_event_that_an_earlier_version_runs_is_taken_over(void **state)
{
    (void)state;
    LongCommand *before = long_command_new();
    sent_make_event(&first, 1, "/booking", "1", ALL, "{}");
    assert_int_equal(worker_step(&worker, &first, before, &outcome), TASK_REQUEUE);
    make_old_row(&first);
    long_command_free(before);
    worker_run(&worker, &first, &other);
    assert_finished(app, &first, &other, "succeeded");
    assert_int_equal(outcome_number(&other, "data.deleted_sessions"), 3);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range"), 0);
    assert_int_equal(postgres_number(app, "SELECT (owner_epoch = 2)::int "
                                          "FROM cleanup_worker.ledger"),
                     1);
}

static void
test_late_command_says_what_was_compared(void **state)
{
    (void)state;
    sent_make_for_user(&first, 1, "a", 1);
    first.record.timestamp_ms = 1000;
    worker_run(&worker, &first, &outcome);
    assert_outcome_text(&outcome, "error.code", "older_than_ledger");
    assert_non_null(strstr(outcome.result, "\"message\":\"Expired before it started: the record's "
                                           "timestamp is 1970-01-01T00:00:01.000000Z, but at "));
    assert_non_null(strstr(outcome.reason, "359 hours"));
    sent_make_for_user(&second, 2, "b", 1);
    sent_make_expired(&second);
    worker_run(&worker, &second, &other);
    assert_outcome_text(&other, "message", "Expired before it started");
    assert_outcome_text(&other, "error.code", "expired");
    assert_non_null(strstr(other.result, "expires_at was "));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_events_of_two_sources_with_one_id_both_run),
        CASE(test_event_and_plain_command_with_one_id_both_run),
        CASE(test_event_sent_twice_is_absorbed_in_every_shape),
        CASE(test_id_of_another_task_or_of_other_params_is_rejected),
        CASE(test_id_of_a_command_that_still_runs_is_rejected_or_absorbed),
        CASE(test_replay_with_other_params_is_rejected),
        CASE(test_row_without_content_absorbs_whatever_has_its_id),
        CASE(test_event_that_an_earlier_version_ended_is_published_again),
        CASE(test_event_that_an_earlier_version_runs_is_taken_over),
        CASE(test_late_command_says_what_was_compared),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

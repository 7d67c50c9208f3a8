/* Per-user commands that share a transaction: what each of them gets, and what the ledger says. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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

/* Users 1 to 3, each with one inactive session, and user 4, who is active. */
static int
four_users(void **state)
{
    (void)state;
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 4; user++)
        application_add_user(app, user, 48);
    application_add_message(app, 4, "user", 1);
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

static void
test_set_new_commands_delete_and_store_what_they_return(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand inactive = {0};
    CLEANUP(sent_done) SentCommand active = {0};
    CLEANUP(sent_done) SentCommand unknown = {0};
    sent_make_for_user(&inactive, 10, "inactive", 1);
    sent_make_for_user(&active, 11, "active", 4);
    sent_make_for_user(&unknown, 12, "unknown", 9);
    application_add_session(app, "second", 1, 30);
    application_add_session(app, "recent", 1, 1);
    const SentCommand *const sent[] = {&inactive, &active, &unknown};
    TaskOutcome outcomes[3];
    worker_run_set(&worker, sent, 3, outcomes);
    for (int i = 0; i < 3; i++)
        assert_finished(app, sent[i], &outcomes[i], "succeeded");
    assert_int_equal(outcome_number(&outcomes[0], "data.deleted_sessions"), 2);
    assert_int_equal(outcome_number(&outcomes[0], "data.deleted_image_records"), 2);
    assert_int_equal(outcome_number(&outcomes[0], "data.deleted_video_records"), 1);
    assert_int_equal(outcome_number(&outcomes[0], "data.skipped_sessions"), 0);
    assert_int_equal(outcome_number(&outcomes[0], "attempts"), 1);
    assert_int_equal(outcome_number(&outcomes[0], "source.offset"), 10);
    assert_outcome_text(&outcomes[0], "message",
                        "Successfully cleaned up 2 inactive sessions for user "
                        "00000000-0000-4000-8000-000000000001");
    for (int i = 1; i < 3; i++)
        assert_int_equal(outcome_number(&outcomes[i], "data.deleted_sessions"), 0);
    assert_int_equal(application_count_sessions(app), 4);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 'recent'"), 1);
    for (int i = 0; i < 3; i++)
        task_outcome_done(&outcomes[i]);
}

static void
test_set_redelivered_publishes_the_same_bytes_and_deletes_nothing(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    worker_run(&worker, &sent, &first);
    application_add_session(app, "later", 1, 48);
    worker_run(&worker, &sent, &second);
    assert_published_again(&second, &first);
    assert_finished(app, &sent, &second, "succeeded");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 'later'"), 1);
}

static void
test_set_duplicate_from_another_source_is_absorbed(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand duplicate = {0};
    CLEANUP(sent_done) SentCommand next = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    TaskOutcome outcomes[2];
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&duplicate, 20, "a", 1);
    sent_make_for_user(&next, 21, "b", 2);
    worker_run(&worker, &sent, &first);
    application_add_session(app, "later", 1, 48);
    const SentCommand *const set[] = {&duplicate, &next};
    worker_run_set(&worker, set, 2, outcomes);
    assert_int_equal(outcomes[0].step, TASK_DUPLICATE);
    assert_null(outcomes[0].result);
    assert_finished(app, &next, &outcomes[1], "succeeded");
    assert_finished(app, &sent, &first, "succeeded");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 'later'"), 1);
    assert_int_equal(postgres_number(app, "SELECT source_offset FROM cleanup_worker.ledger "
                                          "WHERE command_id = 'a'"),
                     10);
    task_outcome_done(&outcomes[1]);
}

static void
test_set_duplicate_while_the_first_runs_is_absorbed(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand duplicate = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(task_outcome_done) TaskOutcome absorbed = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&duplicate, 20, "a", 1);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    assert_int_equal(ledger_count(app, "a", "running"), 1);
    worker_run(&worker, &duplicate, &absorbed);
    assert_int_equal(absorbed.step, TASK_DUPLICATE);
    assert_int_equal(application_count_sessions(app), 4);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 1);
}

static void
test_set_past_expires_at_is_expired(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand next = {0};
    TaskOutcome outcomes[2];
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_expired(&sent);
    sent_make_for_user(&next, 11, "b", 2);
    const SentCommand *const set[] = {&sent, &next};
    worker_run_set(&worker, set, 2, outcomes);
    assert_finished(app, &sent, &outcomes[0], "expired");
    assert_outcome_text(&outcomes[0], "error.code", "expired");
    assert_true(outcome_is_null(&outcomes[0], "data"));
    assert_true(outcome_is_null(&outcomes[0], "started_at"));
    assert_int_equal(outcome_number(&outcomes[0], "attempts"), 0);
    assert_false(outcomes[0].dead_letter);
    assert_finished(app, &next, &outcomes[1], "succeeded");
    assert_int_equal(application_count_sessions(app), 3);
    task_outcome_done(&outcomes[0]);
    task_outcome_done(&outcomes[1]);
}

static void
test_set_older_than_the_ledger_is_a_dead_letter_each_time(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_too_old(&sent, TASKS_RETENTION_HOURS);
    worker_run(&worker, &sent, &first);
    assert_finished(app, &sent, &first, "expired");
    assert_outcome_text(&first, "error.code", "older_than_ledger");
    assert_true(first.dead_letter);
    assert_non_null(first.reason);
    worker_run(&worker, &sent, &second);
    assert_published_again(&second, &first);
    assert_int_equal(application_count_sessions(app), 4);
}

static void
test_set_user_locked_by_others_leaves_and_the_others_succeed(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand free_one = {0};
    CLEANUP(sent_done) SentCommand locked = {0};
    CLEANUP(sent_done) SentCommand another = {0};
    TaskOutcome outcomes[3];
    CLEANUP(task_outcome_done) TaskOutcome alone = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    sent_make_for_user(&free_one, 10, "free", 1);
    sent_make_for_user(&locked, 11, "locked", 2);
    sent_make_for_user(&another, 12, "another", 3);
    const SentCommand *const set[] = {&free_one, &locked, &another};
    application_hold_user(other, 2);
    worker_run_set(&worker, set, 3, outcomes);
    postgres_exec(other, "COMMIT");
    assert_finished(app, &free_one, &outcomes[0], "succeeded");
    assert_int_equal(outcomes[1].step, TASK_LEAVE_SET);
    assert_null(outcomes[1].result);
    assert_finished(app, &another, &outcomes[2], "succeeded");
    assert_int_equal(outcome_number(&outcomes[2], "data.deleted_sessions"), 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's2'"), 1);
    worker_finish_long_command(&worker, &locked, long_command, &alone);
    assert_finished(app, &locked, &alone, "succeeded");
    assert_int_equal(outcome_number(&alone, "data.deleted_sessions"), 1);
    task_outcome_done(&outcomes[0]);
    task_outcome_done(&outcomes[2]);
}

static void
test_set_user_with_more_than_a_batch_leaves(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand many = {0};
    CLEANUP(sent_done) SentCommand few = {0};
    TaskOutcome outcomes[2];
    CLEANUP(task_outcome_done) TaskOutcome alone = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    worker.settings.batch_sessions = 2;
    application_add_session(app, "s1b", 1, 48);
    application_add_session(app, "s1c", 1, 48);
    application_add_session(app, "s2b", 2, 48);
    sent_make_for_user(&many, 10, "many", 1);
    sent_make_for_user(&few, 11, "few", 2);
    const SentCommand *const set[] = {&many, &few};
    worker_run_set(&worker, set, 2, outcomes);
    assert_int_equal(outcomes[0].step, TASK_LEAVE_SET);
    assert_finished(app, &few, &outcomes[1], "succeeded");
    assert_int_equal(outcome_number(&outcomes[1], "data.deleted_sessions"), 2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
    assert_int_equal(application_count_sessions(app), 5);
    worker_finish_long_command(&worker, &many, long_command, &alone);
    assert_finished(app, &many, &alone, "succeeded");
    assert_int_equal(outcome_number(&alone, "data.deleted_sessions"), 3);
    task_outcome_done(&outcomes[1]);
}

static void
test_set_ended_row_is_published_however_late(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand expired = {0};
    CLEANUP(sent_done) SentCommand old = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    sent_make_for_user(&expired, 10, "a", 1);
    worker_run(&worker, &expired, &first);
    sent_make_expired(&expired);
    worker_run(&worker, &expired, &second);
    assert_published_again(&second, &first);
    assert_string_equal(second.status, "succeeded");
    sent_make_for_user(&old, 11, "b", 2);
    worker_run(&worker, &old, &first);
    sent_make_too_old(&old, TASKS_RETENTION_HOURS);
    postgres_exec(app, "UPDATE cleanup_worker.ledger SET source_timestamp_ms = "
                       "source_timestamp_ms - 360::bigint * 3600000 WHERE command_id = 'b'");
    worker_run(&worker, &old, &second);
    assert_published_again(&second, &first);
    assert_string_equal(second.status, "succeeded");
}

static void
test_set_running_row_is_taken_over_however_late(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *lost = long_command_new();
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    assert_int_equal(worker_step(&worker, &sent, lost, &outcome), TASK_REQUEUE);
    sent_make_expired(&sent);
    sent_make_too_old(&sent, TASKS_RETENTION_HOURS);
    postgres_exec(app, "UPDATE cleanup_worker.ledger SET source_timestamp_ms = "
                       "source_timestamp_ms - 360::bigint * 3600000");
    worker_run(&worker, &sent, &outcome);
    assert_int_equal(outcome.step, TASK_LEAVE_SET);
    assert_int_equal(ledger_count(app, "a", "running"), 1);
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 1);
}

static void
test_set_trigger_that_raises_undoes_the_whole_set(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand good = {0};
    CLEANUP(sent_done) SentCommand bad = {0};
    TaskOutcome outcomes[2];
    Error err = {0};
    sent_make_for_user(&good, 10, "good", 1);
    sent_make_for_user(&bad, 11, "bad", 2);
    postgres_exec(app, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN RAISE 'not this one'; END $$; "
                       "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW "
                       "WHEN (OLD.id = 's2') EXECUTE FUNCTION refuse()");
    const TaskItem items[] = {sent_item(&good), sent_item(&bad)};
    const bool done = task_run_set(&worker.context, items, 2, 1, outcomes, &err);
    postgres_exec(app, "DROP FUNCTION refuse CASCADE");
    assert_false(done);
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_string_equal(err.sqlstate, "P0001");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 0);
    assert_int_equal(application_count_sessions(app), 4);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM \"imageSent\""), 8);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, four_users, end)

static void
test_set_image_held_by_the_application_sends_only_its_command_away(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand held = {0};
    CLEANUP(sent_done) SentCommand free_one = {0};
    TaskOutcome outcomes[2];
    sent_make_for_user(&held, 10, "held", 1);
    sent_make_for_user(&free_one, 11, "free", 2);
    postgres_exec(other, "BEGIN");
    postgres_exec(other, "UPDATE \"imageSent\" SET id = id WHERE session_id = 's1'");
    const SentCommand *const set[] = {&held, &free_one};
    worker_run_set(&worker, set, 2, outcomes);
    assert_int_equal(outcomes[0].step, TASK_LEAVE_SET);
    assert_finished(app, &free_one, &outcomes[1], "succeeded");
    assert_int_equal(ledger_count(app, "held", "running"), 0);
    assert_int_equal(outcome_number(&outcomes[1], "data.deleted_sessions"), 1);
    postgres_exec(other, "COMMIT");
    assert_int_equal(application_count_sessions(app), 3);
    task_outcome_done(&outcomes[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_set_new_commands_delete_and_store_what_they_return),
        CASE(test_set_redelivered_publishes_the_same_bytes_and_deletes_nothing),
        CASE(test_set_duplicate_from_another_source_is_absorbed),
        CASE(test_set_duplicate_while_the_first_runs_is_absorbed),
        CASE(test_set_past_expires_at_is_expired),
        CASE(test_set_older_than_the_ledger_is_a_dead_letter_each_time),
        CASE(test_set_user_locked_by_others_leaves_and_the_others_succeed),
        CASE(test_set_user_with_more_than_a_batch_leaves),
        CASE(test_set_ended_row_is_published_however_late),
        CASE(test_set_running_row_is_taken_over_however_late),
        CASE(test_set_trigger_that_raises_undoes_the_whole_set),
        CASE(test_set_image_held_by_the_application_sends_only_its_command_away),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

/* Rows that cannot be changed: each stops only itself, and the result says which and why. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"
#define EXPIRE_ALL "expire_pending_bookings"
#define SCHEDULED "scheduled_cleanup"

enum {
    USERS = 40,
    BOOKINGS = 40,
};

static DatabaseSettings settings;
static PgConn *app;
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
forty_of_each(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    for (int i = 1; i <= USERS; i++)
        application_add_user(app, i, 48);
    for (int i = 1; i <= BOOKINGS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "b%02d", i);
        application_add_booking(app, id, "Pending", 1 + i);
    }
    worker_open(&worker, &settings, "w1");
    worker.settings.max_row_errors = 100;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    postgres_exec(app, "DROP FUNCTION IF EXISTS act CASCADE; DROP TABLE IF EXISTS notes; "
                       "DROP TABLE IF EXISTS tried");
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

/* `body` is what a trigger does, between BEGIN and END. */
static void
on(const char *event, const char *when, const char *body)
{
    postgres_exec(app,
                  "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$; "
                  "CREATE TRIGGER act %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION act()",
                  body, event, when);
}

static void
run_task(const char *task, const char *status, TaskOutcome *ret_outcome)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    sent_make_task(&sent, 10, "a", task);
    worker_run(&worker, &sent, ret_outcome);
    assert_finished(app, &sent, ret_outcome, status);
    assert_int_equal(outcome_number(ret_outcome, "attempts"), 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped"), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skip_reason"),
                     0);
}

/* A command of a set that leaves it and goes on as a long one. */
static void
run_alone(const SentCommand *sent, TaskOutcome *ret_outcome)
{
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    worker_run(&worker, sent, ret_outcome);
    assert_int_equal(ret_outcome->step, TASK_LEAVE_SET);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 0);
    worker_finish_long_command(&worker, sent, long_command, ret_outcome);
    assert_finished(app, sent, ret_outcome, "succeeded");
}

/* The stored result lists exactly these reasons, as JSON, at that path of `data`. */
static void
assert_reasons(const char *path, const char *expected)
{
    if (postgres_number(app,
                        "SELECT (convert_from(result, 'UTF8')::jsonb #> '{data%s,skipped_reasons}' "
                        "= '%s')::int "
                        "FROM cleanup_worker.ledger WHERE command_id = 'a'",
                        path, expected) != 1)
        fail_msg("not the reasons %s", expected);
}

static int64_t
children(const char *session)
{
    return postgres_number(app,
                           "SELECT (SELECT count(*) FROM \"imageSent\" WHERE session_id = '%s') + "
                           "(SELECT count(*) FROM \"videoSent\" WHERE session_id = '%s')",
                           session, session);
}

static void
test_poison_session_that_a_trigger_refuses_is_skipped_and_named(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("BEFORE DELETE ON sessions", "OLD.id = 's17'",
       "RAISE 'legal hold' USING DETAIL = 'secret';");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS - 1);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 1);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 39 inactive sessions (1 skipped: error)");
    assert_reasons("", "[{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"P0001\","
                       "\"message\":\"legal hold\",\"example\":\"s17\"}]");
    assert_null(strstr(outcome.result, "secret"));
    assert_int_equal(application_count_sessions(app), 1);
    assert_int_equal(children("s17"), 3);
}

/* Several of one kind are one entry; each kind has its own. */
static void
test_poison_sessions_of_several_kinds_are_listed_by_kind(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "CREATE TABLE tried (id text PRIMARY KEY); INSERT INTO tried VALUES ('s5')");
    on("BEFORE DELETE ON sessions", "OLD.id IN ('s1', 's2', 's3', 's4', 's5', 's40')",
       "IF OLD.id = 's3' THEN PERFORM 1 / 0; END IF; "
       "IF OLD.id = 's4' THEN PERFORM current_setting('app.user'); END IF; "
       "IF OLD.id = 's5' THEN INSERT INTO public.tried VALUES (OLD.id); END IF; "
       "RAISE 'legal hold';");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS - 6);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 6);
    assert_reasons(
        "", "[{\"reason\":\"error\",\"count\":3,\"sqlstate\":\"P0001\",\"message\":\"legal hold\","
            "\"example\":\"s1\"},"
            "{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"22012\","
            "\"message\":\"division by zero\",\"example\":\"s3\"},"
            "{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"23505\",\"message\":\"duplicate key "
            "value violates unique constraint \\\"tried_pkey\\\"\",\"example\":\"s5\"},"
            "{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"42704\",\"message\":\"unrecognized "
            "configuration parameter \\\"app.user\\\"\",\"example\":\"s4\"}]");
}

/* A function that a missing table makes fail names an object of the application, not of ours. */
static void
test_poison_booking_that_a_trigger_refuses_is_skipped_and_named(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("BEFORE UPDATE ON bookings", "OLD.booking_id = 'b07'", "INSERT INTO nowhere VALUES (1);");
    run_task(EXPIRE_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), BOOKINGS - 1);
    assert_outcome_text(&outcome, "message",
                        "Successfully marked 39 bookings as Expired (1 skipped: error)");
    assert_reasons("", "[{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"42P01\",\"message\":"
                       "\"relation \\\"nowhere\\\" does not exist\",\"example\":\"b07\"}]");
}

static void
test_poison_at_commit_is_found_too(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN RAISE 'too late'; END $$; CREATE CONSTRAINT TRIGGER act AFTER "
                       "DELETE ON sessions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
                       "WHEN (OLD.id = 's9') EXECUTE FUNCTION act()");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS - 1);
    assert_int_equal(application_count_sessions(app), 1);
}

/* The first time is bad luck; the last pass tries once more. */
static void
test_poison_row_that_fails_once_is_done_by_the_last_pass(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "CREATE SEQUENCE times");
    on("BEFORE DELETE ON sessions", "OLD.id = 's17'",
       "IF nextval('public.times') < 8 THEN RAISE 'not yet'; END IF; RETURN OLD;");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    const int64_t times = postgres_number(app, "SELECT nextval('times')");
    postgres_exec(app, "DROP SEQUENCE times");
    assert_in_range(times, 8, 10);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
    assert_null(strstr(outcome.result, "skipped_reasons"));
}

static void
test_poison_more_than_the_limit_fails_the_command(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.max_row_errors = 3;
    on("BEFORE DELETE ON sessions", "true", "RAISE 'closed';");
    run_task(CLEANUP_ALL, "failed", &outcome);
    assert_outcome_text(&outcome, "message", "Error cleaning up inactive sessions: closed");
    assert_outcome_text(&outcome, "error.sqlstate", "P0001");
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 4);
    assert_reasons("", "[{\"reason\":\"error\",\"count\":4,\"sqlstate\":\"P0001\","
                       "\"message\":\"closed\",\"example\":\"s1\"}]");
    assert_int_equal(application_count_sessions(app), USERS);
}

static void
test_poison_as_many_as_the_limit_succeed(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.max_row_errors = 3;
    on("BEFORE DELETE ON sessions", "OLD.id IN ('s1', 's2', 's3')", "RAISE 'closed';");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 3);
}

static void
test_poison_in_one_half_leaves_the_other(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("BEFORE UPDATE ON bookings", "OLD.booking_id = 'b07'", "RAISE 'closed';");
    run_task(SCHEDULED, "succeeded", &outcome);
    assert_reasons(",booking_expiration", "[{\"reason\":\"error\",\"count\":1,\"sqlstate\":"
                                          "\"P0001\",\"message\":\"closed\",\"example\":\"b07\"}]");
    assert_outcome_text(&outcome, "message",
                        "Session cleanup: Successfully cleaned up 40 inactive sessions; Booking "
                        "expiration: Successfully marked 39 bookings as Expired (1 skipped: "
                        "error)");
    assert_int_equal(
        postgres_number(app,
                        "SELECT (convert_from(result, 'UTF8')::jsonb #> '{data,session_cleanup}' ? "
                        "'skipped_reasons')::int FROM cleanup_worker.ledger"),
        0);
}

/* The next owner knows what the one before has skipped. */
static void
test_poison_survives_a_takeover(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *first = long_command_new();
    CLEANUP(long_command_freep) LongCommand *second = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    worker.settings.batch_sessions = 10;
    on("BEFORE DELETE ON sessions", "OLD.id = 's3'", "RAISE 'closed';");
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    while (postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped") == 0)
        assert_int_equal(worker_step(&worker, &sent, first, &outcome), TASK_REQUEUE);
    worker_finish_long_command(&worker, &sent, second, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_reasons("", "[{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"P0001\","
                       "\"message\":\"closed\",\"example\":\"s3\"}]");
}

/* What was kept for a last pass that never came is told, too. */
static void
test_poison_of_a_command_that_is_given_up_is_told(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    Error cause = {0};
    Error err = {0};
    worker.settings.batch_sessions = 10;
    on("BEFORE DELETE ON sessions", "OLD.id = 's3'", "RAISE 'closed';");
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    while (postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped") == 0)
        assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    (void)error_set(&cause, REASON_WORK_REFUSED, "enough");
    const TaskItem item = sent_item(&sent);
    task_outcome_done(&outcome);
    ASSERT_OK(
        task_fail(&worker.context, &item, &(TaskFailure){&cause, 5, long_command}, &outcome, &err),
        &err);
    assert_finished(app, &sent, &outcome, "failed");
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 1);
    assert_reasons("", "[{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"P0001\","
                       "\"message\":\"closed\",\"example\":\"s3\"}]");
}

static void
test_poison_user_leaves_the_set_and_is_named(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand neighbour = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    TaskOutcome outcomes[2] = {0};
    Error err = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&neighbour, 11, "b", 2);
    on("BEFORE DELETE ON sessions", "OLD.id = 's1'", "RAISE 'closed';");
    application_add_session(app, "t1", 1, 48);
    const TaskItem items[] = {sent_item(&sent), sent_item(&neighbour)};
    assert_false(task_run_set(&worker.context, items, 2, 1, outcomes, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    run_alone(&sent, &outcome);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 1 inactive sessions for user "
                        "00000000-0000-4000-8000-000000000001 (1 skipped: error)");
    assert_reasons("", "[{\"reason\":\"error\",\"count\":1,\"sqlstate\":\"P0001\","
                       "\"message\":\"closed\",\"example\":\"s1\"}]");
}

/* What a trigger keeps without a word is counted. */

static void
test_kept_session_keeps_its_records(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("BEFORE DELETE ON sessions", "OLD.id IN ('s17', 's18')", "RETURN NULL;");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS - 2);
    assert_int_equal(outcome_number(&outcome, "data.deleted_image_records"), 2 * (USERS - 2));
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 38 inactive sessions (2 skipped: trigger)");
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 2);
    assert_int_equal(children("s17"), 3);
    assert_int_equal(children("s18"), 3);
    assert_int_equal(application_count_sessions(app), 2);
}

static void
test_kept_sessions_alone_are_not_called_nothing_found(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("BEFORE DELETE ON sessions", "true", "RETURN NULL;");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 0 inactive sessions (40 skipped: trigger)");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM \"imageSent\""), 2 * USERS);
}

static void
test_kept_image_keeps_its_session(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("BEFORE DELETE ON \"imageSent\"", "OLD.session_id = 's17'", "RETURN NULL;");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 39 inactive sessions (1 skipped: trigger)");
    assert_int_equal(children("s17"), 3);
}

/* A cascade does not complain of a record that a trigger keeps: it would be an orphan. */
static void
test_kept_image_of_a_cascade_keeps_its_session(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "ALTER TABLE \"imageSent\" DROP CONSTRAINT \"imageSent_session_id_fkey\", "
                       "ADD CONSTRAINT \"imageSent_session_id_fkey\" FOREIGN KEY (session_id) "
                       "REFERENCES sessions ON DELETE CASCADE");
    on("BEFORE DELETE ON \"imageSent\"", "OLD.session_id = 's17'", "RETURN NULL;");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    postgres_exec(app, "ALTER TABLE \"imageSent\" DROP CONSTRAINT \"imageSent_session_id_fkey\", "
                       "ADD CONSTRAINT \"imageSent_session_id_fkey\" FOREIGN KEY (session_id) "
                       "REFERENCES sessions");
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 39 inactive sessions (1 skipped: trigger)");
    assert_int_equal(children("s17"), 3);
    assert_int_equal(application_count_sessions(app), 1);
}

static void
test_kept_by_records_that_come_back_is_skipped(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("AFTER DELETE ON \"videoSent\"", "OLD.session_id = 's17'",
       "INSERT INTO public.\"videoSent\" (session_id, property_id) "
       "VALUES (OLD.session_id, OLD.property_id); RETURN NULL;");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS - 1);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 1);
    assert_int_equal(children("s17"), 3);
    assert_int_equal(application_count_sessions(app), 1);
}

static void
test_kept_booking_counts_as_skipped(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("BEFORE UPDATE ON bookings", "OLD.booking_id IN ('b07', 'b08')",
       "IF OLD.booking_id = 'b07' THEN RETURN NULL; END IF; NEW.status = OLD.status; RETURN NEW;");
    run_task(EXPIRE_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), BOOKINGS - 2);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 2);
    assert_null(strstr(outcome.result, "\"b08\",\""));
    assert_outcome_text(&outcome, "message",
                        "Successfully marked 38 bookings as Expired (2 skipped: trigger)");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     2);
}

static void
test_kept_booking_that_a_trigger_sets_back_counts_as_skipped(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    on("AFTER UPDATE ON bookings", "OLD.booking_id = 'b07' AND NEW.status = 'Expired'",
       "UPDATE public.bookings SET status = 'Pending' WHERE booking_id = OLD.booking_id; "
       "RETURN NULL;");
    run_task(EXPIRE_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), BOOKINGS - 1);
    assert_reasons("", "[{\"reason\":\"trigger\",\"count\":1,\"sqlstate\":null,\"message\":null,"
                       "\"example\":\"b07\"}]");
}

static void
test_kept_session_of_a_user_command_leaves_the_set(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_for_user(&sent, 10, "a", 17);
    on("BEFORE DELETE ON sessions", "OLD.id = 's17'", "RETURN NULL;");
    run_alone(&sent, &outcome);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 0 inactive sessions for user "
                        "00000000-0000-4000-8000-000000000017 (1 skipped: trigger)");
    assert_int_equal(children("s17"), 3);
}

/* A trigger that keeps nothing changes nothing. */
static void
test_kept_nothing_by_a_trigger_that_only_writes_an_audit(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "CREATE TABLE tried (id text PRIMARY KEY)");
    on("AFTER DELETE ON sessions", "true", "INSERT INTO public.tried VALUES (OLD.id); RETURN OLD;");
    run_task(CLEANUP_ALL, "succeeded", &outcome);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM tried"), USERS);
}

static void
test_referenced_sessions_have_a_reason(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    DatabaseSettings with_notes = settings;
    CLEANUP(worker_done) TestWorker second = {0};
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand of_user = {0};
    CLEANUP(sent_done) SentCommand dry = {0};
    postgres_exec(app, "CREATE TABLE notes (session_id varchar(64) REFERENCES sessions); "
                       "INSERT INTO notes VALUES ('s7')");
    with_notes.tables.session_references = "notes";
    worker_open(&second, &with_notes, "w2");
    sent_make(&dry, 9,
              "{\"command_id\":\"dry\",\"task\":\"" CLEANUP_ALL
              "\",\"params\":{\"dry_run\":true}}");
    worker_run(&second, &dry, &outcome);
    assert_outcome_text(&outcome, "message",
                        "Would clean up 39 inactive sessions (1 skipped: referenced)");
    sent_make_for_user(&of_user, 10, "user", 7);
    worker_run(&second, &of_user, &outcome);
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 0 inactive sessions for user "
                        "00000000-0000-4000-8000-000000000007 (1 skipped: referenced)");
    sent_make_task(&sent, 11, "a", CLEANUP_ALL);
    worker_run(&second, &sent, &outcome);
    assert_reasons("", "[{\"reason\":\"referenced\",\"count\":1,\"sqlstate\":null,"
                       "\"message\":null,\"example\":\"s7\"}]");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, forty_of_each, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_poison_session_that_a_trigger_refuses_is_skipped_and_named),
        CASE(test_poison_sessions_of_several_kinds_are_listed_by_kind),
        CASE(test_poison_booking_that_a_trigger_refuses_is_skipped_and_named),
        CASE(test_poison_at_commit_is_found_too),
        CASE(test_poison_row_that_fails_once_is_done_by_the_last_pass),
        CASE(test_poison_more_than_the_limit_fails_the_command),
        CASE(test_poison_as_many_as_the_limit_succeed),
        CASE(test_poison_in_one_half_leaves_the_other),
        CASE(test_poison_survives_a_takeover),
        CASE(test_poison_of_a_command_that_is_given_up_is_told),
        CASE(test_poison_user_leaves_the_set_and_is_named),
        CASE(test_kept_session_keeps_its_records),
        CASE(test_kept_sessions_alone_are_not_called_nothing_found),
        CASE(test_kept_image_keeps_its_session),
        CASE(test_kept_image_of_a_cascade_keeps_its_session),
        CASE(test_kept_by_records_that_come_back_is_skipped),
        CASE(test_kept_booking_counts_as_skipped),
        CASE(test_kept_booking_that_a_trigger_sets_back_counts_as_skipped),
        CASE(test_kept_session_of_a_user_command_leaves_the_set),
        CASE(test_kept_nothing_by_a_trigger_that_only_writes_an_audit),
        CASE(test_referenced_sessions_have_a_reason),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

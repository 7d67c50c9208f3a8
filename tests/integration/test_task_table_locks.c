/* A lock that others hold on a whole table is waited for, however long, and is nobody's failure;
 * and what others want of a table they need not wait for long. */
#include "tests/support/tasks.h"

#include "worker/repository/lock_holder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define CLEANUP_ALL "cleanup_inactive_sessions"
#define EXPIRE_ALL "expire_pending_bookings"
#define SCHEDULED "scheduled_cleanup"

enum {
    USERS = 5,
    TRIES = 4,
};

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
five_of_each(void **state)
{
    (void)state;
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    for (int i = 1; i <= USERS; i++) {
        char id[16];
        application_add_user(app, i, 48);
        (void)snprintf(id, sizeof(id), "b%d", i);
        application_add_booking(app, id, "Pending", 1 + i);
    }
    worker_open(&worker, &settings, "w1");
    worker.settings.max_attempts = 2;
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
lock_table(const char *table, const char *mode)
{
    postgres_exec(other, "BEGIN; LOCK TABLE %s IN %s MODE", table, mode);
}

/* Tries more often than a command may fail; true when each try met the lock and held nothing. */
static void
assert_waits(const SentCommand *sent, LongCommand *long_command)
{
    int met = 0;
    const TaskItem item = sent_item(sent);
    for (int i = 0; i < TRIES * 3 && met < TRIES; i++) {
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        Error err = {0};
        worker.monotonic_ms += 10000;
        int claim = CLAIM_EXCLUSIVE;
        assert_true(long_command_claim(long_command, worker.monotonic_ms, &claim));
        const TaskTurn turn = {long_command, claim, NULL};
        if (task_step_long_command(&worker.context, &item, &turn, &outcome, &err)) {
            assert_int_equal(outcome.step, TASK_REQUEUE);
            met += outcome.note != NULL && outcome.note->reason == REASON_TABLE_LOCKED;
            continue;
        }
        if (err.reason != REASON_TABLE_LOCKED)
            fail_msg("%s", err.text);
        assert_int_equal(err.kind, ERROR_HOLD);
        assert_false(err.counts_as_attempt);
        met++;
    }
    assert_int_equal(met, TRIES);
}

static void
check_long_command(const char *task, const char *table, const char *mode)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    char id[64];
    (void)snprintf(id, sizeof(id), "%s-%.5s", task, mode);
    sent_make_task(&sent, 10, id, task);
    lock_table(table, mode);
    assert_waits(&sent, long_command);
    postgres_exec(other, "COMMIT");
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
    assert_null(strstr(outcome.result, "skipped_reasons"));
}

static void
test_long_command_waits_for_a_share_lock_on_sessions(void **state)
{
    (void)state;
    check_long_command(CLEANUP_ALL, "sessions", "SHARE");
    assert_int_equal(application_count_sessions(app), 0);
}

static void
test_long_command_waits_for_an_exclusive_lock_on_any_table(void **state)
{
    (void)state;
    static const char *const tables[] = {"users", "sessions", "messages", "\"imageSent\"",
                                         "\"videoSent\""};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        postgres_clear(app);
        application_add_user(app, 1, 48);
        check_long_command(CLEANUP_ALL, tables[i], "ACCESS EXCLUSIVE");
        assert_int_equal(application_count_sessions(app), 0);
    }
}

static void
test_bookings_wait_for_a_lock_on_their_table(void **state)
{
    (void)state;
    check_long_command(EXPIRE_ALL, "bookings", "SHARE");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     0);
}

/* Begin, batches and end touch other tables of the worker's own. */
static void
test_long_command_waits_for_a_lock_on_a_table_of_the_worker(void **state)
{
    (void)state;
    static const char *const tables[] = {"cleanup_worker.ledger", "cleanup_worker.ledger_range"};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        postgres_clear(app);
        application_add_user(app, 1, 48);
        check_long_command(CLEANUP_ALL, tables[i], "ACCESS EXCLUSIVE");
        assert_int_equal(application_count_sessions(app), 0);
    }
}

static void
test_scheduled_half_that_waits_lets_the_other_run(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_task(&sent, 10, "a", SCHEDULED);
    lock_table("sessions", "SHARE");
    assert_waits(&sent, long_command);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     0);
    assert_int_equal(application_count_sessions(app), USERS);
    postgres_exec(other, "COMMIT");
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
}

static void
test_set_waits_for_a_lock_on_a_table(void **state)
{
    (void)state;
    static const char *const tables[] = {"users", "sessions", "messages", "\"imageSent\"",
                                         "cleanup_worker.ledger"};
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand neighbour = {0};
    TaskOutcome outcomes[2] = {0};
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&neighbour, 11, "b", 2);
    const TaskItem items[] = {sent_item(&sent), sent_item(&neighbour)};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        lock_table(tables[i], "ACCESS EXCLUSIVE");
        for (size_t count = 1; count <= 2; count++) {
            Error err = {0};
            assert_false(task_run_set(&worker.context, items, count, 1, outcomes, &err));
            assert_int_equal(err.reason, REASON_TABLE_LOCKED);
            assert_int_equal(err.kind, ERROR_HOLD);
        }
        postgres_exec(other, "COMMIT");
    }
    const SentCommand *const both[] = {&sent, &neighbour};
    worker_run_set(&worker, both, 2, outcomes);
    for (int i = 0; i < 2; i++) {
        assert_finished(app, both[i], &outcomes[i], "succeeded");
        task_outcome_done(&outcomes[i]);
    }
}

/* Not even with a time-out that is shorter than the lock lasts. */
static void
test_previews_and_dry_runs_wait_for_a_lock_on_a_table(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "{\"command_id\":\"a\",\"task\":\"get_inactive_sessions_preview\"}",
        "{\"command_id\":\"b\",\"task\":\"cleanup_inactive_sessions\",\"params\":{\"dry_run\":"
        "true}}",
    };
    worker.settings.preview_timeout_ms = 300;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        CLEANUP(sent_done) SentCommand sent = {0};
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        sent_make(&sent, (int64_t)i, "%s", commands[i]);
        const TaskItem item = sent_item(&sent);
        lock_table("sessions", "ACCESS EXCLUSIVE");
        for (int try = 0; try < TRIES; try++) {
            Error err = {0};
            assert_false(task_run_read(&worker.context, &item, 1, &outcome, &err));
            assert_int_equal(err.reason, REASON_TABLE_LOCKED);
        }
        postgres_exec(other, "COMMIT");
        worker.settings.preview_timeout_ms = 10000;
        worker_run(&worker, &sent, &outcome);
        assert_finished(app, &sent, &outcome, "succeeded");
        worker.settings.preview_timeout_ms = 300;
    }
}

static void
test_lock_of_a_trigger_is_waited_for(void **state)
{
    (void)state;
    postgres_exec(app, "CREATE TABLE audit (id text); CREATE FUNCTION act() RETURNS trigger "
                       "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit VALUES (OLD.id); "
                       "RETURN OLD; END $$; CREATE TRIGGER act AFTER DELETE ON sessions FOR EACH "
                       "ROW EXECUTE FUNCTION act()");
    check_long_command(CLEANUP_ALL, "audit", "SHARE");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM audit"), USERS);
    postgres_exec(app, "DROP FUNCTION act CASCADE; DROP TABLE audit");
}

/* A row that a trigger needs and others hold is that row's affair, not the table's. */
static void
test_row_that_a_trigger_waits_for_skips_its_session_as_locked(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    postgres_exec(app, "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0); "
                       "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "UPDATE public.counter SET n = n + 1; RETURN OLD; END $$; "
                       "CREATE TRIGGER act AFTER DELETE ON sessions FOR EACH ROW "
                       "WHEN (OLD.id = 's3') EXECUTE FUNCTION act()");
    postgres_exec(other, "BEGIN; UPDATE counter SET n = n");
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    worker_run(&worker, &sent, &outcome);
    postgres_exec(other, "COMMIT");
    postgres_exec(app, "DROP FUNCTION act CASCADE; DROP TABLE counter");
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_outcome_text(&outcome, "message",
                        "Successfully cleaned up 4 inactive sessions (1 skipped: locked)");
    assert_int_equal(
        postgres_number(app,
                        "SELECT (convert_from(result, 'UTF8')::jsonb #> '{data,skipped_reasons}' = "
                        "'[{\"reason\":\"locked\",\"count\":1,\"sqlstate\":null,"
                        "\"message\":null,\"example\":\"s3\"}]')::int "
                        "FROM cleanup_worker.ledger"),
        1);
}

static void
test_holder_of_a_lock_is_named_without_its_text(void **state)
{
    (void)state;
    Error err = {0};
    int64_t now_us;
    LockHolder holder = {0};
    ASSERT_OK(database_begin(worker.context.database, DATABASE_READ, 0, &now_us, &err), &err);
    ASSERT_OK(lock_holder_find(worker.context.database, &holder, &err), &err);
    assert_int_equal(holder.pid, 0);
    postgres_exec(other, "SET application_name = 'reports'; BEGIN; LOCK TABLE sessions IN SHARE "
                         "MODE");
    postgres_exec(other, "/* x */ SELECT 'secret'");
    postgres_exec(other, "lock table sessions in share mode");
    ASSERT_OK(lock_holder_find(worker.context.database, &holder, &err), &err);
    assert_int_equal(holder.pid, postgres_number(other, "SELECT pg_backend_pid()"));
    postgres_exec(other, "lock table sessions in share mode");
    ASSERT_OK(lock_holder_find(worker.context.database, &holder, &err), &err);
    assert_string_equal(holder.application, "reports");
    assert_string_equal(holder.statement, "LOCK TABLE");
    assert_string_equal(holder.table, "sessions");
    postgres_exec(other, "COMMIT; RESET application_name");
    database_rollback(worker.context.database);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, five_of_each, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_long_command_waits_for_a_share_lock_on_sessions),
        CASE(test_long_command_waits_for_an_exclusive_lock_on_any_table),
        CASE(test_bookings_wait_for_a_lock_on_their_table),
        CASE(test_long_command_waits_for_a_lock_on_a_table_of_the_worker),
        CASE(test_scheduled_half_that_waits_lets_the_other_run),
        CASE(test_set_waits_for_a_lock_on_a_table),
        CASE(test_previews_and_dry_runs_wait_for_a_lock_on_a_table),
        CASE(test_lock_of_a_trigger_is_waited_for),
        CASE(test_row_that_a_trigger_waits_for_skips_its_session_as_locked),
        CASE(test_holder_of_a_lock_is_named_without_its_text),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

/* A task over a table that the worker does not know: a target and a row of the tasks' table are all
 * it takes. The two rows stand here; the target is tests/support/target_drafts.c. */
#include "tests/support/target_drafts.h"
#include "tests/support/tasks.h"
#include "worker/task/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    DELETE_OLD_DRAFTS = COMMAND_TASK_COUNT,
    CLEAN_DRAFTS_AND_SESSIONS,
    TASKS_END,
};

enum {
    OLD = 50,
    RECENT = 10,
    BATCH = 7,
};

static const struct {
    const char *name;
    TaskKind kind;
} rows[] = {
    {"delete_old_drafts",
     {TASK_SHAPE_LONG_COMMAND, {&target_drafts}, 1, "Error deleting old drafts"}},
    {"clean_drafts_and_sessions",
     {TASK_SHAPE_LONG_COMMAND, {&target_drafts, &target_sessions}, 2, "Error deleting old drafts"}},
};

const TaskKind *__real_task_kind(const Command *command);
const TaskKind *__wrap_task_kind(const Command *command);
const char *__real_command_task_name(CommandTask task);
const char *__wrap_command_task_name(CommandTask task);

const TaskKind *
__wrap_task_kind(const Command *command)
{
    const int task = (int)command->task;
    return task < COMMAND_TASK_COUNT ? __real_task_kind(command)
                                     : &rows[task - COMMAND_TASK_COUNT].kind;
}

const char *
__wrap_command_task_name(CommandTask task)
{
    return (int)task < COMMAND_TASK_COUNT ? __real_command_task_name(task)
                                          : rows[(int)task - COMMAND_TASK_COUNT].name;
}

static DatabaseSettings settings;
static PgConn *app;
static TestWorker first;
static TestWorker second;
static LongCommand *long_command;
static SentCommand sent;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    PgConn *conn = postgres_connect();
    postgres_exec(conn, "CREATE TABLE drafts (draft_id bigint PRIMARY KEY, updated_at timestamp)");
    pg_conn_free(conn);
    settings = postgres_settings();
    return failed;
}

static int
begin(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    postgres_exec(app,
                  "TRUNCATE drafts; INSERT INTO drafts SELECT n, now() AT TIME ZONE 'UTC' - "
                  "CASE WHEN n %% 6 = 0 THEN interval '1 hour' ELSE interval '48 hours' END "
                  "FROM generate_series(1, %d) n",
                  OLD + RECENT);
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    worker_open(&first, &settings, "w1");
    worker_open(&second, &settings, "w2");
    first.settings.batch_sessions = BATCH;
    second.settings.batch_sessions = BATCH;
    long_command = long_command_new();
    return 0;
}

static int
end(void **state)
{
    (void)state;
    sent_done(&sent);
    long_command_free(long_command);
    worker_done(&first);
    worker_done(&second);
    pg_conn_free(app);
    return 0;
}

static void
send_task(int task)
{
    sent = (SentCommand){0};
    sent_make_task(&sent, 10, "a", "cleanup_inactive_sessions");
    sent.command.task = (CommandTask)task;
}

static int64_t
count_drafts(void)
{
    return postgres_number(app, "SELECT count(*) FROM drafts");
}

/* The first worker dies after so many steps: what it knew is gone. */
static void
crash_after(int steps)
{
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    for (int i = 0; i < steps; i++)
        assert_int_equal(worker_step(&first, &sent, long_command, &outcome), TASK_REQUEUE);
    long_command_free(long_command);
    long_command = long_command_new();
}

static void
assert_nothing_is_left_in_the_ledger(void)
{
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range"), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped"), 0);
}

static void
test_third_target_taken_over_after_a_crash_is_finished_with_the_counts_of_both(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    send_task(DELETE_OLD_DRAFTS);
    crash_after(4);
    assert_int_equal(count_drafts(), OLD + RECENT - 3 * BATCH);
    assert_int_equal(postgres_number(app, "SELECT counts[1] FROM cleanup_worker.ledger_range "
                                          "WHERE target = 'drafts'"),
                     3 * BATCH);
    worker_finish_long_command(&second, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_outcome_text(&outcome, "task", "delete_old_drafts");
    assert_outcome_text(&outcome, "message", "Successfully deleted 50 old drafts");
    assert_int_equal(outcome_number(&outcome, "data.deleted_drafts"), OLD);
    assert_int_equal(outcome_number(&outcome, "data.skipped_drafts"), 0);
    assert_int_equal(count_drafts(), RECENT);
    assert_nothing_is_left_in_the_ledger();
}

static void
test_third_target_locked_row_is_kept_for_the_last_pass_and_counted(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    PgConn *other = postgres_connect();
    send_task(DELETE_OLD_DRAFTS);
    postgres_exec(other, "BEGIN; SELECT FROM drafts WHERE draft_id IN (2, 44) FOR UPDATE");
    crash_after(2);
    worker_step(&second, &sent, long_command, &outcome);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped "
                                          "WHERE target = 'drafts' AND item = '2'"),
                     1);
    worker_finish_long_command(&second, &sent, long_command, &outcome);
    postgres_exec(other, "COMMIT");
    pg_conn_free(other);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_outcome_text(&outcome, "message",
                        "Successfully deleted 48 old drafts (2 skipped: locked)");
    assert_int_equal(outcome_number(&outcome, "data.deleted_drafts"), OLD - 2);
    assert_int_equal(outcome_number(&outcome, "data.skipped_drafts"), 2);
    assert_int_equal(count_drafts(), RECENT + 2);
}

/* In the order of the task, which is not that of the rows in the ledger. */
static void
test_third_target_beside_another_goes_first_and_has_its_own_section(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    send_task(CLEAN_DRAFTS_AND_SESSIONS);
    crash_after(3);
    assert_int_equal(count_drafts(), OLD + RECENT - 2 * BATCH);
    assert_int_equal(application_count_sessions(app), 3);
    worker_finish_long_command(&second, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_outcome_text(&outcome, "message",
                        "Draft cleanup: Successfully deleted 50 old drafts; "
                        "Session cleanup: Successfully cleaned up 3 inactive sessions");
    assert_int_equal(outcome_number(&outcome, "data.draft_cleanup.deleted_drafts"), OLD);
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_image_records"), 6);
    assert_int_equal(count_drafts(), RECENT);
    assert_int_equal(application_count_sessions(app), 0);
}

static void
test_third_target_dry_run_counts_and_deletes_nothing(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    send_task(DELETE_OLD_DRAFTS);
    sent.command.params.dry_run = true;
    worker_run(&first, &sent, &outcome);
    assert_outcome_text(&outcome, "message", "Would delete 50 old drafts");
    assert_int_equal(outcome_number(&outcome, "data.deleted_drafts"), OLD);
    assert_int_equal(count_drafts(), OLD + RECENT);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_third_target_taken_over_after_a_crash_is_finished_with_the_counts_of_both),
        CASE(test_third_target_locked_row_is_kept_for_the_last_pass_and_counted),
        CASE(test_third_target_beside_another_goes_first_and_has_its_own_section),
        CASE(test_third_target_dry_run_counts_and_deletes_nothing),
    };
    _Static_assert(ARRAY_LEN(rows) == TASKS_END - COMMAND_TASK_COUNT, "a row for each task");
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

/* In which order a long command goes through the sessions, with and without an index on their
 * users. */
#include "tests/support/application.h"
#include "tests/support/long_run.h"

#include "worker/repository/database_private.h"
#include "worker/repository/session_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    ROWS = 100, /* of the whole table */
};

#define RANGE "FROM cleanup_worker.ledger_range WHERE target = 'sessions'"

static DatabaseSettings settings;
static PgConn *app;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

static void
drop_index(void)
{
    postgres_exec(app, "DROP INDEX IF EXISTS sessions_user_id");
}

static void
create_index(void)
{
    drop_index();
    postgres_exec(app, "CREATE INDEX sessions_user_id ON sessions (user_id, id)");
}

static int
clear(void **state)
{
    (void)state;
    postgres_clear(app);
    create_index();
    return 0;
}

/* User n has session s<ROWS - n>, so that the two orders are each other's opposite. Of `every`
 * users one is inactive. */
static void
add_sessions(int every)
{
    postgres_exec(app,
                  "INSERT INTO users SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, "
                  "'0'))::uuid FROM generate_series(1, %d) n",
                  ROWS);
    postgres_exec(app,
                  "INSERT INTO sessions (id, user_id, created_at) SELECT 's' || lpad((%d - "
                  "row_number() OVER (ORDER BY user_id))::text, 6, '0'), user_id, now() AT "
                  "TIME ZONE 'UTC' - interval '30 days' FROM users",
                  ROWS);
    postgres_exec(app,
                  "INSERT INTO messages (user_id, sender) SELECT user_id, 'user' FROM sessions "
                  "WHERE substr(id, 2)::int %% %d <> 0",
                  every);
}

static void
begin(LongRun *command)
{
    long_run_init(command, &settings, COMMAND_CLEANUP_INACTIVE_SESSIONS);
}

static void
finish(LongRun *command, int deleted)
{
    long_run_step(command, LONG_RUN_STEPS_MAX);
    assert_long_run_count(command, "deleted_sessions", deleted);
    assert_int_equal(application_count_sessions(app), ROWS - deleted);
}

static bool
is_by_id(void)
{
    return postgres_number(app, "SELECT by_id::int " RANGE) == 1;
}

static void
assert_index_seen(const char *definition, bool seen)
{
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    bool indexed = !seen;
    drop_index();
    postgres_exec(app, "CREATE INDEX sessions_user_id ON sessions %s", definition);
    ASSERT_OK(database_connect(database, &err), &err);
    ASSERT_OK(session_has_user_index(database, &indexed, &err), &err);
    if (indexed != seen)
        fail_msg("index %s", definition);
}

static void
test_look_for_an_index_accepts_only_whole_btrees_that_begin_with_the_user(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    bool indexed = true;
    assert_index_seen("(user_id)", true);
    assert_index_seen("(user_id DESC, id)", true);
    assert_index_seen("(id, user_id)", false);
    assert_index_seen("((user_id::text))", false);
    assert_index_seen("USING hash (user_id)", false);
    assert_index_seen("(user_id, id) WHERE created_at IS NULL", false);
    create_index();
    postgres_exec(app, "UPDATE pg_index SET indisvalid = false "
                       "WHERE indexrelid = 'sessions_user_id'::regclass");
    ASSERT_OK(database_connect(database, &err), &err);
    ASSERT_OK(session_has_user_index(database, &indexed, &err), &err);
    assert_false(indexed);
}

/* The plan of a statement as the worker renders it, for a window in the middle. */
static void
explain(SqlId sql, const PgParam *params, size_t count, StrBuf *ret_plan)
{
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(strbuf_done) StrBuf text = {0};
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    ASSERT_OK(database_connect(database, &err), &err);
    strbuf_add_format(&text, "EXPLAIN %s", database->names->texts[sql]);
    ASSERT_OK(pg_conn_exec_params(database->conn, strbuf_text(&text), params, count, &result, &err),
              &err);
    for (size_t row = 0; row < pg_result_rows(result); row++)
        strbuf_add_format(ret_plan, "%s\n", pg_result_text(result, row, 0));
}

static void
assert_plan(SqlId sql, const PgParam *params, size_t count, const char *index)
{
    CLEANUP(strbuf_done) StrBuf plan = {0};
    explain(sql, params, count, &plan);
    const bool scans = strstr(strbuf_text(&plan), "Seq Scan on sessions") != NULL;
    if (index != NULL ? scans || strstr(strbuf_text(&plan), index) == NULL : !scans)
        fail_msg("expected %s: %s", index != NULL ? index : "a scan", strbuf_text(&plan));
}

static void
test_plan_of_a_window_or_last_pass_follows_an_index(void **state)
{
    (void)state;
    const PgParam by_user[] = {pg_param_text("2026-01-01T00:00:00Z"),
                               pg_param_text("00000000-0000-4000-8000-000000000050"),
                               pg_param_text("s000050"),
                               pg_param_text("ffffffff-ffff-ffff-ffff-ffffffffffff"),
                               pg_param_int64(100),
                               pg_param_bool(false)};
    const PgParam by_id[] = {pg_param_text("2026-01-01T00:00:00Z"), pg_param_text("s000050"),
                             pg_param_int64(100)};
    const PgParam from_the_beginning[] = {pg_param_text("2026-01-01T00:00:00Z"), pg_param_text(""),
                                          pg_param_int64(100)};
    const PgParam listed[] = {pg_param_text("2026-01-01T00:00:00Z"), pg_param_text("{s000050}"),
                              pg_param_text("{00000000-0000-4000-8000-000000000050}")};
    add_sessions(1);
    postgres_exec(app, "INSERT INTO sessions (id, user_id) SELECT md5(n::text), user_id "
                       "FROM users, generate_series(1, 20000) n WHERE n %% 100 = "
                       "substr(user_id::text, 30)::int");
    postgres_exec(app, "ANALYZE");
    assert_plan(SQL_SESSION_FIND_WINDOW, by_user, ARRAY_LEN(by_user), "sessions_user_id");
    drop_index();
    assert_plan(SQL_SESSION_FIND_WINDOW, by_user, ARRAY_LEN(by_user), NULL);
    assert_plan(SQL_SESSION_FIND_WINDOW_BY_ID, by_id, ARRAY_LEN(by_id), "sessions_pkey");
    assert_plan(SQL_SESSION_FIND_LISTED, listed, ARRAY_LEN(listed), "sessions_pkey");
    assert_plan(SQL_SESSION_FIND_WINDOW_BY_ID, from_the_beginning, ARRAY_LEN(by_id),
                "sessions_pkey");
}

static void
test_window_by_id_moves_over_active_users_and_finds_the_empty_id(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    int64_t now_us;
    SessionCandidates candidates = {0};
    add_sessions(2);
    postgres_exec(app, "UPDATE sessions SET id = '' WHERE id = 's000000'");
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    const int64_t cutoff_us = now_us - INT64_C(86400) * CLOCK_US_PER_SECOND;
    SessionWindow window = {.cutoff_us = cutoff_us, .after_session_id = "", .limit = 4};
    ASSERT_OK(session_find_window_by_id(database, &window, &candidates, &err), &err);
    assert_int_equal(candidates.window, 4);
    assert_int_equal(candidates.count, 2);
    assert_string_equal(candidates.session_ids[0], "");
    assert_string_equal(candidates.session_ids[1], "s000002");
    assert_string_equal(candidates.last_session_id, "s000003");
    session_candidates_done(&candidates);
    window.after_session_id = "s000095";
    window.limit = 10;
    ASSERT_OK(session_find_window_by_id(database, &window, &candidates, &err), &err);
    assert_int_equal(candidates.window, 4);
    assert_string_equal(candidates.session_ids[0], "s000096");
    session_candidates_done(&candidates);
    database_rollback(database);
}

static void
test_long_command_with_user_index_goes_by_user(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun run;
    add_sessions(2);
    begin(&run);
    long_run_step(&run, 2);
    assert_false(is_by_id());
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGE " AND cursor_minor = 's000090'"),
                     1);
    finish(&run, ROWS / 2);
}

/* One step to begin, a window that is full each, one that finds nothing more, the last pass, the
 * end: nothing is read twice, however sparse. */
static void
test_long_command_without_user_index_goes_by_id_and_reads_each_session_once(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun run;
    add_sessions(50);
    drop_index();
    begin(&run);
    long_run_step(&run, 2);
    assert_true(is_by_id());
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGE
                                          " AND cursor_major = '' AND cursor_minor = 's000009'"),
                     1);
    finish(&run, ROWS / 50);
    assert_int_equal(run.steps, 1 + ROWS / LONG_RUN_WINDOW + 1 + 1);
}

static void
test_long_command_of_one_user_without_user_index_keeps_to_that_user(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun run;
    add_sessions(1);
    drop_index();
    begin(&run);
    run.command.task = COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER;
    (void)snprintf(run.command.params.user_id, sizeof(run.command.params.user_id), USER_FORMAT, 7);
    long_run_step(&run, 1);
    assert_false(is_by_id());
    finish(&run, 1);
}

/* The next owner finds another index, and keeps the order. */
static void
take_over_after(void (*change_index)(void), bool by_id)
{
    CLEANUP(long_run_done) LongRun first;
    CLEANUP(long_run_done) LongRun second;
    add_sessions(2);
    begin(&first);
    long_run_step(&first, 1 + 3);
    assert_int_equal(is_by_id(), by_id);
    change_index();
    begin(&second);
    second.source = first.source;
    long_run_step(&second, 1 + 1);
    assert_int_equal(is_by_id(), by_id);
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGE " AND (cursor_major = '') = %s",
                                     by_id ? "true" : "false"),
                     1);
    finish(&second, ROWS / 2);
    /* On a slow machine batches are smaller. */
    assert_true(first.steps + second.steps >= 1 + 1 + ROWS / LONG_RUN_WINDOW + 1 + 1);
    long_run_step(&first, 1);
    assert_int_equal(first.outcome.step, TASK_OWNERSHIP_LOST);
}

static void
test_long_command_taken_over_when_the_index_is_there_stays_by_id(void **state)
{
    (void)state;
    drop_index();
    take_over_after(create_index, true);
}

static void
test_long_command_taken_over_when_the_index_is_gone_stays_by_user(void **state)
{
    (void)state;
    take_over_after(drop_index, false);
}

/* The connection still knows the table's name; that half fails, the other does its work. */
static void
test_long_command_begins_without_the_sessions_table_for_its_other_target(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun run;
    Error err = {0};
    application_add_booking(app, "b1", "Pending", 48);
    long_run_init(&run, &settings, COMMAND_SCHEDULED_CLEANUP);
    ASSERT_OK(database_connect(run.database, &err), &err);
    postgres_exec(app, "ALTER TABLE sessions RENAME TO chats");
    const bool begun = task_step_long_command(&run.context, &run.item,
                                              &(TaskTurn){run.long_command, CLAIM_EXCLUSIVE, NULL},
                                              &run.outcome, &err);
    postgres_exec(app, "ALTER TABLE chats RENAME TO sessions");
    ASSERT_OK(begun, &err);
    long_run_step(&run, LONG_RUN_STEPS_MAX);
    assert_int_equal(run.outcome.step, TASK_FINISHED);
    assert_non_null(strstr(run.outcome.result, "\"expired_bookings\":1,"));
}

/* A message on its way holds its user: his session stays, whatever the order of the windows. */
static void
test_long_command_by_id_leaves_a_locked_user_alone_and_reports_it(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun run;
    CLEANUP(pg_conn_freep) PgConn *other = postgres_connect();
    add_sessions(1);
    drop_index();
    postgres_exec(other, "BEGIN; SELECT FROM users WHERE user_id = '" USER_FORMAT "' FOR KEY SHARE",
                  50);
    begin(&run);
    finish(&run, ROWS - 1);
    assert_long_run_count(&run, "skipped_sessions", 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            test_look_for_an_index_accepts_only_whole_btrees_that_begin_with_the_user, clear),
        cmocka_unit_test_setup(test_plan_of_a_window_or_last_pass_follows_an_index, clear),
        cmocka_unit_test_setup(test_window_by_id_moves_over_active_users_and_finds_the_empty_id,
                               clear),
        cmocka_unit_test_setup(test_long_command_with_user_index_goes_by_user, clear),
        cmocka_unit_test_setup(
            test_long_command_without_user_index_goes_by_id_and_reads_each_session_once, clear),
        cmocka_unit_test_setup(test_long_command_of_one_user_without_user_index_keeps_to_that_user,
                               clear),
        cmocka_unit_test_setup(test_long_command_taken_over_when_the_index_is_there_stays_by_id,
                               clear),
        cmocka_unit_test_setup(test_long_command_taken_over_when_the_index_is_gone_stays_by_user,
                               clear),
        cmocka_unit_test_setup(
            test_long_command_begins_without_the_sessions_table_for_its_other_target, clear),
        cmocka_unit_test_setup(test_long_command_by_id_leaves_a_locked_user_alone_and_reports_it,
                               clear),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

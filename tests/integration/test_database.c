#include "tests/support/application.h"

#include "worker/repository/database_private.h"
#include "worker/repository/session_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static DatabaseSettings settings;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    return failed;
}

static void
test_prepare_every_file_against_the_real_schema_succeeds(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    ASSERT_OK(database_connect(database, &err), &err);
    for (int i = 0; i < SQL_COUNT; i++) {
        if (i == SQL_LEDGER_COPY) /* what takes rows cannot be prepared */
            postgres_copy_nothing(database->conn, sql_files[i].text);
        else if (!pg_conn_prepare(database->conn, sql_files[i].name, database->names->texts[i],
                                  &err))
            fail_msg("%s: %s", sql_files[i].name, err.text);
    }
}

static int64_t
frozen_now(void *state)
{
    return *(int64_t *)state;
}

static int64_t
frozen_monotonic(void *state)
{
    (void)state;
    return 0;
}

static void
test_begin_with_clocks_apart_is_a_hold(void **state)
{
    (void)state;
    int64_t now_us = clock_now_us(clock_system()) + 301 * CLOCK_US_PER_SECOND;
    const Clock clock = {frozen_now, frozen_monotonic, &now_us};
    CLEANUP(database_freep) Database *database = database_new(&settings, &clock);
    Error err = {0};
    int64_t begun_us = 7;
    assert_false(database_begin(database, DATABASE_WRITE, 0, &begun_us, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.code, "clock_skew");
    assert_int_equal(begun_us, 7);
    assert_false(pg_conn_in_transaction(database->conn));
}

static const char *
shown(Database *database, const char *sql, char text[64])
{
    Error err = {0};
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    ASSERT_OK(pg_conn_exec(database->conn, sql, &result, &err), &err);
    (void)snprintf(text, 64, "%s", pg_result_text(result, 0, 0));
    return text;
}

static void
test_begin_under_other_defaults_is_read_committed_with_timeouts(void **state)
{
    (void)state;
    CLEANUP(pg_conn_freep) PgConn *app = postgres_connect();
    postgres_exec(app, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET "
                       "default_transaction_isolation = ''repeatable read''', current_database()); "
                       "END $$");
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    int64_t now_us;
    char text[64];
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    assert_string_equal(shown(database, "SHOW transaction_isolation", text), "read committed");
    assert_string_equal(shown(database, "SHOW statement_timeout", text), "20s");
    assert_string_equal(shown(database, "SHOW lock_timeout", text), "500ms");
    assert_string_equal(shown(database, "SHOW idle_in_transaction_session_timeout", text), "3s");
    assert_string_equal(shown(database, "SHOW search_path", text), "\"$user\", public");
    assert_string_equal(shown(database, "SHOW row_security", text), "off");
    assert_string_equal(shown(database, "SHOW TimeZone", text), "UTC");
    assert_string_equal(shown(database, "SHOW transaction_read_only", text), "off");
    assert_string_equal(shown(database, "SHOW jit", text), "off");
    ASSERT_OK(database_stop_waiting(database, &err), &err);
    assert_string_equal(shown(database, "SHOW lock_timeout", text), "100ms");
    assert_string_equal(shown(database, "SHOW row_security", text), "on");
    assert_string_equal(shown(database, "SHOW TimeZone", text), "UTC");
    assert_string_equal(shown(database, "SHOW statement_timeout", text), "1s");
    ASSERT_OK(database_commit(database, &err), &err);
    assert_string_equal(shown(database, "SHOW lock_timeout", text), "0");
    postgres_exec(app, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I RESET "
                       "default_transaction_isolation', current_database()); END $$");
}

static void
test_read_that_takes_too_long_is_a_timeout(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_begin(database, DATABASE_READ, 50, &now_us, &err), &err);
    assert_false(pg_conn_exec(database->conn, "SELECT pg_sleep(30)", &result, &err));
    assert_string_equal(err.code, "timeout");
    assert_string_equal(err.sqlstate, "57014");
    assert_false(database_is_lost(database));
    database_rollback(database);
    ASSERT_OK(database_begin(database, DATABASE_READ, 0, &now_us, &err), &err);
    database_rollback(database);
}

static void
test_write_in_read_transaction_loses_the_connection(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_begin(database, DATABASE_READ, 0, &now_us, &err), &err);
    assert_false(pg_conn_exec(database->conn, "DELETE FROM sessions", &result, &err));
    assert_string_equal(err.sqlstate, "25006");
    assert_true(database_is_lost(database));
}

/* Ends the worker's one connection; none would prove nothing. */
static void
terminate_worker(PgConn *app)
{
    assert_int_equal(postgres_number(app, "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, "
                                          "10000)) FROM pg_stat_activity WHERE application_name = "
                                          "'cleanup-worker/test' AND datname = current_database()"),
                     1);
}

static void
test_exec_on_terminated_backend_is_a_hold_and_next_begin_reconnects(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(pg_conn_freep) PgConn *app = postgres_connect();
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    terminate_worker(app);
    assert_false(database_commit(database, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.code, "connection_lost");
    assert_true(database_is_lost(database));
    database_rollback(database);
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    ASSERT_OK(database_commit(database, &err), &err);
}

static void
test_begin_on_connection_that_died_idle_reconnects(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(pg_conn_freep) PgConn *app = postgres_connect();
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_connect(database, &err), &err);
    terminate_worker(app);
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    ASSERT_OK(database_commit(database, &err), &err);
}

static void
test_commit_of_failed_transaction_is_an_error(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    assert_false(pg_conn_exec(database->conn, "SELECT 1/0", &result, &err));
    assert_string_equal(err.detail, "division by zero");
    assert_false(database_commit(database, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
}

static void
test_exec_without_answer_ends_at_the_deadline(void **state)
{
    (void)state;
    CLEANUP(pg_conn_freep) PgConn *conn = postgres_connect();
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    pg_conn_set_call_timeout(conn, 50);
    assert_false(pg_conn_exec(conn, "SELECT pg_sleep(30)", &result, &err));
    assert_string_equal(err.code, "connection_lost");
    assert_true(pg_conn_is_lost(conn));
    assert_false(pg_conn_exec(conn, "SELECT 1", &result, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
}

static void
test_error_detail_holds_no_row_values(void **state)
{
    (void)state;
    CLEANUP(pg_conn_freep) PgConn *conn = postgres_connect();
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    assert_false(pg_conn_exec(conn,
                              "INSERT INTO sessions (id, user_id) VALUES ('secret-value', "
                              "'00000000-0000-4000-8000-000000000099')",
                              &result, &err));
    assert_string_equal(err.sqlstate, "23503");
    assert_null(strstr(err.text, "000000000099"));
}

static void
test_connect_refused_or_unreadable_dsn_is_a_hold_without_the_dsn(void **state)
{
    (void)state;
    DatabaseSettings other = settings;
    Error err = {0};
    other.dsn = "hostt=127.0.0.1 password=hunter2";
    CLEANUP(database_freep) Database *unreadable = postgres_open(&other);
    assert_false(database_connect(unreadable, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.code, "connection_lost");
    assert_null(strstr(err.text, "hunter2"));
    assert_null(strstr(err.text, "hostt"));
    other.dsn = "host=127.0.0.1 port=1 password=hunter2";
    CLEANUP(database_freep) Database *refused = postgres_open(&other);
    assert_false(database_connect(refused, &err));
    assert_string_equal(err.code, "connection_lost");
    assert_null(strstr(err.text, "hunter2"));
}

static void
test_connect_missing_table_is_a_hold_with_its_sqlstate(void **state)
{
    (void)state;
    DatabaseSettings other = settings;
    Error err = {0};
    other.tables.messages = "chat.messages";
    CLEANUP(database_freep) Database *database = postgres_open(&other);
    assert_false(database_connect(database, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.sqlstate, "42P01");
    assert_non_null(strstr(err.text, "chat.messages"));
    assert_false(database_is_lost(database));
}

static void
test_connect_hidden_rows_by_policy_are_an_error(void **state)
{
    (void)state;
    CLEANUP(pg_conn_freep) PgConn *app = postgres_connect();
    postgres_exec(app, "CREATE ROLE cleanup_rls_%d LOGIN",
                  (int)postgres_number(app, "SELECT pg_backend_pid()"));
    char role[64];
    (void)snprintf(role, sizeof(role), "cleanup_rls_%d",
                   (int)postgres_number(app, "SELECT pg_backend_pid()"));
    postgres_exec(app, "GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %s", role);
    postgres_exec(app, "ALTER TABLE messages ENABLE ROW LEVEL SECURITY");
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    DatabaseSettings other = settings;
    Error err = {0};
    int64_t now_us;
    SessionCounts counts;
    other.dsn = dsn;
    Database *database = postgres_open(&other);
    ASSERT_OK(database_begin(database, DATABASE_READ, 0, &now_us, &err), &err);
    assert_false(session_count(database, now_us, "", &counts, &err));
    assert_string_equal(err.sqlstate, "42501");
    database_free(database);
    postgres_exec(app, "ALTER TABLE messages DISABLE ROW LEVEL SECURITY");
    postgres_exec(app, "DROP OWNED BY %s; DROP ROLE %s", role, role);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepare_every_file_against_the_real_schema_succeeds),
        cmocka_unit_test(test_begin_with_clocks_apart_is_a_hold),
        cmocka_unit_test(test_begin_under_other_defaults_is_read_committed_with_timeouts),
        cmocka_unit_test(test_read_that_takes_too_long_is_a_timeout),
        cmocka_unit_test(test_write_in_read_transaction_loses_the_connection),
        cmocka_unit_test(test_exec_on_terminated_backend_is_a_hold_and_next_begin_reconnects),
        cmocka_unit_test(test_begin_on_connection_that_died_idle_reconnects),
        cmocka_unit_test(test_commit_of_failed_transaction_is_an_error),
        cmocka_unit_test(test_exec_without_answer_ends_at_the_deadline),
        cmocka_unit_test(test_error_detail_holds_no_row_values),
        cmocka_unit_test(test_connect_refused_or_unreadable_dsn_is_a_hold_without_the_dsn),
        cmocka_unit_test(test_connect_missing_table_is_a_hold_with_its_sqlstate),
        cmocka_unit_test(test_connect_hidden_rows_by_policy_are_an_error),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

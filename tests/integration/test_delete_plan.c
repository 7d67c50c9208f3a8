/* How the delete of a set goes over the sessions that it was given: once, however many they are. */
#include "tests/support/crowd.h"
#include "worker/repository/database_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    USERS = 200,
};

static DatabaseSettings settings;
static PgConn *app;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    crowd_stop_autovacuum(app);
    crowd_add(app, USERS);
    postgres_exec(app, "ANALYZE");
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

/* All sessions at once, as the worker executes it: the plan holds for all values. */
static PGresult *
explain_delete(Database *database)
{
    Error err = {0};
    int64_t now_us;
    CLEANUP(strbuf_done) StrBuf text = {0};
    PGresult *result = NULL;
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    strbuf_add_format(&text, "PREPARE explained AS %s;",
                      database->names->texts[SQL_SESSION_DELETE]);
    strbuf_add_text(
        &text, "CREATE FUNCTION pg_temp.explain() RETURNS SETOF text LANGUAGE plpgsql AS $$ "
               "DECLARE a record; BEGIN "
               "SELECT array_agg(0) AS requests, array_agg(user_id) AS users, array_agg(id) AS "
               "ids, array_agg(now() AT TIME ZONE 'UTC' - interval '1 day') AS cutoffs INTO a "
               "FROM public.sessions; RETURN QUERY EXECUTE pg_catalog.format("
               "'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE explained(%L, %L, %L, %L, %L)', "
               "a.requests, a.users, a.ids, a.cutoffs, '{public.sessions}'); END $$; "
               "SELECT * FROM pg_temp.explain()");
    ASSERT_OK(pg_conn_exec(database->conn, strbuf_text(&text), &result, &err), &err);
    return result;
}

static void
test_delete_of_many_sessions_reads_no_list_of_them_again_for_each(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(pg_result_freep) PGresult *plan = explain_delete(database);
    size_t lists = 0;
    for (size_t row = 0; row < pg_result_rows(plan); row++) {
        const char *line = pg_result_text(plan, row, 0);
        if (strstr(line, "CTE Scan on ") == NULL || strstr(line, "never executed") != NULL)
            continue;
        lists++;
        if (strstr(line, "loops=1)") == NULL)
            fail_msg("%s", line);
    }
    assert_in_range(lists, 4, 64);
    database_rollback(database);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delete_of_many_sessions_reads_no_list_of_them_again_for_each),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

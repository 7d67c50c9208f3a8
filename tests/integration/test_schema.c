#include "tests/support/application.h"

#include "worker/repository/schema_repository.h"
#include "worker/repository/sql_files.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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
migrate(const DatabaseSettings *using, int *ret_before, int *ret_after)
{
    Error err = {0};
    CLEANUP(database_freep) Database *database = postgres_open(using);
    ASSERT_OK(schema_migrate(database, ret_before, ret_after, &err), &err);
}

static void
test_migrate_twice_changes_nothing_the_second_time(void **state)
{
    (void)state;
    int before;
    int after;
    postgres_exec(app, "DROP SCHEMA cleanup_worker CASCADE");
    migrate(&settings, &before, &after);
    assert_int_equal(before, 0);
    assert_int_equal(after, SQL_MIGRATION_COUNT);
    migrate(&settings, &before, &after);
    assert_int_equal(before, SQL_MIGRATION_COUNT);
    assert_int_equal(after, SQL_MIGRATION_COUNT);
}

static void
test_migrate_without_the_applications_tables_succeeds(void **state)
{
    (void)state;
    int before;
    int after;
    DatabaseSettings other = settings;
    other.tables.sessions = "not_there_yet";
    postgres_exec(app, "DROP SCHEMA cleanup_worker CASCADE");
    migrate(&other, &before, &after);
    assert_int_equal(after, SQL_MIGRATION_COUNT);
}

enum {
    VERSION_OF_FOUR_COUNTS = 4, /* the last with a column for each count of a range */
};

static void
test_migrate_while_long_commands_are_under_way_keeps_what_they_have_done(void **state)
{
    (void)state;
    int before;
    int after;
    postgres_exec(app, "DROP SCHEMA cleanup_worker CASCADE");
    for (int version = 1; version <= VERSION_OF_FOUR_COUNTS; version++) {
        postgres_exec(app, "%s", sql_migrations[version - 1].text);
        postgres_exec(app, "INSERT INTO cleanup_worker.schema_version VALUES (%d, '')", version);
    }
    postgres_exec(app,
                  "INSERT INTO cleanup_worker.ledger_range VALUES "
                  "('a', 'sessions', 0, 1, 'running', 'u', 's', 7, 8, 9, 0, 2, NULL, '', '', '', "
                  "true, 11, 12, 'low', 'high'), "
                  "('a', 'bookings', 0, 1, 'last_pass', '', '', 0, 0, 0, 5, 0, 3, '', '', '', "
                  "false, 0, NULL, '', '')");
    postgres_exec(
        app, "INSERT INTO cleanup_worker.ledger_skipped VALUES ('a', 'sessions', 's', 'u', 0)");
    postgres_exec(app,
                  "INSERT INTO cleanup_worker.ledger VALUES ('a', 'scheduled_cleanup', "
                  "'failed', 'commands', 0, 1, 2, 0, 'w', 1, 1, 1, 2, 1, true, 'why', 'what')");
    migrate(&settings, &before, &after);
    assert_int_equal(before, VERSION_OF_FOUR_COUNTS);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger WHERE "
                                          "(reason_text, result_text) = ('why', 'what') "
                                          "AND num_nulls(content, reason, result) = 3"),
                     1);
    assert_int_equal(after, SQL_MIGRATION_COUNT);
    assert_int_equal(
        postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_range WHERE "
                             "(target, state, counts, skipped, by_id, rows_done, cursor_minor) IN "
                             "(('sessions', 'running', '{7,8,9}', 2, true, 11, 's'), "
                             "('bookings', 'last_pass', '{5}', 0, false, 0, ''))"),
        2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped "
                                          "WHERE target = 'sessions' AND item = 's'"),
                     1);
}

typedef struct Migration {
    Database *database;
    bool done;
    Error err;
} Migration;

static void *
migrate_in_thread(void *argument)
{
    Migration *migration = argument;
    int before;
    int after;
    migration->done = schema_migrate(migration->database, &before, &after, &migration->err);
    return NULL;
}

static void
test_migrate_from_two_places_at_once_succeeds_in_both(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        pthread_t threads[2];
        Migration migrations[2] = {0};
        postgres_exec(app, "DROP SCHEMA cleanup_worker CASCADE");
        for (int i = 0; i < 2; i++) {
            migrations[i].database = postgres_open(&settings);
            assert_int_equal(pthread_create(&threads[i], NULL, migrate_in_thread, &migrations[i]),
                             0);
        }
        for (int i = 0; i < 2; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            ASSERT_OK(migrations[i].done, &migrations[i].err);
            database_free(migrations[i].database);
        }
        assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.schema_version"),
                         SQL_MIGRATION_COUNT);
    }
}

static void
test_migrate_newer_schema_is_refused(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    int before = -7;
    int after = -7;
    postgres_exec(app, "INSERT INTO cleanup_worker.schema_version VALUES (999, 'future')");
    assert_false(schema_migrate(database, &before, &after, &err));
    assert_int_equal(err.kind, ERROR_REJECT);
    assert_int_equal(before, -7);
    assert_int_equal(after, -7);
    assert_non_null(strstr(err.text, "999"));
    postgres_exec(app, "DELETE FROM cleanup_worker.schema_version WHERE version = 999");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_migrate_twice_changes_nothing_the_second_time),
        cmocka_unit_test(test_migrate_without_the_applications_tables_succeeds),
        cmocka_unit_test(test_migrate_while_long_commands_are_under_way_keeps_what_they_have_done),
        cmocka_unit_test(test_migrate_from_two_places_at_once_succeeds_in_both),
        cmocka_unit_test(test_migrate_newer_schema_is_refused),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

#include "tests/support/application.h"

#include "worker/repository/schema_repository.h"
#include "worker/repository/sql_files.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static DatabaseSettings settings;
static PgConn *app;
static char role[48];

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    (void)snprintf(role, sizeof(role), "cleanup_test_role_%d", (int)getpid());
    postgres_exec(app, "CREATE ROLE %s LOGIN", role);
    return failed;
}

static int
teardown(void **state)
{
    postgres_exec(app, "DROP OWNED BY %s; DROP ROLE %s", role, role);
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
    migrate(&settings, &before, &after);
    assert_int_equal(before, VERSION_OF_FOUR_COUNTS);
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
    assert_false(schema_check(database, &err));
    assert_int_equal(err.kind, ERROR_REJECT);
    assert_non_null(strstr(err.text, "999"));
    postgres_exec(app, "DELETE FROM cleanup_worker.schema_version WHERE version = 999");
}

static void
check_passes(const DatabaseSettings *using)
{
    Error err = {0};
    CLEANUP(database_freep) Database *database = postgres_open(using);
    ASSERT_OK(schema_check(database, &err), &err);
}

/* The check refuses, and its text names `statement`. */
static void
check_refuses(const DatabaseSettings *using, const char *statement)
{
    Error err = {0};
    CLEANUP(database_freep) Database *database = postgres_open(using);
    assert_false(schema_check(database, &err));
    assert_int_equal(err.kind, ERROR_REJECT);
    if (strstr(err.text, statement) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, statement);
}

static void
test_check_of_the_sample_passes(void **state)
{
    (void)state;
    check_passes(&settings);
}

static void
test_check_missing_schema_names_migrate(void **state)
{
    (void)state;
    int before;
    int after;
    postgres_exec(app, "DROP SCHEMA cleanup_worker CASCADE");
    check_refuses(&settings, "cleanup-worker migrate");
    migrate(&settings, &before, &after);
}

static void
test_check_missing_table_or_column_is_refused(void **state)
{
    (void)state;
    DatabaseSettings other = settings;
    other.tables.bookings = "reservations";
    check_refuses(&other, "set tables.bookings");
    postgres_exec(app, "ALTER TABLE bookings RENAME updated_at TO changed_at");
    check_refuses(&settings, "ALTER TABLE public.bookings ADD COLUMN updated_at timestamp");
    postgres_exec(app, "ALTER TABLE bookings RENAME changed_at TO updated_at");
    check_passes(&settings);
}

static void
test_check_missing_label_of_the_status_names_the_statement(void **state)
{
    (void)state;
    static const char *const labels[] = {"Pending", "Expired"};
    char statement[80];
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        postgres_exec(app, "ALTER TYPE booking_status RENAME VALUE '%s' TO 'other'", labels[i]);
        (void)snprintf(statement, sizeof(statement),
                       "run: ALTER TYPE public.booking_status ADD VALUE '%s'", labels[i]);
        check_refuses(&settings, statement);
        postgres_exec(app, "ALTER TYPE booking_status RENAME VALUE 'other' TO '%s'", labels[i]);
        check_passes(&settings);
    }
}

static void
test_check_status_of_another_type_than_the_sample_is_judged_by_its_own(void **state)
{
    (void)state;
    DatabaseSettings other = settings;
    other.tables.bookings = "trips";
    postgres_exec(app, "CREATE TABLE trips (LIKE bookings INCLUDING DEFAULTS); ALTER TABLE trips "
                       "ALTER COLUMN status DROP DEFAULT, ALTER COLUMN status TYPE text");
    check_passes(&other);
    postgres_exec(app, "CREATE TYPE \"Trip\" AS ENUM ('Pending'); CREATE DOMAIN trip_status AS "
                       "\"Trip\"; ALTER TABLE trips ALTER COLUMN status TYPE trip_status "
                       "USING status::\"Trip\"");
    check_refuses(&other, "run: ALTER TYPE public.\"Trip\" ADD VALUE 'Expired'");
    postgres_exec(app, "DROP TABLE trips; DROP DOMAIN trip_status; DROP TYPE \"Trip\"");
}

/* Replaces the foreign key of messages, checks, and puts it back by the statement of the message.
 */
static void
test_check_foreign_key_missing_deferrable_or_not_valid_is_refused(void **state)
{
    (void)state;
    postgres_exec(app, "ALTER TABLE messages DROP CONSTRAINT messages_user_id_fkey");
    check_refuses(&settings, "ALTER TABLE public.messages ADD FOREIGN KEY (user_id) REFERENCES "
                             "public.users (user_id)");
    postgres_exec(app, "ALTER TABLE messages ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES "
                       "users DEFERRABLE INITIALLY IMMEDIATE");
    check_refuses(&settings, "ALTER TABLE public.messages ALTER CONSTRAINT fk NOT DEFERRABLE");
    postgres_exec(app, "ALTER TABLE messages ALTER CONSTRAINT fk NOT DEFERRABLE");
    check_passes(&settings);
    postgres_exec(app, "ALTER TABLE messages DROP CONSTRAINT fk; ALTER TABLE messages ADD "
                       "CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users NOT VALID");
    check_refuses(&settings, "ALTER TABLE public.messages VALIDATE CONSTRAINT fk");
    postgres_exec(app, "ALTER TABLE messages VALIDATE CONSTRAINT fk");
    check_passes(&settings);
}

static void
test_check_children_without_foreign_key_are_refused(void **state)
{
    (void)state;
    postgres_exec(app, "ALTER TABLE \"imageSent\" DROP CONSTRAINT \"imageSent_session_id_fkey\"");
    check_refuses(&settings, "ALTER TABLE public.\"imageSent\" ADD FOREIGN KEY (session_id) "
                             "REFERENCES public.sessions (id)");
    postgres_exec(app,
                  "ALTER TABLE \"imageSent\" ADD FOREIGN KEY (session_id) REFERENCES sessions");
    check_passes(&settings);
}

static void
test_check_unlisted_reference_is_refused_and_listed_one_accepted(void **state)
{
    (void)state;
    DatabaseSettings other = settings;
    other.tables.session_references = "notes";
    postgres_exec(app, "CREATE TABLE notes (session varchar(64) CONSTRAINT notes_session "
                       "REFERENCES sessions ON DELETE CASCADE)");
    check_refuses(&settings, "tables.session_references");
    check_passes(&other);
    postgres_exec(app, "ALTER TABLE notes ALTER CONSTRAINT notes_session DEFERRABLE");
    check_refuses(&other, "ALTER TABLE public.notes ALTER CONSTRAINT notes_session NOT DEFERRABLE");
    postgres_exec(app, "DROP TABLE notes");
}

static void
test_check_missing_privileges_are_named_one_by_one(void **state)
{
    (void)state;
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    DatabaseSettings other = settings;
    char statement[128];
    static const char *const grants[] = {
        "USAGE ON SCHEMA cleanup_worker",
        "SELECT ON public.users",
        "SELECT ON public.sessions",
        "SELECT ON public.messages",
        "SELECT ON public.\"imageSent\"",
        "SELECT ON public.\"videoSent\"",
        "SELECT ON public.bookings",
        "UPDATE (user_id) ON public.users",
        "UPDATE (id) ON public.sessions",
        "DELETE ON public.sessions",
        "UPDATE (id) ON public.\"imageSent\"",
        "DELETE ON public.\"imageSent\"",
        "UPDATE (id) ON public.\"videoSent\"",
        "DELETE ON public.\"videoSent\"",
        "UPDATE (status, updated_at) ON public.bookings",
    };
    other.dsn = dsn;
    for (size_t i = 0; i < ARRAY_LEN(grants); i++) {
        (void)snprintf(statement, sizeof(statement), "GRANT %s TO", grants[i]);
        check_refuses(&other, statement);
        postgres_exec(app, "GRANT %s TO %s", grants[i], role);
        if (i == 0)
            postgres_exec(app, "GRANT SELECT ON cleanup_worker.schema_version TO %s", role);
    }
    check_refuses(&other, "ON cleanup_worker.ledger TO");
    postgres_exec(app,
                  "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "
                  "cleanup_worker TO %s",
                  role);
    check_passes(&other);
}

static void
test_check_row_security_is_refused(void **state)
{
    (void)state;
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    DatabaseSettings other = settings;
    other.dsn = dsn;
    postgres_exec(app, "GRANT USAGE ON SCHEMA cleanup_worker TO %s", role);
    postgres_exec(app,
                  "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cleanup_worker, "
                  "public TO %s",
                  role);
    postgres_exec(app, "ALTER TABLE messages ENABLE ROW LEVEL SECURITY");
    check_refuses(&other, "BYPASSRLS");
    postgres_exec(app, "ALTER TABLE messages DISABLE ROW LEVEL SECURITY");
    check_passes(&other);
}

static void
test_check_without_server_is_a_hold(void **state)
{
    (void)state;
    DatabaseSettings other = settings;
    Error err = {0};
    other.dsn = "host=127.0.0.1 port=1";
    CLEANUP(database_freep) Database *database = postgres_open(&other);
    assert_false(schema_check(database, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
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
        cmocka_unit_test(test_check_of_the_sample_passes),
        cmocka_unit_test(test_check_missing_schema_names_migrate),
        cmocka_unit_test(test_check_missing_table_or_column_is_refused),
        cmocka_unit_test(test_check_missing_label_of_the_status_names_the_statement),
        cmocka_unit_test(test_check_status_of_another_type_than_the_sample_is_judged_by_its_own),
        cmocka_unit_test(test_check_foreign_key_missing_deferrable_or_not_valid_is_refused),
        cmocka_unit_test(test_check_children_without_foreign_key_are_refused),
        cmocka_unit_test(test_check_unlisted_reference_is_refused_and_listed_one_accepted),
        cmocka_unit_test(test_check_missing_privileges_are_named_one_by_one),
        cmocka_unit_test(test_check_row_security_is_refused),
        cmocka_unit_test(test_check_without_server_is_a_hold),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

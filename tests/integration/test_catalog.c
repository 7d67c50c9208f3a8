/* Server, own schema, tables and columns: what a walk finds, and that its statements mend it. */
#include "tests/support/application.h"
#include "tests/support/look.h"
#include "worker/repository/schema_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static PgConn *app;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
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
test_walk_of_the_sample_finds_all_fine(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    look_passes(&look);
    assert_true(findings_count(&look.findings, FINDING_OK) >= 12);
}

static void
test_walk_without_the_schema_names_migrate_and_looks_at_the_rest(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    Error err = {0};
    int before;
    int after;
    look_init(&look);
    postgres_exec(app, "DROP SCHEMA cleanup_worker CASCADE");
    const Finding *finding = look_find(&look, FINDING_FAIL, "schema_missing", "missing");
    assert_string_equal(finding->mend, "cleanup-worker migrate");
    CLEANUP(database_freep) Database *database = postgres_open(&look.settings);
    ASSERT_OK(schema_migrate(database, &before, &after, &err), &err);
    look_passes(&look);
}

static void
test_walk_over_another_version_of_the_schema_says_which(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "INSERT INTO cleanup_worker.schema_version VALUES (999, 'future')");
    assert_null(look_find(&look, FINDING_FAIL, "schema_new", "999")->mend);
    postgres_exec(app, "DELETE FROM cleanup_worker.schema_version WHERE version = 999");
    postgres_exec(app, "CREATE TABLE kept AS SELECT * FROM cleanup_worker.schema_version "
                       "WHERE version > 2; DELETE FROM cleanup_worker.schema_version "
                       "WHERE version > 2");
    assert_string_equal(look_find(&look, FINDING_FAIL, "schema_old", "version 2")->mend,
                        "cleanup-worker migrate");
    postgres_exec(app, "INSERT INTO cleanup_worker.schema_version SELECT * FROM kept; "
                       "DROP TABLE kept");
    look_passes(&look);
}

static void
test_walk_without_tables_names_all_of_them_at_once(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    look.settings.tables.bookings = "reservations";
    look.settings.tables.users = "no_such.\"Users\"";
    (void)look_find_among(&look, FINDING_FAIL, "table_missing", "reservations");
    (void)look_find_among(&look, FINDING_FAIL, "table_missing", "no_such.\"Users\"");
    assert_int_equal(findings_count(&look.findings, FINDING_FAIL), 2);
    look.settings.tables = postgres_settings().tables;
    look.settings.tables.session_references = "gone";
    (void)look_find_among(&look, FINDING_FAIL, "reference_missing", "there is no table gone");
}

static void
test_walk_over_a_table_in_another_schema_passes(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app,
                  "CREATE SCHEMA \"Other one\"; ALTER TABLE bookings SET SCHEMA \"Other one\"");
    (void)look_find_among(&look, FINDING_FAIL, "table_missing", "bookings");
    look.settings.tables.bookings = "\"Other one\".bookings";
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE \"Other one\".bookings SET SCHEMA public; "
                       "DROP SCHEMA \"Other one\"");
}

static void
test_walk_without_columns_names_all_of_them_and_mends(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "ALTER TABLE bookings RENAME updated_at TO changed_at; "
                       "ALTER TABLE messages RENAME sender TO author");
    (void)look_find_among(&look, FINDING_FAIL, "column_missing",
                          "public.messages has no column sender");
    const Finding *finding = look_find_among(&look, FINDING_FAIL, "column_missing",
                                             "public.bookings has no column updated_at");
    look_apply(&look, app, finding);
    postgres_exec(app, "ALTER TABLE messages RENAME author TO sender");
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE bookings DROP updated_at; "
                       "ALTER TABLE bookings RENAME changed_at TO updated_at");
}

/* Changes the type, finds it, and changes it back. */
static void
assert_type_fails(const char *table, const char *column, const char *type, const char *back)
{
    CLEANUP(look_done) Look look;
    char text[160];
    look_init(&look);
    postgres_exec(app,
                  "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %s TYPE %s USING "
                  "NULL::%s",
                  table, column, column, type, type);
    (void)snprintf(text, sizeof(text), "%s is %s, the worker takes", column, type);
    (void)look_find_among(&look, FINDING_FAIL, "column_type", text);
    postgres_exec(app, "ALTER TABLE %s ALTER COLUMN %s TYPE %s USING NULL::%s", table, column, back,
                  back);
    look_passes(&look);
}

static void
test_walk_over_a_column_of_another_type_names_found_and_taken(void **state)
{
    (void)state;
    assert_type_fails("bookings", "booking_id", "bigint", "text");
    assert_type_fails("bookings", "booking_id", "uuid", "text");
    assert_type_fails("bookings", "total_cost", "money", "numeric(10,2)");
    assert_type_fails("bookings", "created_at", "bigint", "timestamp");
    assert_type_fails("bookings", "created_at", "interval", "timestamp");
    assert_type_fails("sessions", "created_at", "time without time zone", "timestamp");
    assert_type_fails("messages", "\"timestamp\"", "double precision", "timestamp");
    assert_type_fails("messages", "sender", "integer", "varchar(10)");
}

static void
test_walk_over_keys_of_another_type_finds_each_of_them(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app,
                  "CREATE SCHEMA other; CREATE TABLE other.users (user_id bigint PRIMARY KEY); "
                  "CREATE TABLE other.sessions (id uuid PRIMARY KEY, user_id bigint NOT NULL "
                  "REFERENCES other.users, created_at timestamp, property_id uuid); "
                  "CREATE INDEX ON other.sessions (user_id)");
    look.settings.tables.users = "other.users";
    look.settings.tables.sessions = "other.sessions";
    (void)look_find_among(&look, FINDING_FAIL, "column_type", "other.users.user_id is bigint");
    (void)look_find_among(&look, FINDING_FAIL, "column_type", "other.sessions.user_id is bigint");
    (void)look_find_among(&look, FINDING_FAIL, "column_type", "other.sessions.id is uuid");
    postgres_exec(app, "DROP SCHEMA other CASCADE");
}

static void
test_walk_over_a_date_or_text_is_mended_by_its_statement(void **state)
{
    (void)state;
    static const char *const types[] = {"date", "text"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CLEANUP(look_done) Look look;
        look_init(&look);
        postgres_exec(app,
                      "ALTER TABLE bookings ALTER COLUMN created_at DROP DEFAULT, "
                      "ALTER COLUMN created_at TYPE %s",
                      types[i]);
        look_mends(&look, app, "column_type", types[i]);
    }
    postgres_exec(app, "ALTER TABLE bookings ALTER COLUMN created_at SET DEFAULT "
                       "(now() AT TIME ZONE 'UTC')");
}

static void
test_walk_takes_instants_domains_and_enums(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app,
                  "CREATE DOMAIN moment AS timestamptz; CREATE TYPE who AS ENUM ('user', 'bot'); "
                  "ALTER TABLE messages DROP CONSTRAINT messages_sender_check; "
                  "ALTER TABLE messages ALTER COLUMN sender TYPE who USING sender::who, "
                  "ALTER COLUMN \"timestamp\" DROP DEFAULT, "
                  "ALTER COLUMN \"timestamp\" TYPE moment USING now(); "
                  "ALTER TABLE bookings ALTER COLUMN created_at SET DEFAULT now(), "
                  "ALTER COLUMN created_at TYPE timestamptz");
    look_passes(&look);
    postgres_exec(app,
                  "ALTER TABLE messages ALTER COLUMN sender TYPE varchar(10), "
                  "ALTER COLUMN \"timestamp\" TYPE timestamp; DROP DOMAIN moment; DROP TYPE who; "
                  "ALTER TABLE bookings ALTER COLUMN created_at TYPE timestamp, "
                  "ALTER COLUMN created_at SET DEFAULT (now() AT TIME ZONE 'UTC')");
    look_passes(&look);
}

static void
test_walk_past_a_lock_says_what_was_not_looked_at(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    CLEANUP(pg_conn_freep) PgConn *other = postgres_connect();
    size_t fine = 0;
    look_init(&look);
    look_passes(&look);
    fine = findings_count(&look.findings, FINDING_OK);
    postgres_exec(other, "BEGIN; LOCK TABLE sessions");
    look_walk(&look);
    assert_int_equal(findings_count(&look.findings, FINDING_FAIL), 0);
    assert_int_equal(findings_count(&look.findings, FINDING_UNKNOWN), 2);
    assert_int_equal(findings_count(&look.findings, FINDING_OK), fine - 1);
    const Finding *finding = findings_first(&look.findings, FINDING_UNKNOWN);
    assert_string_equal(finding->code, "catalog_unread");
    assert_non_null(strstr(finding->what, "lock timeout"));
    postgres_exec(other, "ROLLBACK");
    look_passes(&look);
}

static void
test_walk_over_a_view_is_refused(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "CREATE VIEW trips AS SELECT * FROM bookings");
    look.settings.tables.bookings = "trips";
    (void)look_find_among(&look, FINDING_FAIL, "table_kind", "a view");
    postgres_exec(app, "DROP VIEW trips");
}

static void
set_for_database(PgConn *conn, const char *name, const char *value)
{
    postgres_exec(conn,
                  "DO $$BEGIN EXECUTE format('ALTER DATABASE %%I SET %s = %s', "
                  "current_database()); END$$",
                  name, value);
}

/* What old applications still set for their database. */
static void
test_walk_does_not_depend_on_how_the_database_reads_strings(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    set_for_database(app, "standard_conforming_strings", "off");
    set_for_database(app, "backslash_quote", "off");
    look_passes(&look);
    set_for_database(app, "standard_conforming_strings", "on");
    set_for_database(app, "backslash_quote", "safe_encoding");
}

static void
test_walk_over_rules_that_rewrite_the_workers_statements_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "CREATE RULE \"soft delete\" AS ON DELETE TO sessions DO INSTEAD NOTHING");
    look_mends(&look, app, "rule", "public.sessions has the rule \"soft delete\" on DELETE");
    postgres_exec(app, "CREATE RULE audit AS ON UPDATE TO bookings DO ALSO NOTHING");
    look_mends(&look, app, "rule", "public.bookings has the rule audit on UPDATE");
    postgres_exec(app, "CREATE RULE other AS ON UPDATE TO sessions DO ALSO NOTHING");
    look_passes(&look);
    postgres_exec(app, "DROP RULE other ON sessions");
}

static void
test_walk_over_an_inherited_table_is_mended_and_partitions_are_fine(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "CREATE TABLE \"old messages\" () INHERITS (messages)");
    look_mends(&look, app, "inheritance", "\"old messages\" inherits from public.messages");
    postgres_exec(app, "DROP TABLE \"old messages\"; CREATE TABLE parted (LIKE messages INCLUDING "
                       "DEFAULTS, FOREIGN KEY (user_id) REFERENCES users) PARTITION BY RANGE (id); "
                       "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100); "
                       "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200); "
                       "CREATE INDEX ON parted (user_id, \"timestamp\")");
    look.settings.tables.messages = "parted";
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE parted_2 DISABLE TRIGGER ALL");
    look_mends(&look, app, "foreign_key_disabled", "public.parted");
    postgres_exec(app, "DROP TABLE parted");
}

static void
test_walk_over_row_security_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    char role[APPLICATION_ROLE_BYTES];
    look_init(&look);
    application_add_role(app, role);
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    look.settings.dsn = dsn;
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE messages ENABLE ROW LEVEL SECURITY");
    look_apply(&look, app, look_find_among(&look, FINDING_FAIL, "row_security", "public.messages"));
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE messages DISABLE ROW LEVEL SECURITY");
    application_drop_role(app, role);
}

static void
test_walk_of_a_read_only_role_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    char role[APPLICATION_ROLE_BYTES];
    look_init(&look);
    application_add_role(app, role);
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    look.settings.dsn = dsn;
    postgres_exec(app, "ALTER ROLE %s SET default_transaction_read_only = on", role);
    look_mends(&look, app, "server_read_only", "read only");
    application_drop_role(app, role);
}

/* The server ends a session some time after its client did, and counts it until then. */
static void
wait_for_end_of_sessions(const char *role)
{
    char query[160];
    assert_true(snprintf(query, sizeof(query),
                         "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = '%s'",
                         role) < (int)sizeof(query));
    postgres_wait_until(app, query);
}

static void
test_walk_of_a_role_with_too_few_connections_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    char role[APPLICATION_ROLE_BYTES];
    look_init(&look);
    application_add_role(app, role);
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    look.settings.dsn = dsn;
    look.settings.connections = 5;
    look_passes(&look);
    postgres_exec(app, "ALTER ROLE %s CONNECTION LIMIT 4", role);
    look_apply(&look, app,
               look_find(&look, FINDING_WARN, "connection_limit",
                         "may have 4 connections, one worker has 5"));
    look_passes(&look);
    postgres_exec(app, "ALTER ROLE %s CONNECTION LIMIT 1", role);
    wait_for_end_of_sessions(role);
    (void)look_find(&look, FINDING_WARN, "connection_limit", "may have 1 connection, one");
    look.settings.connections = 0;
    wait_for_end_of_sessions(role);
    look_passes(&look);
    application_drop_role(app, role);
}

static void
test_walk_of_a_database_with_too_few_connections_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    char role[APPLICATION_ROLE_BYTES];
    look_init(&look);
    application_add_role(app, role);
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    look.settings.dsn = dsn;
    look.settings.connections = 300;
    postgres_exec(app, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I CONNECTION LIMIT 299', "
                       "current_database()); END $$");
    look_apply(&look, app,
               look_find(&look, FINDING_WARN, "connection_limit",
                         "may have 299 connections, one worker has 300"));
    look_passes(&look);
    postgres_exec(app, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I CONNECTION LIMIT -1', "
                       "current_database()); END $$");
    application_drop_role(app, role);
}

/* Half an hour behind PostgreSQL's. */
static int64_t
read_slow_clock(void *state)
{
    (void)state;
    return clock_now_us(clock_system()) - 1800 * CLOCK_US_PER_SECOND;
}

static void
test_walk_with_clocks_apart_says_how_far(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    Error err = {0};
    const DatabaseSettings settings = postgres_settings();
    const CatalogNeeds needs = {.is_start = true};
    const Clock slow = {.now_us = read_slow_clock, .monotonic_ms = NULL};
    CLEANUP(database_freep) Database *database = database_new(&settings, &slow);
    ASSERT_OK(catalog_walk(database, &needs, &findings, &err), &err);
    const Finding *finding = findings_first(&findings, FINDING_FAIL);
    assert_non_null(finding);
    assert_string_equal(finding->code, "clock_skew");
    assert_non_null(strstr(finding->what, "1800."));
}

static void
test_walk_without_a_server_is_a_hold(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    Error err = {0};
    DatabaseSettings settings = postgres_settings();
    const CatalogNeeds needs = {.is_start = true};
    settings.dsn = "host=127.0.0.1 port=1";
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    assert_false(catalog_walk(database, &needs, &findings, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_of_the_sample_finds_all_fine),
        cmocka_unit_test(test_walk_without_the_schema_names_migrate_and_looks_at_the_rest),
        cmocka_unit_test(test_walk_over_another_version_of_the_schema_says_which),
        cmocka_unit_test(test_walk_without_tables_names_all_of_them_at_once),
        cmocka_unit_test(test_walk_over_a_table_in_another_schema_passes),
        cmocka_unit_test(test_walk_without_columns_names_all_of_them_and_mends),
        cmocka_unit_test(test_walk_over_a_column_of_another_type_names_found_and_taken),
        cmocka_unit_test(test_walk_over_keys_of_another_type_finds_each_of_them),
        cmocka_unit_test(test_walk_over_a_date_or_text_is_mended_by_its_statement),
        cmocka_unit_test(test_walk_takes_instants_domains_and_enums),
        cmocka_unit_test(test_walk_past_a_lock_says_what_was_not_looked_at),
        cmocka_unit_test(test_walk_over_a_view_is_refused),
        cmocka_unit_test(test_walk_does_not_depend_on_how_the_database_reads_strings),
        cmocka_unit_test(test_walk_over_rules_that_rewrite_the_workers_statements_is_mended),
        cmocka_unit_test(test_walk_over_row_security_is_mended),
        cmocka_unit_test(test_walk_over_an_inherited_table_is_mended_and_partitions_are_fine),
        cmocka_unit_test(test_walk_over_row_security_is_mended),
        cmocka_unit_test(test_walk_of_a_read_only_role_is_mended),
        cmocka_unit_test(test_walk_of_a_role_with_too_few_connections_is_mended),
        cmocka_unit_test(test_walk_of_a_database_with_too_few_connections_is_mended),
        cmocka_unit_test(test_walk_with_clocks_apart_says_how_far),
        cmocka_unit_test(test_walk_without_a_server_is_a_hold),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

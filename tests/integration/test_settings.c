/* What a role or a database has set, at its worst: every task does the same, and triggers of the
 * application meet what they meet by hand. */
#include "tests/support/every_task.h"

#include "worker/repository/catalog.h"
#include "worker/repository/database_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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
    return failed;
}

static int
begin(void **state)
{
    (void)state;
    app = postgres_connect();
    every_task_fill(app);
    return 0;
}

static void
alter_database(const char *change)
{
    postgres_exec(app,
                  "DO $do$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %%I %%s', "
                  "pg_catalog.current_database(), $change$%s$change$); END $do$",
                  change);
}

static int
end(void **state)
{
    (void)state;
    alter_database("RESET ALL");
    postgres_exec(app, "DROP TRIGGER IF EXISTS audit ON public.sessions; "
                       "DROP SCHEMA IF EXISTS shadow CASCADE; DROP SCHEMA IF EXISTS other CASCADE; "
                       "DROP FUNCTION IF EXISTS public.audit() CASCADE");
    pg_conn_free(app);
    return 0;
}

static void
test_every_task_under_the_worst_settings_does_the_same(void **state)
{
    static const char *const worst[] = {
        "SET search_path = pg_temp",
        "SET row_security = off",
        "SET synchronous_commit = off",
        "SET default_transaction_read_only = on",
        "SET default_transaction_isolation = 'serializable'",
        "SET default_transaction_deferrable = on",
        "SET statement_timeout = '100ms'",
        "SET lock_timeout = '1ms'",
        "SET idle_in_transaction_session_timeout = '50ms'",
        "SET TimeZone = 'America/New_York'",
        "SET DateStyle = 'SQL, DMY'",
        "SET IntervalStyle = 'sql_standard'",
        "SET bytea_output = 'escape'",
        "SET extra_float_digits = -15",
        "SET standard_conforming_strings = off",
        "SET backslash_quote = on",
        "SET client_encoding = 'LATIN1'",
        "SET transform_null_equals = on",
        "SET array_nulls = off",
        "SET quote_all_identifiers = on",
        "SET gin_fuzzy_search_limit = 1",
        "SET client_min_messages = error",
        "SET exit_on_error = on",
        "SET xmloption = document",
        "SET plan_cache_mode = force_custom_plan",
        "SET enable_indexscan = off",
        "SET enable_bitmapscan = off",
        "SET enable_nestloop = off",
        "SET enable_hashjoin = off",
        "SET enable_sort = off",
        "SET enable_material = off",
        "SET enable_tidscan = off",
        "SET jit_above_cost = 0",
        "SET jit_optimize_above_cost = -1",
        "SET jit_inline_above_cost = -1",
        "SET from_collapse_limit = 1",
        "SET join_collapse_limit = 1",
        "SET work_mem = '64kB'",
        "SET temp_file_limit = '1MB'",
    };
    (void)state;
    DatabaseSettings qualified = settings;
    qualified.tables.users = "public.users";
    qualified.tables.sessions = "public.sessions";
    qualified.tables.messages = "public.messages";
    qualified.tables.image_sent = "public.\"imageSent\"";
    qualified.tables.video_sent = "public.\"videoSent\"";
    qualified.tables.bookings = "public.bookings";
    for (size_t i = 0; i < ARRAY_LEN(worst); i++)
        alter_database(worst[i]);
    every_task_run(app, &qualified);
}

static void
test_every_task_under_a_path_of_shadows_uses_pg_catalog(void **state)
{
    (void)state;
    postgres_exec_file(app, SOURCE_DIR "/tests/support/shadows.sql");
    alter_database("SET search_path = shadow, pg_catalog, public");
    every_task_run(app, &settings);
}

/* These run with pg_catalog before all other schemas. */
static bool
is_of_the_walk(const char *name)
{
    static const char *const others[] = {"catalog_tables", "catalog_fingerprint",
                                         "catalog_column_zones"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(name, others[i]) == 0)
            return false;
    }
    return strncmp(name, "catalog_", strlen("catalog_")) == 0;
}

static void
test_walk_under_a_path_of_shadows_finds_nothing_amiss(void **state)
{
    (void)state;
    static const CatalogNeeds needs = {.is_start = true};
    CLEANUP(findings_done) Findings findings = {0};
    Error err = {0};
    postgres_exec_file(app, SOURCE_DIR "/tests/support/shadows.sql");
    alter_database("SET search_path = shadow, pg_catalog, public");
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    ASSERT_OK(catalog_walk(database, &needs, &findings, &err), &err);
    assert_true(findings.count > 5);
    for (size_t i = 0; i < findings.count; i++) {
        if (findings.list[i].level == FINDING_FAIL || findings.list[i].level == FINDING_UNKNOWN)
            fail_msg("%s: %s", findings.list[i].code, findings.list[i].what);
    }
}

static void
test_walk_of_a_replica_is_a_failure_that_names_the_setting(void **state)
{
    (void)state;
    static const CatalogNeeds needs = {.is_start = true};
    CLEANUP(findings_done) Findings findings = {0};
    Error err = {0};
    bool found = false;
    alter_database("SET session_replication_role = replica");
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    ASSERT_OK(catalog_walk(database, &needs, &findings, &err), &err);
    for (size_t i = 0; i < findings.count; i++)
        found |= findings.list[i].level == FINDING_FAIL &&
                 finding_is(&findings.list[i], "replication_role");
    assert_true(found);
}

static void
test_every_file_under_a_path_of_shadows_prepares(void **state)
{
    (void)state;
    Error err = {0};
    postgres_exec_file(app, SOURCE_DIR "/tests/support/shadows.sql");
    alter_database("SET search_path = shadow, pg_catalog, public");
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    ASSERT_OK(database_connect(database, &err), &err);
    for (int i = 0; i < SQL_COUNT; i++) {
        if (is_of_the_walk(sql_files[i].name))
            continue;
        if (i == SQL_LEDGER_COPY)
            postgres_copy_nothing(database->conn, sql_files[i].text);
        else if (!pg_conn_prepare(database->conn, sql_files[i].name, database->names->texts[i],
                                  &err))
            fail_msg("%s: %s", sql_files[i].name, err.text);
    }
}

/* The trigger of an application; deferred, so that it runs within the commit. */
static void
add_audit(const char *insert)
{
    postgres_exec(app,
                  "CREATE SCHEMA other; CREATE TABLE other.audit (id text, setting text); "
                  "CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS "
                  "$$BEGIN %s; RETURN OLD; END$$; "
                  "CREATE CONSTRAINT TRIGGER audit AFTER DELETE ON sessions DEFERRABLE INITIALLY "
                  "DEFERRED FOR EACH ROW EXECUTE FUNCTION public.audit()",
                  insert);
}

/* What the trigger noted of each session that a set and a long command deleted. */
static void
assert_audited(const char *setting)
{
    every_task_run(app, &settings);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM other.audit"), 3);
    assert_int_equal(
        postgres_number(app, "SELECT count(*) FROM other.audit WHERE setting = '%s'", setting), 3);
}

static void
test_trigger_that_needs_the_search_path_meets_it(void **state)
{
    (void)state;
    add_audit("INSERT INTO audit VALUES (OLD.id, current_setting('search_path'))");
    alter_database("SET search_path = public, other");
    assert_audited("public, other");
}

static void
test_trigger_meets_row_security_and_date_style_of_the_role(void **state)
{
    (void)state;
    add_audit("INSERT INTO other.audit VALUES (OLD.id, current_setting('row_security') || ' ' || "
              "current_setting('DateStyle'))");
    alter_database("SET DateStyle = 'SQL, DMY'");
    assert_audited("on SQL, DMY");
}

static void
assert_commits(const char *configured, const char *seen)
{
    char change[64];
    postgres_exec(app, "TRUNCATE other.audit");
    every_task_fill(app);
    (void)snprintf(change, sizeof(change), "SET synchronous_commit = %s", configured);
    alter_database(change);
    assert_audited(seen);
}

static void
test_asynchronous_commit_is_overruled_and_other_settings_stay(void **state)
{
    (void)state;
    add_audit("INSERT INTO other.audit VALUES (OLD.id, current_setting('synchronous_commit'))");
    assert_commits("off", "on");
    assert_commits("local", "local");
    assert_commits("remote_write", "remote_write");
    assert_commits("remote_apply", "remote_apply");
}

static void
test_begin_as_a_replica_is_a_hold(void **state)
{
    (void)state;
    Error err = {0};
    int64_t now_us;
    alter_database("SET session_replication_role = replica");
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    assert_false(database_begin(database, DATABASE_WRITE, 0, &now_us, &err));
    assert_int_equal(err.reason, REASON_SETTING_UNFIT);
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_false(pg_conn_in_transaction(database->conn));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_task_under_the_worst_settings_does_the_same,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_every_task_under_a_path_of_shadows_uses_pg_catalog,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_walk_under_a_path_of_shadows_finds_nothing_amiss,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_walk_of_a_replica_is_a_failure_that_names_the_setting,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_every_file_under_a_path_of_shadows_prepares, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_trigger_that_needs_the_search_path_meets_it, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_trigger_meets_row_security_and_date_style_of_the_role,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            test_asynchronous_commit_is_overruled_and_other_settings_stay, begin, end),
        cmocka_unit_test_setup_teardown(test_begin_as_a_replica_is_a_hold, begin, end),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

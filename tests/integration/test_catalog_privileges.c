/* Privileges: all that are missing at once, and that exactly those named are enough. */
#include "tests/support/application.h"
#include "tests/support/look.h"
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

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

/* A role that may log in, in a database that lets nobody look around by itself. */
static void
begin_role(Look *look, char role[APPLICATION_ROLE_BYTES], char **ret_dsn)
{
    look_init(look);
    application_add_role(app, role);
    postgres_exec(app, "DROP OWNED BY %s; REVOKE ALL ON SCHEMA public FROM PUBLIC", role);
    *ret_dsn = postgres_dsn(role);
    look->settings.dsn = *ret_dsn;
}

static void
end_role(const char *role)
{
    postgres_exec(app, "GRANT USAGE ON SCHEMA public TO PUBLIC");
    application_drop_role(app, role);
}

/* Also as migrate --grant-to does it. */
static void
grant_all(Look *look, const char *role)
{
    CLEANUP(findings_done) Findings missing = {0};
    CLEANUP(findings_done) Findings failed = {0};
    Error err = {0};
    int64_t done;
    DatabaseSettings owner = look->settings;
    owner.dsn = postgres_settings().dsn;
    CLEANUP(database_freep) Database *database = postgres_open(&owner);
    ASSERT_OK(catalog_find_privileges(database, role, &missing, &err), &err);
    ASSERT_OK(catalog_mend(database, &missing, &done, &failed, &err), &err);
    assert_int_equal(failed.count, 0);
    findings_done(&missing);
    ASSERT_OK(catalog_find_privileges(database, role, &missing, &err), &err);
    assert_int_equal(missing.count, 0);
}

static void
test_walk_of_a_bare_role_names_all_it_lacks_at_once(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    CLEANUP(findings_done) Findings first = {0};
    CLEANUP(autofree) char *dsn = NULL;
    char role[APPLICATION_ROLE_BYTES];
    begin_role(&look, role, &dsn);
    look_walk(&look);
    first = look.findings;
    look.findings = (Findings){0};
    for (size_t i = 0; i < first.count; i++) {
        if (first.list[i].level == FINDING_FAIL)
            assert_string_equal(first.list[i].code, "privilege_missing");
        if (first.list[i].mend != NULL)
            look_apply(&look, app, &first.list[i]);
    }
    look_passes(&look);
    end_role(role);
}

static void
test_walk_with_one_privilege_less_names_that_one(void **state)
{
    (void)state;
    static const char *const privileges[] = {
        "USAGE ON SCHEMA cleanup_worker",
        "SELECT ON cleanup_worker.schema_version",
        "INSERT ON cleanup_worker.ledger",
        "DELETE ON cleanup_worker.ledger_range",
        "USAGE ON SCHEMA public",
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
        "SELECT ON public.notes",
    };
    CLEANUP(look_done) Look look;
    CLEANUP(autofree) char *dsn = NULL;
    char role[APPLICATION_ROLE_BYTES];
    char grant[160];
    begin_role(&look, role, &dsn);
    look.settings.tables.session_references = "notes";
    postgres_exec(app, "CREATE TABLE notes (session varchar(64) REFERENCES sessions, secret text); "
                       "CREATE INDEX ON notes (session)");
    grant_all(&look, role);
    look_passes(&look);
    for (size_t i = 0; i < ARRAY_LEN(privileges); i++) {
        postgres_exec(app, "REVOKE %s FROM %s", privileges[i], role);
        look_walk(&look);
        const Finding *finding = findings_first(&look.findings, FINDING_FAIL);
        (void)snprintf(grant, sizeof(grant), "GRANT %s TO %s;", privileges[i], role);
        assert_non_null(finding);
        assert_string_equal(finding->mend, grant);
        look_mends(&look, app, "privilege_missing", "lacks");
    }
    postgres_exec(app, "DROP TABLE notes");
    end_role(role);
}

static void
run(TestWorker *worker, const char *id, const char *task)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    TaskOutcome outcome = {0};
    sent_make_task(&sent, 1, id, task);
    worker_run(worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    task_outcome_done(&outcome);
}

/* What a worker does with exactly the privileges that are asked for. */
static void
test_role_with_exactly_these_privileges_can_do_the_work(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    CLEANUP(autofree) char *dsn = NULL;
    char role[APPLICATION_ROLE_BYTES];
    begin_role(&look, role, &dsn);
    grant_all(&look, role);
    look_passes(&look);
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    application_add_booking(app, "b1", "Pending", 5);
    CLEANUP(worker_done) TestWorker worker;
    worker_open(&worker, &look.settings, "w1");
    run(&worker, "preview", "get_inactive_sessions_preview");
    run(&worker, "bookings", "get_expired_bookings_preview");
    run(&worker, "clean", "scheduled_cleanup");
    assert_int_equal(application_count_sessions(app), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired'"),
                     1);
    application_add_session(app, "again", 1, 48);
    CLEANUP(sent_done) SentCommand sent = {0};
    TaskOutcome outcome = {0};
    sent_make_for_user(&sent, 9, "user", 1);
    worker_run(&worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    task_outcome_done(&outcome);
    assert_int_equal(application_count_sessions(app), 0);
    assert_int_equal(postgres_number(app,
                                     "SELECT has_table_privilege('%s', 'users', 'DELETE')::int + "
                                     "has_table_privilege('%s', 'bookings', 'DELETE')::int + "
                                     "has_table_privilege('%s', 'messages', 'UPDATE')::int",
                                     role, role, role),
                     0);
    end_role(role);
}

static void
test_find_privileges_of_an_unknown_role_says_so(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings missing = {0};
    Error err = {0};
    const DatabaseSettings settings = postgres_settings();
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    assert_false(catalog_find_privileges(database, "nobody here", &missing, &err));
    assert_non_null(strstr(err.text, "nobody here"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_of_a_bare_role_names_all_it_lacks_at_once),
        cmocka_unit_test(test_walk_with_one_privilege_less_names_that_one),
        cmocka_unit_test(test_role_with_exactly_these_privileges_can_do_the_work),
        cmocka_unit_test(test_find_privileges_of_an_unknown_role_says_so),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* What has become worse since the start: it holds what it concerns, before the next batch,
 * until it is mended. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    LATER_MS = 6000, /* than any wait for another look, or of a part that is held */
};

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;

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
start_watch(void)
{
    CLEANUP(findings_done) Findings findings = {0};
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    const CatalogNeeds needs = {.is_start = true};
    Error err = {0};
    ASSERT_OK(catalog_walk(database, &needs, &findings, &err), &err);
    assert_int_equal(findings_count(&findings, FINDING_FAIL), 0);
    ASSERT_OK(catalog_watch_new(&findings, &worker.clock, &worker.settings.catalog, &err), &err);
}

/* Thirty inactive users, batches of ten. */
static int
begin(void **state)
{
    (void)state;
    settings = postgres_settings();
    postgres_clear(app);
    for (int user = 1; user <= 30; user++)
        application_add_user(app, user, 48);
    application_add_booking(app, "b1", "Pending", 5);
    worker_open(&worker, &settings, "w1");
    worker.settings.batch_sessions = 10;
    start_watch();
    return 0;
}

static int
end(void **state)
{
    (void)state;
    catalog_watch_free(worker.settings.catalog);
    worker_done(&worker);
    postgres_exec(app, "DROP TABLE IF EXISTS notes");
    return 0;
}

static bool
check(const char *part, CatalogWatchFor use, Error *err)
{
    return catalog_watch_check(worker.settings.catalog, worker.context.database, part, use, err);
}

static void
assert_holds(const char *part, CatalogWatchFor use, const char *text)
{
    Error err = {0};
    assert_false(check(part, use, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void
assert_passes(const char *part, CatalogWatchFor use)
{
    Error err = {0};
    ASSERT_OK(check(part, use, &err), &err);
}

static void
add_cascade(void)
{
    postgres_exec(app,
                  "CREATE TABLE notes (session varchar(64) REFERENCES sessions ON DELETE CASCADE); "
                  "INSERT INTO notes SELECT id FROM sessions");
}

static void
test_check_without_a_watch_passes(void **state)
{
    (void)state;
    Error err = {0};
    assert_true(catalog_watch_check(NULL, NULL, NULL, CATALOG_WATCH_BEGIN, &err));
}

static void
test_cascade_added_meanwhile_holds_until_it_is_gone(void **state)
{
    (void)state;
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
    add_cascade();
    assert_passes(CATALOG_BOOKINGS, CATALOG_WATCH_BATCH);
    assert_passes(NULL, CATALOG_WATCH_BEGIN);
    assert_holds(CATALOG_SESSIONS, CATALOG_WATCH_BATCH, "public.notes");
    assert_holds(CATALOG_SESSIONS, CATALOG_WATCH_SET, "tables.session_references=public.notes");
    postgres_exec(app, "DROP TABLE notes");
    worker.monotonic_ms += LATER_MS;
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_SET);
}

static void
test_cascade_added_meanwhile_holds_sets_within_a_second(void **state)
{
    (void)state;
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_SET);
    add_cascade();
    worker.monotonic_ms += 1000;
    assert_holds(CATALOG_SESSIONS, CATALOG_WATCH_SET, "public.notes");
}

static void
set_read_only(const char *action)
{
    char statement[160];
    (void)snprintf(statement, sizeof(statement),
                   "DO $$BEGIN EXECUTE format('ALTER DATABASE %%I %s', current_database()); END$$",
                   action);
    postgres_exec(app, "%s", statement);
}

/* As managed databases do when their disk is nearly full; who stays connected does not notice. */
static void
test_read_only_database_holds_until_it_is_not_even_for_a_session_that_began_meanwhile(void **state)
{
    (void)state;
    set_read_only("SET default_transaction_read_only = on");
    database_disconnect(worker.context.database);
    worker.monotonic_ms += LATER_MS;
    assert_holds(NULL, CATALOG_WATCH_BEGIN, "are read only");
    worker.monotonic_ms += LATER_MS;
    assert_holds(CATALOG_SESSIONS, CATALOG_WATCH_BATCH, "are read only");
    set_read_only("RESET default_transaction_read_only");
    worker.monotonic_ms += LATER_MS;
    assert_passes(NULL, CATALOG_WATCH_BEGIN);
}

static void
test_rule_added_meanwhile_holds_the_next_batch(void **state)
{
    (void)state;
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
    postgres_exec(app, "CREATE RULE soft AS ON DELETE TO sessions DO INSTEAD NOTHING");
    assert_holds(CATALOG_SESSIONS, CATALOG_WATCH_BATCH, "has the rule soft on DELETE");
    assert_passes(CATALOG_BOOKINGS, CATALOG_WATCH_BATCH);
    postgres_exec(app, "DROP RULE soft ON sessions");
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
}

static void
test_publication_added_meanwhile_holds_the_next_batch(void **state)
{
    (void)state;
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
    postgres_exec(app, "ALTER TABLE \"imageSent\" REPLICA IDENTITY NOTHING");
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
    postgres_exec(app, "CREATE PUBLICATION p FOR TABLE \"imageSent\"");
    assert_holds(CATALOG_SESSIONS, CATALOG_WATCH_BATCH, "REPLICA IDENTITY DEFAULT");
    assert_passes(CATALOG_BOOKINGS, CATALOG_WATCH_BATCH);
    postgres_exec(app, "DROP PUBLICATION p; ALTER TABLE \"imageSent\" REPLICA IDENTITY DEFAULT");
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
}

static void
test_connection_that_died_while_idle_is_opened_again(void **state)
{
    (void)state;
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
    postgres_exec(app, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
                       "datname = current_database() AND application_name LIKE "
                       "'cleanup-worker%%'");
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
}

static void
test_other_changes_hold_what_begins_later(void **state)
{
    (void)state;
    static const char *const changes[][3] = {
        {"ALTER TABLE messages DISABLE TRIGGER ALL", "ALTER TABLE messages ENABLE TRIGGER ALL",
         "switched off"},
        {"ALTER TABLE messages RENAME sender TO author",
         "ALTER TABLE messages RENAME author TO sender", "no column sender"},
        {"ALTER TABLE sessions RENAME TO visits", "ALTER TABLE visits RENAME TO sessions",
         "no table sessions"},
        {"ALTER TABLE sessions REPLICA IDENTITY NOTHING; CREATE PUBLICATION p FOR ALL TABLES",
         "ALTER TABLE sessions REPLICA IDENTITY DEFAULT; DROP PUBLICATION p",
         "REPLICA IDENTITY DEFAULT"},
        {"UPDATE pg_class SET reltuples = 20000 WHERE relname = 'imageSent'; DROP INDEX "
         "image_sent_session_id",
         "CREATE INDEX image_sent_session_id ON \"imageSent\" (session_id)",
         "CREATE INDEX CONCURRENTLY"},
    };
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        Error ignored = {0};
        postgres_exec(app, "%s", changes[i][0]);
        worker.monotonic_ms += LATER_MS;
        (void)!check(NULL, CATALOG_WATCH_BEGIN, &ignored);
        assert_holds(CATALOG_SESSIONS, CATALOG_WATCH_BATCH, changes[i][2]);
        postgres_exec(app, "%s", changes[i][1]);
        worker.monotonic_ms += LATER_MS;
        assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BATCH);
    }
}

static void
test_warning_of_the_start_never_holds(void **state)
{
    (void)state;
    postgres_exec(app, "DROP INDEX image_sent_session_id");
    catalog_watch_free(worker.settings.catalog);
    start_watch();
    postgres_exec(app, "UPDATE pg_class SET reltuples = 20000 WHERE relname = 'imageSent'");
    worker.monotonic_ms += LATER_MS;
    assert_passes(CATALOG_SESSIONS, CATALOG_WATCH_BEGIN);
    postgres_exec(app, "CREATE INDEX image_sent_session_id ON \"imageSent\" (session_id)");
}

static void
test_look_tells_news_once(void **state)
{
    (void)state;
    Error err = {0};
    Error first = {0};
    bool news;
    CatalogWatch *watch = worker.settings.catalog;
    ASSERT_OK(catalog_watch_look(watch, worker.context.database, &news, &first, &err), &err);
    assert_false(news);
    add_cascade();
    ASSERT_OK(catalog_watch_look(watch, worker.context.database, &news, &first, &err), &err);
    assert_true(news);
    assert_int_equal(first.kind, ERROR_HOLD);
    ASSERT_OK(catalog_watch_look(watch, worker.context.database, &news, &first, &err), &err);
    assert_false(news);
    postgres_exec(app, "DROP TABLE notes");
    ASSERT_OK(catalog_watch_look(watch, worker.context.database, &news, &first, &err), &err);
    assert_true(news);
    assert_int_equal(first.kind, ERROR_NONE);
}

/* Takes a step of which nothing may come but a hold. */
static void
assert_step_holds(const SentCommand *sent, LongCommand *long_command, const char *text)
{
    TaskOutcome outcome = {0};
    Error err = {0};
    const TaskItem item = sent_item(sent);
    const int claim = worker_claim(&worker, long_command);
    const TaskTurn turn = {long_command, claim, NULL};
    assert_false(task_step_long_command(&worker.context, &item, &turn, &outcome, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
    task_outcome_done(&outcome);
}

static void
test_long_command_waits_before_its_next_batch_and_goes_on(void **state)
{
    (void)state;
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(sent_done) SentCommand sent = {0};
    TaskOutcome outcome = {0};
    sent_make_task(&sent, 1, "a", "cleanup_inactive_sessions");
    worker_step(&worker, &sent, long_command, &outcome);
    worker_step(&worker, &sent, long_command, &outcome);
    assert_int_equal(application_count_sessions(app), 20);
    add_cascade();
    assert_step_holds(&sent, long_command, "public.notes");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM notes"), 20);
    postgres_exec(app, "DROP TABLE notes");
    worker.monotonic_ms += LATER_MS;
    worker_finish_long_command(&worker, &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), 30);
    task_outcome_done(&outcome);
}

static void
test_scheduled_cleanup_does_the_half_that_nothing_holds(void **state)
{
    (void)state;
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(sent_done) SentCommand sent = {0};
    TaskOutcome outcome = {0};
    add_cascade();
    sent_make_task(&sent, 1, "a", "scheduled_cleanup");
    worker_step(&worker, &sent, long_command, &outcome);
    for (int step = 0; step < 3; step++) {
        Error err = {0};
        const TaskItem item = sent_item(&sent);
        task_outcome_done(&outcome);
        const TaskTurn turn = {long_command, worker_claim(&worker, long_command), NULL};
        (void)!task_step_long_command(&worker.context, &item, &turn, &outcome, &err);
    }
    task_outcome_done(&outcome);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM notes"), 30);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired'"),
                     1);
}

static void
test_set_waits(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    Error err = {0};
    TaskOutcome outcome = {0};
    add_cascade();
    worker.monotonic_ms += LATER_MS;
    sent_make_for_user(&sent, 1, "a", 1);
    const TaskItem item = sent_item(&sent);
    assert_false(task_run_set(&worker.context, &item, 1, 1, &outcome, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM notes"), 30);
    postgres_exec(app, "DROP TABLE notes");
    worker.monotonic_ms += LATER_MS;
    worker_run(&worker, &sent, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    task_outcome_done(&outcome);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_without_a_watch_passes),
        cmocka_unit_test_setup_teardown(test_cascade_added_meanwhile_holds_until_it_is_gone, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_cascade_added_meanwhile_holds_sets_within_a_second,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            test_read_only_database_holds_until_it_is_not_even_for_a_session_that_began_meanwhile,
            begin, end),
        cmocka_unit_test_setup_teardown(test_rule_added_meanwhile_holds_the_next_batch, begin, end),
        cmocka_unit_test_setup_teardown(test_publication_added_meanwhile_holds_the_next_batch,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_connection_that_died_while_idle_is_opened_again, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_other_changes_hold_what_begins_later, begin, end),
        cmocka_unit_test_setup_teardown(test_warning_of_the_start_never_holds, begin, end),
        cmocka_unit_test_setup_teardown(test_look_tells_news_once, begin, end),
        cmocka_unit_test_setup_teardown(test_long_command_waits_before_its_next_batch_and_goes_on,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_scheduled_cleanup_does_the_half_that_nothing_holds,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_set_waits, begin, end),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

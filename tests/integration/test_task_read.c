/* Previews and dry runs: they change nothing, enter the ledger after the read, and then go by its
 * rules like everything else. */
#include "tests/support/tasks.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PREVIEW "get_inactive_sessions_preview"

static DatabaseSettings settings;
static PgConn *app;
static PgConn *other;
static TestWorker worker;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    PgConn *conn = postgres_connect();
    postgres_exec(conn, "CREATE VIEW slow_sessions AS "
                        "SELECT * FROM sessions WHERE pg_sleep(60) IS NOT NULL");
    pg_conn_free(conn);
    return failed;
}

/* Two inactive sessions, two bookings that have waited too long. */
static int
something_to_find(void **state)
{
    (void)state;
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    application_add_user(app, 1, 48);
    application_add_user(app, 2, 47);
    application_add_user(app, 3, 1);
    application_add_booking(app, "b1", "Pending", 5);
    application_add_booking(app, "b2", "Pending", 4);
    application_add_booking(app, "b3", "Confirmed", 4);
    worker_open(&worker, &settings, "w1");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    worker_done(&worker);
    pg_conn_free(other);
    pg_conn_free(app);
    return 0;
}

/* Every row with the transaction that wrote it. */
static int64_t
application_fingerprint(void)
{
    return postgres_number(
        app, "SELECT hashtextextended(string_agg(row::text, ';' ORDER BY row), 0) FROM ("
             "SELECT s.xmin || s::text AS row FROM sessions s UNION ALL "
             "SELECT i.xmin || i::text FROM \"imageSent\" i UNION ALL "
             "SELECT v.xmin || v::text FROM \"videoSent\" v UNION ALL "
             "SELECT b.xmin || b::text FROM bookings b UNION ALL "
             "SELECT u.xmin || u.xmax::text || u::text FROM users u) rows");
}

static void
test_read_of_each_kind_changes_nothing_and_is_stored(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *path;
        int64_t number;
        const char *message;
    } cases[] = {
        {"{\"task\":\"get_inactive_sessions_preview\"}", "data.total", 2,
         "Found 2 inactive sessions"},
        {"{\"task\":\"get_expired_bookings_preview\"}", "data.total", 2,
         "Found 2 expired pending bookings"},
        {"{\"task\":\"cleanup_inactive_sessions\",\"params\":{\"dry_run\":true}}",
         "data.deleted_image_records", 4, "Would clean up 2 inactive sessions"},
        {"{\"task\":\"cleanup_inactive_sessions_for_user\",\"params\":{\"dry_run\":true,"
         "\"user_id\":\"00000000-0000-4000-8000-000000000001\"}}",
         "data.deleted_sessions", 1,
         "Would clean up 1 inactive sessions for user 00000000-0000-4000-8000-000000000001"},
        {"{\"task\":\"expire_pending_bookings\",\"params\":{\"dry_run\":true}}",
         "data.expired_bookings", 2, "Would mark 2 bookings as Expired"},
        {"{\"task\":\"scheduled_cleanup\",\"params\":{\"dry_run\":true}}",
         "data.booking_expiration.expired_bookings", 2,
         "Session cleanup: Would clean up 2 inactive sessions; "
         "Booking expiration: Would mark 2 bookings as Expired"},
    };
    const int64_t before = application_fingerprint();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(sent_done) SentCommand sent = {0};
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        sent_make(&sent, (int64_t)i, "%s", cases[i].value);
        assert_int_equal(task_shape(&sent.command), TASK_SHAPE_READ);
        worker_run(&worker, &sent, &outcome);
        assert_finished(app, &sent, &outcome, "succeeded");
        assert_int_equal(outcome_number(&outcome, cases[i].path), cases[i].number);
        assert_outcome_text(&outcome, "message", cases[i].message);
    }
    assert_int_equal(application_fingerprint(), before);
}

static void
test_read_redelivered_publishes_the_same_bytes(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand duplicate = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    CLEANUP(task_outcome_done) TaskOutcome absorbed = {0};
    sent_make_task(&sent, 10, "a", PREVIEW);
    sent_make_task(&duplicate, 11, "a", PREVIEW);
    worker_run(&worker, &sent, &first);
    application_add_session(app, "later", 1, 48);
    sent_make_expired(&sent);
    worker_run(&worker, &sent, &second);
    assert_published_again(&second, &first);
    assert_int_equal(outcome_number(&second, "data.total"), 2);
    worker_run(&worker, &duplicate, &absorbed);
    assert_int_equal(absorbed.step, TASK_DUPLICATE);
    assert_null(absorbed.result);
}

static void
test_read_late_command_is_expired_or_older_than_the_ledger(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand expired = {0};
    CLEANUP(sent_done) SentCommand old = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    sent_make_task(&expired, 10, "a", PREVIEW);
    sent_make_expired(&expired);
    worker_run(&worker, &expired, &first);
    assert_finished(app, &expired, &first, "expired");
    assert_outcome_text(&first, "error.code", "expired");
    assert_false(first.dead_letter);
    sent_make_task(&old, 11, "b", PREVIEW);
    sent_make_too_old(&old, TASKS_RETENTION_HOURS);
    worker_run(&worker, &old, &second);
    assert_finished(app, &old, &second, "expired");
    assert_outcome_text(&second, "error.code", "older_than_ledger");
    assert_true(second.dead_letter);
}

/* A preview whose table answers after a minute, under a time-out of half a second; this machine's
 * clock is an hour behind. */
static void
time_out(const SentCommand *sent, TaskOutcome *ret_outcome)
{
    DatabaseSettings slow = settings;
    CLEANUP(worker_done) TestWorker hasty = {0};
    slow.tables.sessions = "slow_sessions";
    worker_open(&hasty, &slow, "w1");
    hasty.settings.preview_timeout_ms = 500;
    hasty.skew_us = -3600 * CLOCK_US_PER_SECOND;
    worker_run(&hasty, sent, ret_outcome);
}

static void
test_read_timed_out_fails_at_once_with_a_dead_letter(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    sent_make_task(&sent, 10, "a", PREVIEW);
    time_out(&sent, &first);
    assert_finished(app, &sent, &first, "failed");
    assert_outcome_text(&first, "error.code", "timeout");
    assert_outcome_text(&first, "error.sqlstate", "57014");
    assert_true(outcome_is_null(&first, "data"));
    assert_int_equal(outcome_number(&first, "attempts"), 1);
    assert_true(first.dead_letter);
    assert_string_equal(first.reason, "Error getting inactive sessions preview: "
                                      "canceling statement due to statement timeout");
    worker_run(&worker, &sent, &second);
    assert_published_again(&second, &first);
}

static void
test_dry_run_timed_out_is_called_what_it_was(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make(&sent, 10, "{\"task\":\"cleanup_inactive_sessions\",\"params\":{\"dry_run\":true}}");
    time_out(&sent, &outcome);
    assert_finished(app, &sent, &outcome, "failed");
    assert_outcome_text(&outcome, "error.code", "timeout");
    assert_outcome_text(&outcome, "message",
                        "Error cleaning up inactive sessions: "
                        "canceling statement due to statement timeout");
}

static void
test_read_timed_out_ends_by_the_databases_clock(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_task(&sent, 10, "a", PREVIEW);
    time_out(&sent, &outcome);
    assert_finished(app, &sent, &outcome, "failed");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger "
                                          "WHERE finished_us > started_us"),
                     1);
    assert_true(outcome_number(&outcome, "duration_ms") > 0);
}

static void
test_read_replay_of_a_failed_one_runs_whatever_its_age(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand replay = {0};
    CLEANUP(task_outcome_done) TaskOutcome failed = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    CLEANUP(task_outcome_done) TaskOutcome again = {0};
    sent_make_task(&sent, 10, "a", PREVIEW);
    time_out(&sent, &failed);
    sent_make_task(&replay, 20, "a", PREVIEW);
    sent_make_replay(&replay, 1);
    sent_make_expired(&replay);
    sent_make_too_old(&replay, TASKS_RETENTION_HOURS);
    worker_run(&worker, &replay, &outcome);
    assert_finished(app, &replay, &outcome, "succeeded");
    assert_int_equal(outcome.replay, 1);
    assert_int_equal(outcome_number(&outcome, "replay"), 1);
    assert_int_equal(outcome_number(&outcome, "source.offset"), 20);
    worker_run(&worker, &sent, &again);
    assert_int_equal(again.step, TASK_DUPLICATE);
}

/* Another thread's preview, which waits for the sessions table. */
typedef struct WaitingRead {
    pthread_t thread;
    TestWorker worker;
    SentCommand sent;
    bool done;
    TaskOutcome outcome;
    Error err;
} WaitingRead;

static void *
read_main(void *argument)
{
    WaitingRead *read = argument;
    const TaskItem item = sent_item(&read->sent);
    read->done = task_run_read(&read->worker.context, &item, 1, &read->outcome, &read->err);
    return NULL;
}

static void
start_waiting_read(WaitingRead *read)
{
    worker_open(&read->worker, &settings, "w2");
    sent_make_task(&read->sent, 10, "a", PREVIEW);
    postgres_exec(other, "BEGIN; LOCK TABLE sessions");
    assert_int_equal(pthread_create(&read->thread, NULL, read_main, read), 0);
    postgres_wait_until(app, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND "
                             "relation = 'sessions'::regclass)");
}

static void
end_waiting_read(WaitingRead *read)
{
    postgres_exec(other, "COMMIT");
    assert_int_equal(pthread_join(read->thread, NULL), 0);
    ASSERT_OK(read->done, &read->err);
}

static void
waiting_read_done(WaitingRead *read)
{
    task_outcome_done(&read->outcome);
    sent_done(&read->sent);
    worker_done(&read->worker);
}

static void
test_read_enters_the_ledger_only_after_the_read(void **state)
{
    (void)state;
    CLEANUP(waiting_read_done) WaitingRead read = {0};
    start_waiting_read(&read);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 0);
    end_waiting_read(&read);
    assert_finished(app, &read.sent, &read.outcome, "succeeded");
}

/* What another worker has stored while the read ran. */
static void
store_meanwhile(const SentCommand *sent, int64_t offset)
{
    postgres_exec(app,
                  "INSERT INTO cleanup_worker.ledger VALUES ('a', '" PREVIEW "', 'succeeded', "
                  "'" SENT_TOPIC "', %d, %d, %lld, 0, 'w3', 1, 1, 1, 2, 1, false, NULL, "
                  "'{\"bytes\":\"of another worker\"}')",
                  SENT_PARTITION, (int)offset, (long long)sent->record.timestamp_ms);
}

static void
test_read_row_stored_meanwhile_goes_by_the_rules(void **state)
{
    (void)state;
    CLEANUP(waiting_read_done) WaitingRead same = {0};
    start_waiting_read(&same);
    store_meanwhile(&same.sent, 10);
    end_waiting_read(&same);
    assert_int_equal(same.outcome.step, TASK_FINISHED);
    assert_string_equal(same.outcome.result, "{\"bytes\":\"of another worker\"}");
    postgres_exec(app, "TRUNCATE cleanup_worker.ledger");
    CLEANUP(waiting_read_done) WaitingRead duplicate = {0};
    start_waiting_read(&duplicate);
    store_meanwhile(&duplicate.sent, 9);
    end_waiting_read(&duplicate);
    assert_int_equal(duplicate.outcome.step, TASK_DUPLICATE);
    assert_int_equal(postgres_number(app,
                                     "SELECT source_offset FROM cleanup_worker.ledger "
                                     "WHERE result_text = '{\"bytes\":\"of another worker\"}'"),
                     9);
}

static void
test_read_without_the_privilege_is_a_hold_and_leaves_no_row(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    TaskOutcome outcome = {0};
    Error err = {0};
    char role[APPLICATION_ROLE_BYTES];
    application_add_role(app, role);
    postgres_exec(app, "REVOKE SELECT ON messages FROM %s", role);
    CLEANUP(autofree) char *dsn = postgres_dsn(role);
    DatabaseSettings poor = settings;
    CLEANUP(worker_done) TestWorker poor_worker = {0};
    poor.dsn = dsn;
    worker_open(&poor_worker, &poor, "w1");
    sent_make_task(&sent, 10, "a", PREVIEW);
    const TaskItem item = sent_item(&sent);
    const bool done = task_run_read(&poor_worker.context, &item, 1, &outcome, &err);
    application_drop_role(app, role);
    assert_false(done);
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.sqlstate, "42501");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, something_to_find, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_read_of_each_kind_changes_nothing_and_is_stored),
        CASE(test_read_redelivered_publishes_the_same_bytes),
        CASE(test_read_late_command_is_expired_or_older_than_the_ledger),
        CASE(test_read_timed_out_fails_at_once_with_a_dead_letter),
        CASE(test_dry_run_timed_out_is_called_what_it_was),
        CASE(test_read_timed_out_ends_by_the_databases_clock),
        CASE(test_read_replay_of_a_failed_one_runs_whatever_its_age),
        CASE(test_read_enters_the_ledger_only_after_the_read),
        CASE(test_read_row_stored_meanwhile_goes_by_the_rules),
        CASE(test_read_without_the_privilege_is_a_hold_and_leaves_no_row),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

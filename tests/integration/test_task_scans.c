/*
 * What the hot statements read: of no table all of it, however often they have run. PostgreSQL's
 * own counts are the evidence, and each index that is taken away shows that they would tell.
 *
 * Left out: previews and dry runs over all sessions, for which it is right to read those tables
 * from end to end once; and plans made for a few rows that were analysed, which may join a whole
 * index until the grown table is analysed again.
 */
#include "tests/support/crowd.h"
#include "tests/support/reads.h"
#include "tests/support/user_set.h"
#include "worker/repository/database_private.h"
#include "worker/upkeep/upkeep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    USERS = 5000, /* with 10,000 sessions, two ranges' worth */
    SET_COMMANDS = 60,
    SET_RUNS = 10, /* beyond the five that get plans of their own by PostgreSQL's default */
    LEDGER_ROWS = 5000,
    LEDGER_ROWS_DUE = 1500,
    LEDGER_ROWS_MANY = 20000,
    ROWS_PER_ITEM = 8, /* of one table, for each session or booking that is dealt with */
    RANGE_EXECUTORS = 2,
    SESSIONS_BATCH = 250,
    BOOKINGS_BATCH = 50,
    HELD_USER = 777,
    HELD_BOOKING = 770,
    CONTROL_USERS = 5,
};

static DatabaseSettings settings;
static PgConn *app;
static PgConn *other;
static TestWorker worker;
static Reads reads;
static int next_user; /* whose session a control cleans up */

static const char *const set_tables[] = {"users",     "sessions", "messages", "imageSent",
                                         "videoSent", "ledger",   NULL};
static const char *const dry_run_tables[] = {"sessions",  "messages", "imageSent",
                                             "videoSent", "ledger",   NULL};
static const char *const ledger_alone[] = {"ledger", NULL};
static const char *const long_command_tables[] = {"users",        "sessions",       "messages",
                                                  "imageSent",    "videoSent",      "ledger",
                                                  "ledger_range", "ledger_skipped", NULL};
static const char *const booking_tables[] = {"bookings",       "ledger",           "ledger_range",
                                             "ledger_skipped", "ledger_listed_id", NULL};

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    other = postgres_connect();
    crowd_stop_autovacuum(app);
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(other);
    pg_conn_free(app);
    return postgres_drop(state);
}

static int
begin_empty(void **state)
{
    (void)state;
    postgres_clear(app);
    settings.prepared_statements = true;
    worker_open(&worker, &settings, "w");
    return 0;
}

static int
begin(void **state)
{
    begin_empty(state);
    crowd_add(app, USERS);
    crowd_add_ledger(app, LEDGER_ROWS);
    postgres_exec(app, "ANALYZE");
    return 0;
}

/* What it has counted is there before anything is measured again. */
static void
close_worker(void)
{
    worker_done(&worker);
    postgres_wait_until(app, "SELECT count(*) = 0 FROM pg_stat_activity "
                             "WHERE application_name = 'cleanup-worker/test' "
                             "AND datname = current_database()");
}

static int
end(void **state)
{
    (void)state;
    postgres_exec(other, "ROLLBACK");
    reads_flush(other);
    reads_show_indexes(app);
    close_worker();
    return 0;
}

static int64_t
count_old_sessions(void)
{
    return postgres_number(app, "SELECT count(*) FROM sessions WHERE id LIKE 's%%'");
}

static void
expect_reads(const char *const *indexed, int64_t rows_max)
{
    reads_end(&reads);
    assert_string_equal(reads_fault(&reads, indexed, rows_max), "");
}

static void
run_sets(UserSet sets[SET_RUNS], const char *const *indexed, int64_t rows_max)
{
    reads_begin(&reads, app, worker.context.database);
    for (int i = 0; i < SET_RUNS; i++)
        user_set_run(&sets[i], &worker);
    expect_reads(indexed, rows_max);
}

/* Sets of new commands, then the same ones again, which the ledger knows by then. */
static void
expect_sets_read_their_own_rows(void)
{
    UserSet sets[SET_RUNS];
    const int64_t commands = SET_RUNS * SET_COMMANDS;
    const int64_t before = count_old_sessions();
    for (int i = 0; i < SET_RUNS; i++)
        user_set_make(&sets[i], LEDGER_ROWS, 1 + i * SET_COMMANDS, SET_COMMANDS);
    run_sets(sets, set_tables, commands * ROWS_PER_ITEM);
    assert_int_equal(count_old_sessions(), before - commands * 9 / 10);
    char *first[SET_RUNS];
    for (int i = 0; i < SET_RUNS; i++)
        first[i] = strdup(sets[i].outcomes[0].result);
    run_sets(sets, ledger_alone, commands);
    for (int i = 0; i < SET_RUNS; i++) {
        assert_string_equal(sets[i].outcomes[0].result, first[i]);
        free(first[i]);
        user_set_done(&sets[i]);
    }
}

static void
test_set_new_or_known_reads_its_own_rows(void **state)
{
    (void)state;
    expect_sets_read_their_own_rows();
}

static void
test_set_without_prepared_statements_reads_its_own_rows(void **state)
{
    (void)state;
    settings.prepared_statements = false;
    expect_sets_read_their_own_rows();
}

/* A record that the application holds makes the set run again, and lock the records first. */
static void
test_set_that_meets_a_lock_reads_its_own_rows(void **state)
{
    (void)state;
    UserSet set;
    user_set_make(&set, LEDGER_ROWS, 1, SET_COMMANDS);
    postgres_exec(other, "BEGIN; SELECT FROM \"imageSent\" WHERE session_id = 's7' FOR UPDATE");
    reads_begin(&reads, app, worker.context.database);
    user_set_run(&set, &worker);
    expect_reads(set_tables, SET_COMMANDS * 2 * ROWS_PER_ITEM);
    for (int i = 0; i < SET_COMMANDS; i++)
        assert_int_equal(set.outcomes[i].step, i + 1 == 7 ? TASK_LEAVE_SET : TASK_FINISHED);
    user_set_done(&set);
}

/* Takes the command over from an owner that has done a few steps. */
static void
run_long_run(const SentCommand *sent, int batch_rows, TaskOutcome *ret_outcome)
{
    CLEANUP(long_command_freep) LongCommand *lost = long_command_new();
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    worker.settings.executors = RANGE_EXECUTORS;
    worker.settings.batch_sessions = batch_rows;
    for (int i = 0; i < 1 + 2 * RANGE_EXECUTORS; i++)
        assert_int_equal(worker_step(&worker, sent, lost, ret_outcome), TASK_REQUEUE);
    worker_finish_long_command(&worker, sent, long_command, ret_outcome);
}

static void
expect_long_command_reads_each_session_a_few_times(int users)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_task(&sent, LEDGER_ROWS, "a", "cleanup_inactive_sessions");
    application_hold_user(other, HELD_USER);
    reads_begin(&reads, app, worker.context.database);
    run_long_run(&sent, SESSIONS_BATCH, &outcome);
    postgres_exec(other, "ROLLBACK");
    expect_reads(long_command_tables, (int64_t)USERS * ROWS_PER_ITEM);
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), users * 9 / 10 - 1);
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 1);
}

static void
expect_long_command_reads_each_booking_a_few_times(void)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make_task(&sent, LEDGER_ROWS, "b", "expire_pending_bookings");
    postgres_exec(other, "BEGIN; SELECT FROM bookings WHERE booking_id = 'b%d' FOR UPDATE",
                  HELD_BOOKING);
    reads_begin(&reads, app, worker.context.database);
    run_long_run(&sent, BOOKINGS_BATCH, &outcome);
    expect_reads(booking_tables, (int64_t)USERS / 10 * ROWS_PER_ITEM);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), USERS / 10 - 1);
    assert_int_equal(outcome_number(&outcome, "data.skipped_bookings"), 1);
}

static void
test_long_command_of_sessions_in_ranges_reads_each_a_few_times(void **state)
{
    (void)state;
    expect_long_command_reads_each_session_a_few_times(USERS);
}

static void
test_long_command_of_sessions_without_an_index_on_users_reads_each_a_few_times(void **state)
{
    (void)state;
    reads_hide_index(app, "sessions_user_id");
    expect_long_command_reads_each_session_a_few_times(USERS);
}

static void
test_long_command_of_bookings_reads_each_a_few_times(void **state)
{
    (void)state;
    expect_long_command_reads_each_booking_a_few_times();
}

static void
add_few_rows(void)
{
    for (int user = 1; user <= 4; user++)
        application_add_user(app, user, 48);
    application_add_booking(app, "b1", "Pending", 48);
    application_add_booking(app, "b2", "Pending", 48);
}

/* A set, the same again, and a long command that has to come back to what was locked. */
static void
plan_for_few_rows(void)
{
    CLEANUP(user_set_done) UserSet set = {0};
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    user_set_make(&set, LEDGER_ROWS, 1, 2);
    user_set_run(&set, &worker);
    user_set_run(&set, &worker);
    sent_make_task(&sent, LEDGER_ROWS, "c", "scheduled_cleanup");
    application_hold_user(other, 3);
    postgres_exec(other, "SELECT FROM bookings WHERE booking_id = 'b1' FOR UPDATE");
    run_long_run(&sent, SESSIONS_BATCH, &outcome);
    postgres_exec(other, "ROLLBACK");
    assert_int_equal(outcome_number(&outcome, "data.session_cleanup.deleted_sessions"), 1);
    assert_int_equal(outcome_number(&outcome, "data.booking_expiration.expired_bookings"), 1);
}

/* Nobody analyses the tables before or after they have grown, so the worker keeps its plans. */
static void
test_plans_for_few_rows_do_for_many(void **state)
{
    (void)state;
    add_few_rows();
    plan_for_few_rows();
    crowd_delete(app);
    crowd_add(app, USERS);
    crowd_add_ledger(app, LEDGER_ROWS);
    expect_sets_read_their_own_rows();
    expect_long_command_reads_each_session_a_few_times(USERS - SET_RUNS * SET_COMMANDS);
    expect_long_command_reads_each_booking_a_few_times();
}

static void
run_upkeep(void)
{
    Error err = {0};
    int64_t deleted = 0;
    const LedgerExpiry expiry = {SENT_TOPIC, SENT_PARTITION, LEDGER_ROWS_DUE + 1,
                                 clock_now_us(clock_system())};
    ASSERT_OK(upkeep_round(worker.context.database, &expiry, &deleted, &err), &err);
    assert_int_equal(deleted, LEDGER_ROWS_DUE);
}

static void
test_upkeep_reads_the_rows_that_it_deletes(void **state)
{
    (void)state;
    reads_begin(&reads, app, worker.context.database);
    run_upkeep();
    expect_reads(ledger_alone, LEDGER_ROWS_DUE * 5);
}

/* As on every other minute: what the ledger remembers of the partition is not read. */
static void
test_upkeep_with_nothing_due_reads_the_lowest_offsets(void **state)
{
    (void)state;
    Error err = {0};
    int64_t deleted = 0;
    const LedgerExpiry expiry = {SENT_TOPIC, SENT_PARTITION, LEDGER_ROWS_MANY + 1, 1};
    crowd_add_ledger_from(app, LEDGER_ROWS + 1, LEDGER_ROWS_MANY);
    postgres_exec(app, "ANALYZE");
    reads_begin(&reads, app, worker.context.database);
    ASSERT_OK(upkeep_round(worker.context.database, &expiry, &deleted, &err), &err);
    expect_reads(ledger_alone, LEDGER_ROWS);
    assert_int_equal(deleted, 0);
}

static void
expect_dry_run_reads(const char *task, const char *params, const char *const *indexed,
                     int64_t rows_max)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make(&sent, LEDGER_ROWS, "{\"command_id\":\"%s\",\"task\":\"%s\",\"params\":{%s}}", task,
              task, params);
    assert_int_equal(task_shape(&sent.command), TASK_SHAPE_READ);
    reads_begin(&reads, app, worker.context.database);
    worker_run(&worker, &sent, &outcome);
    expect_reads(indexed, rows_max);
    assert_string_equal(outcome.status, "succeeded");
}

static void
test_dry_run_of_one_user_reads_his_rows(void **state)
{
    (void)state;
    expect_dry_run_reads("cleanup_inactive_sessions_for_user",
                         "\"dry_run\":true,\"user_id\":\"00000000-0000-4000-8000-000000000077\"",
                         dry_run_tables, ROWS_PER_ITEM);
}

static void
test_dry_run_and_preview_of_bookings_read_those_that_would_expire(void **state)
{
    (void)state;
    static const char *const tables[] = {"bookings", "ledger", NULL};
    expect_dry_run_reads("expire_pending_bookings", "\"dry_run\":true", tables, USERS / 10);
    expect_dry_run_reads("get_expired_bookings_preview", "", tables, USERS / 10);
}

static void
run_set_of(int first_user)
{
    CLEANUP(user_set_done) UserSet set = {0};
    user_set_make(&set, LEDGER_ROWS, first_user, CONTROL_USERS);
    user_set_run(&set, &worker);
}

static void
run_set(void)
{
    run_set_of(next_user);
    next_user += CONTROL_USERS;
}

static void
run_replay(void)
{
    run_set_of(1);
}

static void
run_booking_batch(void)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make(&sent, 1, "{\"command_id\":\"b%d\",\"task\":\"expire_pending_bookings\"}",
              next_user++);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
}

typedef struct Control {
    const char *index;
    const char *table; /* which is read sequentially without it */
    void (*run)(void);
} Control;

static void
expect_scan_without(const Control *control)
{
    StrBuf expected = {0};
    close_worker();
    reads_hide_index(app, control->index);
    worker_open(&worker, &settings, "w");
    reads_begin(&reads, app, worker.context.database);
    control->run();
    reads_end(&reads);
    reads_show_indexes(app);
    strbuf_add_format(&expected, "sequential scan of %s", control->table);
    assert_string_equal(reads_fault(&reads, ledger_alone, USERS), strbuf_text(&expected));
    strbuf_done(&expected);
}

static void
test_control_without_an_index_the_scan_of_its_table_shows(void **state)
{
    (void)state;
    static const Control controls[] = {
        {"users_pkey", "users", run_set},
        {"sessions_user_id", "sessions", run_set},
        {"messages_user_id_timestamp", "messages", run_set},
        {"image_sent_session_id", "imageSent", run_set},
        {"video_sent_session_id", "videoSent", run_set},
        {"cleanup_worker.ledger_pkey", "ledger", run_replay},
        {"bookings_pending", "bookings", run_booking_batch},
        {"bookings_pkey", "bookings", run_booking_batch},
        {"cleanup_worker.ledger_source", "ledger", run_upkeep},
    };
    run_replay();
    next_user = 1 + CONTROL_USERS;
    for (size_t i = 0; i < ARRAY_LEN(controls); i++)
        expect_scan_without(&controls[i]);
}

static void
test_control_a_whole_index_or_none_shows(void **state)
{
    (void)state;
    reads_begin(&reads, app, worker.context.database);
    postgres_exec(worker.context.database->conn,
                  "SET enable_seqscan = off; SELECT count(*) FROM sessions");
    reads_end(&reads);
    assert_string_equal(reads_fault(&reads, ledger_alone, 2 * USERS - 1),
                        "10000 rows read of sessions");
    assert_string_equal(reads_fault(&reads, ledger_alone, 2 * USERS), "no index of ledger used");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_set_new_or_known_reads_its_own_rows),
        CASE(test_set_without_prepared_statements_reads_its_own_rows),
        CASE(test_set_that_meets_a_lock_reads_its_own_rows),
        CASE(test_long_command_of_sessions_in_ranges_reads_each_a_few_times),
        CASE(test_long_command_of_sessions_without_an_index_on_users_reads_each_a_few_times),
        CASE(test_long_command_of_bookings_reads_each_a_few_times),
        cmocka_unit_test_setup_teardown(test_plans_for_few_rows_do_for_many, begin_empty, end),
        CASE(test_upkeep_reads_the_rows_that_it_deletes),
        CASE(test_upkeep_with_nothing_due_reads_the_lowest_offsets),
        CASE(test_dry_run_of_one_user_reads_his_rows),
        CASE(test_dry_run_and_preview_of_bookings_read_those_that_would_expire),
        CASE(test_control_without_an_index_the_scan_of_its_table_shows),
        CASE(test_control_a_whole_index_or_none_shows),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* What a long command tells while it runs. Ten rows a batch; the monotonic clock is the test's. */
#include "tests/support/application.h"
#include "tests/support/long_run.h"

#include "worker/repository/booking_repository.h"
#include "worker/repository/session_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

enum {
    ROWS = 100, /* sessions, one a user, and overdue bookings */
    INTERVAL_MS = 5000,
};

static DatabaseSettings settings;
static PgConn *app;
static int64_t monotonic_ms;

static int64_t
system_now(void *state)
{
    (void)state;
    return clock_now_us(clock_system());
}

static int64_t
given_monotonic(void *state)
{
    (void)state;
    return monotonic_ms;
}

static const Clock test_clock = {system_now, given_monotonic, NULL};

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    postgres_exec(app, "ALTER TABLE sessions SET (autovacuum_enabled = false); "
                       "ALTER TABLE bookings SET (autovacuum_enabled = false)");
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

static int
clear(void **state)
{
    (void)state;
    postgres_clear(app);
    monotonic_ms = 1000;
    return 0;
}

static void
add_rows(void)
{
    postgres_exec(app,
                  "INSERT INTO users SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, "
                  "'0'))::uuid FROM generate_series(1, %d) n; "
                  "INSERT INTO sessions (id, user_id, created_at) SELECT user_id::text, user_id, "
                  "now() AT TIME ZONE 'UTC' - interval '30 days' FROM users; "
                  "INSERT INTO bookings (booking_id, status, created_at) SELECT 'b' || "
                  "lpad(n::text, 6, '0'), CASE WHEN n %% 4 = 0 THEN 'Confirmed' ELSE 'Pending' "
                  "END::booking_status, now() AT TIME ZONE 'UTC' - interval '1 day' "
                  "FROM generate_series(1, %d) n",
                  ROWS, ROWS);
}

static void
begin(LongRun *command, CommandTask task)
{
    long_run_init(command, &settings, task);
    command->context.clock = &test_clock;
    command->settings.progress_interval_ms = INTERVAL_MS;
    long_run_step(command, 1);
    assert_null(command->outcome.progress);
}

/* One step, so much later. */
static void
step(LongRun *command, int later_ms)
{
    monotonic_ms += later_ms;
    long_run_step(command, 1);
}

/* The member of the last step's progress; -1 = null. */
static double
told(const LongRun *command, const char *member)
{
    assert_non_null(command->outcome.progress);
    cJSON *progress = cJSON_Parse(command->outcome.progress);
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(progress, member);
    assert_non_null(found);
    const double number = cJSON_IsNumber(found) ? found->valuedouble : -1;
    cJSON_Delete(progress);
    return number;
}

static void
test_estimate_comes_from_the_catalog_or_is_unknown(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    int64_t rows = 7;
    ASSERT_OK(database_connect(database, &err), &err);
    add_rows();
    ASSERT_OK(session_estimate(database, &rows, &err), &err);
    assert_int_equal(rows, 0);
    ASSERT_OK(booking_estimate(database, &rows, &err), &err);
    assert_int_equal(rows, 0);
    postgres_exec(app, "ANALYZE sessions, bookings");
    ASSERT_OK(session_estimate(database, &rows, &err), &err);
    assert_int_equal(rows, ROWS);
    ASSERT_OK(booking_estimate(database, &rows, &err), &err);
    assert_int_equal(rows, ROWS * 3 / 4);
    postgres_exec(app, "ALTER TABLE bookings RENAME TO trips");
    const bool estimated = booking_estimate(database, &rows, &err);
    postgres_exec(app, "ALTER TABLE trips RENAME TO bookings");
    ASSERT_OK(estimated, &err);
    assert_int_equal(rows, 0);
}

static void
test_progress_is_told_once_an_interval_with_rows_and_rate(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun command;
    add_rows();
    postgres_exec(app, "ANALYZE sessions");
    begin(&command, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    step(&command, INTERVAL_MS - 1);
    assert_null(command.outcome.progress);
    step(&command, 1);
    assert_int_equal(command.outcome.progress_number, 1);
    assert_true(told(&command, "progress") == 1);
    assert_true(told(&command, "rows_done") == 20);
    assert_true(told(&command, "rows_total") == ROWS);
    assert_true(told(&command, "rows_per_second") == 4);
    assert_non_null(strstr(command.outcome.progress, "\"task\":\"cleanup_inactive_sessions\""));
    assert_non_null(strstr(command.outcome.progress, "\"command_id\":\"long\""));
    step(&command, INTERVAL_MS - 1);
    assert_null(command.outcome.progress);
    step(&command, INTERVAL_MS + 1);
    assert_int_equal(command.outcome.progress_number, 2);
    assert_true(told(&command, "rows_done") == 40);
    assert_true(told(&command, "rows_per_second") == 2);
    assert_true(command.outcome.progress_at_us > 0);
}

/* However late: nothing with the step that leaves only the end to do, nothing with the end. */
static void
test_progress_of_both_parts_grows_and_ends_before_the_result(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun command;
    double done = 0;
    int count = 0;
    add_rows();
    postgres_exec(app, "ANALYZE sessions, bookings");
    begin(&command, COMMAND_SCHEDULED_CLEANUP);
    for (; command.outcome.step == TASK_REQUEUE; step(&command, INTERVAL_MS)) {
        if (command.outcome.progress == NULL)
            continue;
        assert_true(told(&command, "rows_done") >= done);
        assert_true(told(&command, "rows_total") == ROWS + ROWS * 3 / 4);
        done = told(&command, "rows_done");
        assert_int_equal(command.outcome.progress_number, ++count);
    }
    assert_null(command.outcome.progress);
    assert_true(done == ROWS + ROWS * 3 / 4);
    /* All but the begin, the last batch, and the end. */
    assert_int_equal(count, command.steps - 2);
}

static void
test_progress_with_a_table_never_analysed_has_no_total(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun command;
    add_rows();
    postgres_exec(app, "ANALYZE sessions");
    begin(&command, COMMAND_SCHEDULED_CLEANUP);
    step(&command, INTERVAL_MS);
    assert_true(told(&command, "rows_total") == -1);
    assert_true(told(&command, "rows_done") == 10);
}

static void
test_progress_switched_off_is_never_told(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun command;
    add_rows();
    begin(&command, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    command.settings.progress_interval_ms = 0;
    for (; command.outcome.step == TASK_REQUEUE; step(&command, INTERVAL_MS))
        assert_null(command.outcome.progress);
    assert_long_run_count(&command, "deleted_sessions", ROWS);
}

/* A batch that gave way to others has committed nothing. */
static void
test_progress_of_a_batch_that_gave_way_is_not_told(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun command;
    CLEANUP(pg_conn_freep) PgConn *holder = postgres_connect();
    add_rows();
    begin(&command, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    postgres_exec(holder, "BEGIN; SELECT FROM users FOR KEY SHARE");
    step(&command, INTERVAL_MS);
    assert_int_equal(command.outcome.step, TASK_REQUEUE);
    assert_null(command.outcome.progress);
    postgres_exec(holder, "COMMIT");
    step(&command, INTERVAL_MS);
    assert_true(told(&command, "rows_done") == 10);
    assert_true(told(&command, "rows_per_second") == 1);
}

static void
test_progress_after_a_takeover_goes_on_with_numbers_of_its_own(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun first;
    CLEANUP(long_run_done) LongRun second;
    add_rows();
    postgres_exec(app, "ANALYZE sessions");
    begin(&first, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    step(&first, INTERVAL_MS);
    step(&first, INTERVAL_MS);
    assert_int_equal(first.outcome.progress_number, 2);
    postgres_exec(app, "DELETE FROM sessions WHERE id > '00000000-0000-4000-8000-000000000090'; "
                       "ANALYZE sessions");
    long_run_init(&second, &settings, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    second.source = first.source;
    second.context.clock = &test_clock;
    second.settings.progress_interval_ms = INTERVAL_MS;
    long_run_step(&second, 1);
    step(&second, INTERVAL_MS);
    assert_int_equal(second.outcome.progress_number, 1000001);
    assert_true(told(&second, "rows_done") == 30);
    assert_true(told(&second, "rows_total") == ROWS);
    assert_true(told(&second, "rows_per_second") == 2);
    step(&first, INTERVAL_MS);
    assert_int_equal(first.outcome.step, TASK_OWNERSHIP_LOST);
    assert_null(first.outcome.progress);
}

static void
test_progress_of_a_replay_begins_from_nothing_with_numbers_of_its_own(void **state)
{
    (void)state;
    CLEANUP(long_run_done) LongRun first;
    CLEANUP(long_run_done) LongRun again;
    Error err = {0};
    Error cause = {0};
    add_rows();
    begin(&first, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    step(&first, INTERVAL_MS);
    assert_int_equal(first.outcome.progress_number, 1);
    task_outcome_done(&first.outcome);
    (void)error_set(&cause, REASON_WORK_REFUSED, "no");
    ASSERT_OK(task_fail(&first.context, &first.item, &(TaskFailure){&cause, 3, first.long_command},
                        &first.outcome, &err),
              &err);
    long_run_init(&again, &settings, COMMAND_CLEANUP_INACTIVE_SESSIONS);
    again.command.replay = 1;
    again.source.offset = 1;
    again.context.clock = &test_clock;
    again.settings.progress_interval_ms = INTERVAL_MS;
    long_run_step(&again, 1);
    step(&again, INTERVAL_MS);
    assert_int_equal(again.outcome.progress_number, 1000001);
    assert_true(told(&again, "rows_done") == 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_estimate_comes_from_the_catalog_or_is_unknown, clear),
        cmocka_unit_test_setup(test_progress_is_told_once_an_interval_with_rows_and_rate, clear),
        cmocka_unit_test_setup(test_progress_of_both_parts_grows_and_ends_before_the_result, clear),
        cmocka_unit_test_setup(test_progress_with_a_table_never_analysed_has_no_total, clear),
        cmocka_unit_test_setup(test_progress_switched_off_is_never_told, clear),
        cmocka_unit_test_setup(test_progress_of_a_batch_that_gave_way_is_not_told, clear),
        cmocka_unit_test_setup(test_progress_after_a_takeover_goes_on_with_numbers_of_its_own,
                               clear),
        cmocka_unit_test_setup(
            test_progress_of_a_replay_begins_from_nothing_with_numbers_of_its_own, clear),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

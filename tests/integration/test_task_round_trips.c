/* How often a transaction asks PostgreSQL: as often, however many commands or rows it is for. */
#include "tests/support/crowd.h"
#include "tests/support/user_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    USERS = 1500,
    /* Begin, ledger, time-out, first look with locks, no more waiting, second look with deletes,
     * clock, ledger (twice, because the server asks for the rows), commit. */
    SET_ROUND_TRIPS = 10,
    /* Begin, ledger, clock, commit. */
    REPLAY_ROUND_TRIPS = 4,
    /* Begin, range, window, no more waiting, users, sessions, second look with deletes, range,
     * commit. */
    SESSIONS_ROUND_TRIPS = 9,
    /* Begin, range, window, no more waiting, bookings, update, list of ids, range, commit. */
    BOOKINGS_ROUND_TRIPS = 9,
};

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static int round_trips;

bool __real_pg_conn_exec(PgConn *conn, const char *sql, PGresult **ret_result, Error *err);
bool __wrap_pg_conn_exec(PgConn *conn, const char *sql, PGresult **ret_result, Error *err);
bool __real_pg_conn_exec_params(PgConn *conn, const char *sql, const PgParam *params, size_t count,
                                PGresult **ret_result, Error *err);
bool __wrap_pg_conn_exec_params(PgConn *conn, const char *sql, const PgParam *params, size_t count,
                                PGresult **ret_result, Error *err);
bool __real_pg_conn_exec_prepared(PgConn *conn, const char *name, const PgParam *params,
                                  size_t count, PGresult **ret_result, Error *err);
bool __wrap_pg_conn_exec_prepared(PgConn *conn, const char *name, const PgParam *params,
                                  size_t count, PGresult **ret_result, Error *err);
bool __real_pg_conn_copy_in(PgConn *conn, const char *sql, PgCopy *copy, Error *err);
bool __wrap_pg_conn_copy_in(PgConn *conn, const char *sql, PgCopy *copy, Error *err);

bool
__wrap_pg_conn_exec(PgConn *conn, const char *sql, PGresult **ret_result, Error *err)
{
    round_trips++;
    return __real_pg_conn_exec(conn, sql, ret_result, err);
}

bool
__wrap_pg_conn_exec_params(PgConn *conn, const char *sql, const PgParam *params, size_t count,
                           PGresult **ret_result, Error *err)
{
    round_trips++;
    return __real_pg_conn_exec_params(conn, sql, params, count, ret_result, err);
}

bool
__wrap_pg_conn_exec_prepared(PgConn *conn, const char *name, const PgParam *params, size_t count,
                             PGresult **ret_result, Error *err)
{
    round_trips++;
    return __real_pg_conn_exec_prepared(conn, name, params, count, ret_result, err);
}

bool
__wrap_pg_conn_copy_in(PgConn *conn, const char *sql, PgCopy *copy, Error *err)
{
    round_trips += 2; /* the server asks for the rows first */
    return __real_pg_conn_copy_in(conn, sql, copy, err);
}

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
    postgres_clear(app);
    crowd_add(app, USERS);
    worker_open(&worker, &settings, "w");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static void
run_set_and_replay(int first_user, size_t count, int *ret_set, int *ret_replay)
{
    CLEANUP(user_set_done) UserSet set = {0};
    user_set_make(&set, 0, first_user, count);
    round_trips = 0;
    user_set_run(&set, &worker);
    *ret_set = round_trips;
    CLEANUP(autofree) char *first = strdup(set.outcomes[0].result);
    round_trips = 0;
    user_set_run(&set, &worker);
    *ret_replay = round_trips;
    assert_string_equal(set.outcomes[0].result, first);
}

static void
test_set_of_any_size_takes_the_same_round_trips(void **state)
{
    (void)state;
    static const int sizes[] = {1, 60, 500};
    int user = 11;
    int on_set;
    int on_replay;
    run_set_and_replay(1, 1, &on_set, &on_replay); /* connects and looks at the catalog first */
    for (size_t i = 0; i < ARRAY_LEN(sizes); user += sizes[i++]) {
        run_set_and_replay(user, (size_t)sizes[i], &on_set, &on_replay);
        assert_int_equal(on_set, SET_ROUND_TRIPS);
        assert_int_equal(on_replay, REPLAY_ROUND_TRIPS);
    }
}

/* The first batch of a long command, with a window of so many rows. */
static void
expect_batch_takes(const char *task, int rows, int expected)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    sent_make(&sent, rows, "{\"command_id\":\"%s-%d\",\"task\":\"%s\"}", task, rows, task);
    worker.settings.batch_sessions = rows;
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    round_trips = 0;
    assert_int_equal(worker_step(&worker, &sent, long_command, &outcome), TASK_REQUEUE);
    assert_int_equal(round_trips, expected);
}

static void
test_batch_of_sessions_of_any_size_takes_the_same_round_trips(void **state)
{
    (void)state;
    expect_batch_takes("cleanup_inactive_sessions", 10, SESSIONS_ROUND_TRIPS);
    expect_batch_takes("cleanup_inactive_sessions", 60, SESSIONS_ROUND_TRIPS);
    expect_batch_takes("cleanup_inactive_sessions", 500, SESSIONS_ROUND_TRIPS);
    assert_in_range(application_count_sessions(app), 2 * USERS - 500, 2 * USERS - 100);
}

static void
test_batch_of_bookings_of_any_size_takes_the_same_round_trips(void **state)
{
    (void)state;
    expect_batch_takes("expire_pending_bookings", 10, BOOKINGS_ROUND_TRIPS);
    expect_batch_takes("expire_pending_bookings", 30, BOOKINGS_ROUND_TRIPS);
    expect_batch_takes("expire_pending_bookings", 100, BOOKINGS_ROUND_TRIPS);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired'"),
                     140);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_set_of_any_size_takes_the_same_round_trips),
        CASE(test_batch_of_sessions_of_any_size_takes_the_same_round_trips),
        CASE(test_batch_of_bookings_of_any_size_takes_the_same_round_trips),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

/* The application at work, and at its tables, beside a long command: it waits for none of our
 * locks for longer than a second, meets no deadlock, and no command fails for it. */
#include "tests/support/crowd.h"
#include "tests/support/tasks.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    USERS = 1200,
    ROUNDS = 5,
};

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;

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
    worker.settings.first_batch_rows = 50;
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

/* What one connection of the application does again and again, until it is told to end. */
typedef struct Actor {
    const char *const *statements;
    size_t count;
    pthread_t thread;
    PgConn *conn;
    atomic_bool ending;
    atomic_int rounds;
    atomic_bool failed;
    Error err; /* of the first statement that failed; then it ends */
} Actor;

static void *
act(void *argument)
{
    Actor *actor = argument;
    while (!atomic_load(&actor->ending)) {
        for (size_t i = 0; i < actor->count; i++) {
            CLEANUP(pg_result_freep) PGresult *result = NULL;
            if (!pg_conn_exec(actor->conn, actor->statements[i], &result, &actor->err)) {
                atomic_store(&actor->failed, true);
                return NULL;
            }
        }
        atomic_fetch_add(&actor->rounds, 1);
    }
    return NULL;
}

/* The server itself bounds its waits: for locks, for a second. */
static void
actor_start(Actor *actor)
{
    actor->conn = postgres_connect();
    postgres_exec(actor->conn, "SET lock_timeout = '1s'");
    assert_int_equal(pthread_create(&actor->thread, NULL, act, actor), 0);
}

static void
actor_end(Actor *actor)
{
    atomic_store(&actor->ending, true);
    assert_int_equal(pthread_join(actor->thread, NULL), 0);
    pg_conn_free(actor->conn);
    if (atomic_load(&actor->failed))
        fail_msg("the application got %s: %s", actor->err.sqlstate, actor->err.text);
}

static void
step(const TaskItem *item, LongCommand *long_command, TaskOutcome *outcome)
{
    Error err = {0};
    int claim = CLAIM_EXCLUSIVE;
    worker.monotonic_ms += 1000;
    assert_true(long_command_claim(long_command, worker.monotonic_ms, &claim));
    const TaskTurn turn = {long_command, claim, NULL};
    task_outcome_done(outcome);
    if (!task_step_long_command(&worker.context, item, &turn, outcome, &err) &&
        err.reason != REASON_TABLE_LOCKED)
        fail_msg("%s", err.text);
}

static void
run_command(int number, const char *task)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    char id[16];
    (void)snprintf(id, sizeof(id), "c%d", number);
    sent_make_task(&sent, number, id, task);
    const TaskItem item = sent_item(&sent);
    while (outcome.step != TASK_FINISHED)
        step(&item, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
}

/* Commands, one after the other, until the actors have been at work beside them for so many rounds.
 */
static void
run_beside(const char *task, Actor *actors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        actor_start(&actors[i]);
    bool enough = false;
    for (int number = 0; !enough; number++) {
        run_command(number, task);
        enough = true;
        for (size_t i = 0; i < count; i++)
            enough = enough &&
                     (atomic_load(&actors[i].rounds) >= ROUNDS || atomic_load(&actors[i].failed));
    }
    for (size_t i = 0; i < count; i++)
        actor_end(&actors[i]);
}

/* Sessions that are due come as fast as they go. */
static const char *const writes[] = {
    "INSERT INTO sessions (id, user_id, created_at) "
    "SELECT 'n' || clock_timestamp() || n, user_id, '2020-01-01' "
    "FROM (SELECT user_id, row_number() OVER () AS n FROM users LIMIT 50) u",
    "INSERT INTO messages (user_id, sender) SELECT user_id, 'bot' FROM users LIMIT 20",
    "INSERT INTO \"imageSent\" (session_id, property_id) "
    "SELECT s.id, p.property_id FROM (SELECT id FROM sessions LIMIT 20 FOR KEY SHARE) s, "
    "properties p",
    "UPDATE bookings SET status = 'Confirmed' WHERE booking_id IN "
    "(SELECT booking_id FROM bookings WHERE status = 'Pending' LIMIT 3 FOR UPDATE)",
    "INSERT INTO bookings (booking_id, status, created_at) "
    "SELECT 'n' || clock_timestamp() || n, 'Pending', '2020-01-01' FROM generate_series(1, 10) n",
};

static const char *const session_maintenance[] = {
    "CREATE INDEX maintained ON sessions (created_at)",
    "DROP INDEX maintained",
    "ALTER TABLE sessions ADD COLUMN maintained int",
    "ALTER TABLE sessions DROP COLUMN maintained",
    "VACUUM sessions",
    "ALTER TABLE messages ADD COLUMN maintained int",
    "ALTER TABLE messages DROP COLUMN maintained",
    "CREATE INDEX maintained ON \"imageSent\" (property_id)",
    "DROP INDEX maintained",
    "VACUUM \"imageSent\"",
    "ALTER TABLE users ADD COLUMN maintained int",
    "ALTER TABLE users DROP COLUMN maintained",
};

static const char *const booking_maintenance[] = {
    "CREATE INDEX maintained ON bookings (property_id)",
    "DROP INDEX maintained",
    "ALTER TABLE bookings ADD COLUMN maintained int",
    "ALTER TABLE bookings DROP COLUMN maintained",
    "VACUUM bookings",
};

static void
test_application_never_waits_long_beside_a_cleanup_of_sessions(void **state)
{
    (void)state;
    Actor actors[] = {
        {.statements = writes, .count = ARRAY_LEN(writes)},
        {.statements = session_maintenance, .count = ARRAY_LEN(session_maintenance)},
    };
    run_beside("cleanup_inactive_sessions", actors, ARRAY_LEN(actors));
}

static void
test_application_never_waits_long_beside_an_expiration_of_bookings(void **state)
{
    (void)state;
    Actor actors[] = {
        {.statements = writes, .count = ARRAY_LEN(writes)},
        {.statements = booking_maintenance, .count = ARRAY_LEN(booking_maintenance)},
    };
    run_beside("expire_pending_bookings", actors, ARRAY_LEN(actors));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_application_never_waits_long_beside_a_cleanup_of_sessions),
        CASE(test_application_never_waits_long_beside_an_expiration_of_bookings),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

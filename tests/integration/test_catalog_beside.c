/* An application that locks its tables, in an order of its own, beside walks over the catalog: it
 * waits for none of their locks for long, and is no victim of a deadlock with them. */
#include "tests/support/look.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
    ROUNDS = 20,
};

/* The tables in the order opposite to the walk's, and so that it is in the middle of it. */
static const char *const locks[] = {
    "BEGIN",
    "LOCK TABLE \"videoSent\"",
    "SELECT pg_sleep(0.05)",
    "LOCK TABLE bookings",
    "SELECT pg_sleep(0.05)",
    "LOCK TABLE messages",
    "ROLLBACK",
    "ALTER TABLE messages ADD COLUMN added int",
    "ALTER TABLE messages DROP COLUMN added",
};

typedef struct Actor {
    PgConn *conn;
    atomic_bool ending;
    atomic_int rounds;
    atomic_bool failed;
    Error err; /* of the first statement that failed; then it ends */
} Actor;

static int
setup(void **state)
{
    (void)state;
    return postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
}

static void *
act(void *argument)
{
    Actor *actor = argument;
    while (!atomic_load(&actor->ending)) {
        for (size_t i = 0; i < ARRAY_LEN(locks); i++) {
            CLEANUP(pg_result_freep) PGresult *result = NULL;
            if (!pg_conn_exec(actor->conn, locks[i], &result, &actor->err)) {
                atomic_store(&actor->failed, true);
                return NULL;
            }
        }
        atomic_fetch_add(&actor->rounds, 1);
    }
    return NULL;
}

/* What could not be read is unknown, and no fault. */
static void
assert_finds_nothing(const Look *look)
{
    const Finding *finding = findings_first(&look->findings, FINDING_FAIL);
    if (finding != NULL)
        fail_msg("%s: %s", finding->code, finding->what);
}

static void
test_walk_lets_an_application_through_that_locks_tables(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    Actor actor = {.conn = postgres_connect()};
    pthread_t thread;
    look_init(&look);
    /* The server itself bounds its waits. */
    postgres_exec(actor.conn, "SET lock_timeout = '900ms'");
    assert_int_equal(pthread_create(&thread, NULL, act, &actor), 0);
    while (atomic_load(&actor.rounds) < ROUNDS && !atomic_load(&actor.failed)) {
        look_walk(&look);
        assert_finds_nothing(&look);
    }
    atomic_store(&actor.ending, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pg_conn_free(actor.conn);
    if (atomic_load(&actor.failed))
        fail_msg("the application got %s: %s", actor.err.sqlstate, actor.err.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_lets_an_application_through_that_locks_tables),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

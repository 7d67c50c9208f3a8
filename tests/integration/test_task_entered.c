/*
 * A set whose command is entered in the ledger by another transaction after the set has looked it
 * up: the set rolls back what it did, and goes by what the ledger says then.
 */
#include "tests/support/tasks.h"
#include "worker/repository/ledger_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static TestWorker rival;
static const SentCommand *meanwhile; /* executed by the rival after the next look-up */

bool __real_ledger_find(Database *database, const char *const *ids, size_t count,
                        LedgerRows *ret_rows, Error *err);
bool __wrap_ledger_find(Database *database, const char *const *ids, size_t count,
                        LedgerRows *ret_rows, Error *err);

bool
__wrap_ledger_find(Database *database, const char *const *ids, size_t count, LedgerRows *ret_rows,
                   Error *err)
{
    const bool found = __real_ledger_find(database, ids, count, ret_rows, err);
    const SentCommand *sent = meanwhile;
    meanwhile = NULL;
    if (sent != NULL) {
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        worker_run(&rival, sent, &outcome);
        assert_int_equal(outcome.step, TASK_FINISHED);
    }
    return found;
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
three_users(void **state)
{
    (void)state;
    app = postgres_connect();
    postgres_clear(app);
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    worker_open(&worker, &settings, "w1");
    worker_open(&rival, &settings, "w2");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    worker_done(&rival);
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

static bool
has_session(int user)
{
    return postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's%d'", user) == 1;
}

/* The same record, delivered to both: an owner that has lost its partition and does not know. */
static void
test_entered_from_the_same_source_publishes_the_rivals_bytes(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand twice = {0};
    CLEANUP(sent_done) SentCommand next = {0};
    TaskOutcome outcomes[2];
    sent_make_for_user(&twice, 10, "a", 1);
    sent_make_for_user(&next, 11, "b", 2);
    meanwhile = &twice;
    const SentCommand *const set[] = {&twice, &next};
    worker_run_set(&worker, set, 2, outcomes);
    assert_finished(app, &twice, &outcomes[0], "succeeded");
    assert_outcome_text(&outcomes[0], "worker_id", "w2");
    assert_int_equal(outcome_number(&outcomes[0], "data.deleted_sessions"), 1);
    assert_finished(app, &next, &outcomes[1], "succeeded");
    assert_outcome_text(&outcomes[1], "worker_id", "w1");
    assert_int_equal(application_count_sessions(app), 1);
    for (int i = 0; i < 2; i++)
        task_outcome_done(&outcomes[i]);
}

/* The same id for another user: only the first to be entered takes effect. */
static void
test_entered_for_another_user_takes_back_what_the_set_did(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(sent_done) SentCommand duplicate = {0};
    CLEANUP(sent_done) SentCommand next = {0};
    TaskOutcome outcomes[2];
    sent_make_for_user(&sent, 10, "a", 1);
    sent_make_for_user(&duplicate, 20, "a", 2);
    sent_make_for_user(&next, 11, "b", 3);
    meanwhile = &duplicate;
    const SentCommand *const set[] = {&sent, &next};
    worker_run_set(&worker, set, 2, outcomes);
    assert_int_equal(outcomes[0].step, TASK_FINISHED);
    assert_outcome_text(&outcomes[0], "error.code", "id_conflict");
    task_outcome_done(&outcomes[0]);
    assert_true(has_session(1));
    assert_false(has_session(2));
    assert_false(has_session(3));
    assert_finished(app, &next, &outcomes[1], "succeeded");
    task_outcome_done(&outcomes[1]);
}

int
main(void)
{
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
#define CASE(test) cmocka_unit_test_setup_teardown(test, three_users, end)
    const struct CMUnitTest tests[] = {
        CASE(test_entered_from_the_same_source_publishes_the_rivals_bytes),
        CASE(test_entered_for_another_user_takes_back_what_the_set_did),
    };
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

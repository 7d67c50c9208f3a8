/* A long command in ranges: several executors at once. */
#include "tests/support/ranges.h"
#include "tests/support/tasks.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    EXECUTORS = 2,
};

#define CLEANUP_ALL "cleanup_inactive_sessions"

static DatabaseSettings settings;
static PgConn *app;
static PgConn *other;
static TestWorker workers[EXECUTORS];
static LongCommand *long_command;
static SentCommand sent;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    PgConn *conn = postgres_connect();
    postgres_exec(conn, "CREATE TABLE deleted (id text)");
    postgres_exec(conn, "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                        "INSERT INTO deleted VALUES (OLD.id); RETURN NULL; END $$; "
                        "CREATE TRIGGER note AFTER DELETE ON sessions FOR EACH ROW "
                        "EXECUTE FUNCTION note()");
    pg_conn_free(conn);
    return failed;
}

static int
begin(void **state)
{
    (void)state;
    static const char *const names[] = {"w1", "w2"};
    app = postgres_connect();
    other = postgres_connect();
    postgres_clear(app);
    postgres_exec(app, "TRUNCATE deleted");
    ranges_add_users(app);
    ranges_pretend_rows(app, RANGES_LARGE);
    for (int i = 0; i < EXECUTORS; i++) {
        worker_open(&workers[i], &settings, names[i]);
        workers[i].settings.executors = EXECUTORS;
        workers[i].settings.batch_sessions = 10;
        workers[i].context.clock = clock_system();
    }
    long_command = long_command_new();
    sent = (SentCommand){0};
    sent_make_task(&sent, 10, "a", CLEANUP_ALL);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    sent_done(&sent);
    long_command_free(long_command);
    for (int i = 0; i < EXECUTORS; i++)
        worker_done(&workers[i]);
    pg_conn_free(other);
    pg_conn_free(app);
    return 0;
}

static int
claim_of(LongCommand *claimed)
{
    int claim = CLAIM_EXCLUSIVE;
    while (!long_command_claim(claimed, clock_monotonic_ms(clock_system()), &claim))
        (void)poll(NULL, 0, 1);
    return claim;
}

static TaskStep
step_claimed(int worker, LongCommand *stepped, int claim)
{
    Error err = {0};
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    const TaskItem item = sent_item(&sent);
    ASSERT_OK(task_step_long_command(&workers[worker].context, &item,
                                     &(TaskTurn){stepped, claim, NULL}, &outcome, &err),
              &err);
    return outcome.step;
}

static void
start(void)
{
    assert_int_equal(step_claimed(0, long_command, CLAIM_EXCLUSIVE), TASK_REQUEUE);
}

/* Executors as the batcher lets them: each range has one, and whoever begins or ends is alone. */
typedef struct Crew {
    pthread_mutex_t lock;
    int running;
    bool isolated; /* the one that runs begins or ends it */
    bool over;
    TaskOutcome outcome;
} Crew;

typedef struct CrewMember {
    pthread_t thread;
    Crew *crew;
    int number;
} CrewMember;

static bool
crew_claim(Crew *crew, int *ret_claim)
{
    pthread_mutex_lock(&crew->lock);
    const bool claimed =
        !crew->over && !crew->isolated &&
        long_command_claim(long_command, clock_monotonic_ms(clock_system()), ret_claim) &&
        (*ret_claim != CLAIM_EXCLUSIVE || crew->running == 0);
    crew->running += claimed;
    crew->isolated = crew->isolated || (claimed && *ret_claim == CLAIM_EXCLUSIVE);
    pthread_mutex_unlock(&crew->lock);
    return claimed;
}

static void *
crew_main(void *argument)
{
    CrewMember *member = argument;
    Crew *crew = member->crew;
    const TaskItem item = sent_item(&sent);
    for (bool over = false; !over;) {
        Error err = {0};
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        int claim;
        if (!crew_claim(crew, &claim)) {
            (void)poll(NULL, 0, 1);
        } else if (!task_step_long_command(&workers[member->number].context, &item,
                                           &(TaskTurn){long_command, claim, NULL}, &outcome,
                                           &err)) {
            fail_msg("%s", err.text);
        } else {
            pthread_mutex_lock(&crew->lock);
            crew->running--;
            crew->isolated = false;
            crew->over = crew->over || outcome.step != TASK_REQUEUE;
            if (outcome.step == TASK_FINISHED) {
                crew->outcome = outcome;
                outcome = (TaskOutcome){0};
            }
            pthread_mutex_unlock(&crew->lock);
        }
        pthread_mutex_lock(&crew->lock);
        over = crew->over;
        pthread_mutex_unlock(&crew->lock);
    }
    return NULL;
}

static void
crew_start(Crew *crew, CrewMember *members)
{
    *crew = (Crew){.lock = PTHREAD_MUTEX_INITIALIZER};
    for (int i = 0; i < EXECUTORS; i++) {
        members[i] = (CrewMember){.crew = crew, .number = i};
        assert_int_equal(pthread_create(&members[i].thread, NULL, crew_main, &members[i]), 0);
    }
}

static void
crew_join(CrewMember *members)
{
    for (int i = 0; i < EXECUTORS; i++)
        assert_int_equal(pthread_join(members[i].thread, NULL), 0);
}

static int64_t
inactive_sessions(void)
{
    return postgres_number(app, "SELECT count(*) FROM sessions s WHERE NOT EXISTS (SELECT FROM "
                                "messages m WHERE m.user_id = s.user_id)");
}

/* The result says what the audit says, each session went once, and no active one. */
static void
assert_counted(const TaskOutcome *outcome)
{
    assert_int_equal(outcome_number(outcome, "data.deleted_sessions"),
                     postgres_number(app, "SELECT count(*) FROM deleted"));
    assert_int_equal(postgres_number(app, "SELECT count(*) - count(DISTINCT id) FROM deleted"), 0);
    assert_int_equal(application_count_sessions(app) - inactive_sessions(), RANGES_USERS / 10);
}

static void
test_ranges_together_delete_everything_once(void **state)
{
    (void)state;
    Crew crew;
    CrewMember members[EXECUTORS];
    postgres_exec(app,
                  "INSERT INTO properties VALUES ('" RANGES_LOWEST "'); INSERT INTO \"imageSent\" "
                  "(session_id, property_id) SELECT id, '" RANGES_LOWEST "' FROM sessions");
    crew_start(&crew, members);
    crew_join(members);
    assert_finished(app, &sent, &crew.outcome, "succeeded");
    assert_int_equal(outcome_number(&crew.outcome, "data.deleted_sessions"),
                     RANGES_USERS * 9 / 10 + 2);
    assert_int_equal(outcome_number(&crew.outcome, "data.deleted_image_records"),
                     RANGES_USERS * 9 / 10 + 2);
    assert_int_equal(outcome_number(&crew.outcome, "data.skipped_sessions"), 0);
    assert_counted(&crew.outcome);
    assert_int_equal(inactive_sessions(), 0);
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGES_OF), 0);
    task_outcome_done(&crew.outcome);
}

/* What comes in behind a cursor stays; what is counted has gone. */
static void
test_ranges_with_inserts_meanwhile_count_what_they_delete(void **state)
{
    (void)state;
    Crew crew;
    CrewMember members[EXECUTORS];
    crew_start(&crew, members);
    for (int i = 0; i < 100; i++) {
        postgres_exec(
            app,
            "WITH u AS (INSERT INTO users VALUES (md5('new %d')::uuid) RETURNING user_id) "
            "SELECT FROM u",
            i);
        postgres_exec(
            app,
            "INSERT INTO sessions (id, user_id, created_at) SELECT 'new %d ' || row_number() "
            "OVER (), u, now() AT TIME ZONE 'UTC' - interval '30 days' FROM (VALUES "
            "(md5('new %d')::uuid), ('" RANGES_LOWEST "'), ('" RANGES_HIGHEST "')) v (u)",
            i, i);
    }
    crew_join(members);
    assert_finished(app, &sent, &crew.outcome, "succeeded");
    assert_counted(&crew.outcome);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id LIKE 's%%'"),
                     RANGES_USERS / 10);
    task_outcome_done(&crew.outcome);
}

static void
test_range_begins_with_the_lowest_session_of_its_lowest_user(void **state)
{
    (void)state;
    Crew crew;
    CrewMember members[EXECUTORS];
    start();
    postgres_exec(app,
                  "INSERT INTO sessions (id, user_id, created_at) SELECT '', bound_low::uuid, "
                  "now() AT TIME ZONE 'UTC' - interval '30 days' " RANGES_OF " AND range_no = 1");
    postgres_exec(app, "DELETE FROM messages WHERE user_id = (SELECT bound_low::uuid " RANGES_OF
                       " AND range_no = 1)");
    crew_start(&crew, members);
    crew_join(members);
    assert_int_equal(inactive_sessions(), 0);
    task_outcome_done(&crew.outcome);
}

typedef struct OtherStep {
    pthread_t thread;
    int worker;
    LongCommand *long_command;
    int claim;
    TaskStep step;
} OtherStep;

static void *
step_main(void *argument)
{
    OtherStep *run = argument;
    run->step = step_claimed(run->worker, run->long_command, run->claim);
    return NULL;
}

/* Returns when it waits for a lock in a statement of that kind. */
static void
start_step(OtherStep *run, int worker, LongCommand *stepped, int claim, const char *waits_in)
{
    char query[256];
    *run = (OtherStep){.worker = worker, .long_command = stepped, .claim = claim};
    assert_int_equal(pthread_create(&run->thread, NULL, step_main, run), 0);
    (void)snprintf(query, sizeof(query),
                   "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                   "datname = current_database() AND query LIKE '%%%s%%')",
                   waits_in);
    postgres_wait_until(app, query);
}

static void
end_step(OtherStep *run, TaskStep expected)
{
    assert_int_equal(pthread_join(run->thread, NULL), 0);
    assert_int_equal(run->step, expected);
}

static int64_t
sessions_in_range(int range_no)
{
    return postgres_number(app,
                           "SELECT count(*) FROM cleanup_worker.ledger_range r, (SELECT user_id AS "
                           "id FROM sessions s WHERE NOT EXISTS (SELECT FROM messages m WHERE "
                           "m.user_id = s.user_id)) u WHERE range_no = %d AND " RANGES_HOLD_U,
                           range_no);
}

static void
test_range_whose_row_is_locked_does_not_keep_the_other(void **state)
{
    (void)state;
    OtherStep blocked;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    start();
    const int64_t in_first = sessions_in_range(0);
    postgres_exec(other, "BEGIN; SELECT FROM cleanup_worker.ledger_range WHERE range_no = 0 "
                         "FOR UPDATE");
    const int first = claim_of(long_command);
    start_step(&blocked, 0, long_command, first, "range_no OPERATOR(pg_catalog.=) $3");
    int claim;
    while (long_command_claim(long_command, clock_monotonic_ms(clock_system()), &claim)) {
        assert_int_not_equal(claim, first);
        assert_int_equal(step_claimed(1, long_command, claim), TASK_REQUEUE);
    }
    assert_int_equal(sessions_in_range(1), 0);
    assert_int_equal(sessions_in_range(0), in_first);
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGES_OF " AND state = 'done'"), 1);
    postgres_exec(other, "COMMIT");
    end_step(&blocked, TASK_REQUEUE);
    worker_finish_long_command(&workers[1], &sent, long_command, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), RANGES_USERS * 9 / 10 + 2);
    assert_counted(&outcome);
}

static void
test_takeover_waits_for_all_ranges_and_goes_on_with_them(void **state)
{
    (void)state;
    CLEANUP(long_command_freep) LongCommand *second = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    OtherStep batch;
    OtherStep takeover;
    start();
    const int first = claim_of(long_command);
    assert_int_equal(step_claimed(0, long_command, first), TASK_REQUEUE);
    assert_int_equal(claim_of(long_command), first);
    const int running = claim_of(long_command);
    postgres_exec(other, "BEGIN; LOCK TABLE sessions");
    start_step(&batch, 0, long_command, running, "WITH look");
    workers[1].settings.executors = 1;
    start_step(&takeover, 1, second, CLAIM_EXCLUSIVE, "ORDER BY target DESC");
    postgres_exec(other, "COMMIT");
    end_step(&batch, TASK_REQUEUE);
    end_step(&takeover, TASK_REQUEUE);
    assert_int_equal(postgres_number(app, "SELECT count(*) " RANGES_OF " AND owner_epoch = 2"), 2);
    assert_int_equal(step_claimed(0, long_command, first), TASK_OWNERSHIP_LOST);
    assert_int_equal(claim_of(long_command), first);
    assert_int_equal(claim_of(long_command), running);
    assert_int_equal(step_claimed(0, long_command, running), TASK_OWNERSHIP_LOST);
    worker_finish_long_command(&workers[1], &sent, second, &outcome);
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), RANGES_USERS * 9 / 10 + 2);
    assert_counted(&outcome);
}

static void
test_range_that_fails_lets_the_others_do_their_work(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    Crew crew;
    CrewMember members[EXECUTORS];
    for (int i = 0; i < EXECUTORS; i++) {
        workers[i].settings.max_attempts = 3;
        workers[i].settings.retry_backoff_ms = 1;
    }
    postgres_exec(app, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN RAISE 'not this one'; END $$; CREATE TRIGGER refuse BEFORE DELETE "
                       "ON sessions FOR EACH ROW WHEN (OLD.id = 'highest') EXECUTE FUNCTION "
                       "refuse()");
    start();
    crew_start(&crew, members);
    crew_join(members);
    postgres_exec(app, "DROP FUNCTION refuse CASCADE");
    outcome = crew.outcome;
    assert_finished(app, &sent, &outcome, "failed");
    assert_true(outcome.dead_letter);
    assert_outcome_text(&outcome, "message", "Error cleaning up inactive sessions: not this one");
    assert_outcome_text(&outcome, "error.message", "not this one");
    assert_outcome_text(&outcome, "error.code", "database_error");
    assert_int_equal(outcome_number(&outcome, "attempts"), 1);
    assert_counted(&outcome);
    assert_int_equal(inactive_sessions(), 1);
}

static void
test_ranges_skip_and_settle_their_own_locked_sessions(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
    const char *const lock = "BEGIN; SELECT FROM users WHERE user_id IN ('" RANGES_LOWEST
                             "', '" RANGES_HIGHEST "') FOR KEY SHARE";
    start();
    postgres_exec(other, "%s", lock);
    for (int i = 0; i < EXECUTORS; i++)
        workers[i].settings.lock_wait_ms = 10000;
    int64_t kept = 0;
    while (kept < 2) {
        assert_int_equal(step_claimed(0, long_command, claim_of(long_command)), TASK_REQUEUE);
        kept = postgres_number(app, "SELECT count(DISTINCT range_no) FROM "
                                    "cleanup_worker.ledger_skipped");
    }
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger_skipped "
                                          "WHERE (item = 'lowest') = (range_no = 0)"),
                     2);
    postgres_exec(other, "COMMIT");
    TaskStep step = TASK_REQUEUE;
    const TaskItem item = sent_item(&sent);
    while (step == TASK_REQUEUE) {
        Error err = {0};
        task_outcome_done(&outcome);
        ASSERT_OK(task_step_long_command(&workers[0].context, &item,
                                         &(TaskTurn){long_command, claim_of(long_command), NULL},
                                         &outcome, &err),
                  &err);
        step = outcome.step;
    }
    assert_finished(app, &sent, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.skipped_sessions"), 0);
    assert_int_equal(inactive_sessions(), 0);
    assert_counted(&outcome);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_ranges_together_delete_everything_once),
        CASE(test_ranges_with_inserts_meanwhile_count_what_they_delete),
        CASE(test_range_begins_with_the_lowest_session_of_its_lowest_user),
        CASE(test_range_whose_row_is_locked_does_not_keep_the_other),
        CASE(test_takeover_waits_for_all_ranges_and_goes_on_with_them),
        CASE(test_range_that_fails_lets_the_others_do_their_work),
        CASE(test_ranges_skip_and_settle_their_own_locked_sessions),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

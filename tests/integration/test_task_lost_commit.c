/* The answer to a COMMIT is lost, at each commit of each shape of command: the worker tries again
 * until it is told how the command ended. Whether the lost one took effect or not, the command has
 * one effect and its bytes are the ledger's. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    CALLS_MAX = 200,
    USERS = 3,
};

typedef enum CommitLoss {
    LOST_BEFORE, /* the server is gone before the COMMIT reaches it */
    LOST_AFTER,  /* it has committed, and is gone before its answer is read */
} CommitLoss;

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static int commits_until_loss; /* 0 = none is lost any more */
static CommitLoss loss;

bool __real_database_commit(Database *database, Error *err);
bool __wrap_database_commit(Database *database, Error *err);

static void
kill_backend(void)
{
    postgres_exec(app, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    postgres_wait_until(app, "SELECT count(*) = 1 FROM pg_stat_activity "
                             "WHERE datname = current_database()");
}

bool
__wrap_database_commit(Database *database, Error *err)
{
    int64_t now_us;
    if (commits_until_loss == 0 || --commits_until_loss > 0)
        return __real_database_commit(database, err);
    if (loss == LOST_BEFORE) {
        kill_backend();
        return __real_database_commit(database, err);
    }
    assert_true(__real_database_commit(database, err));
    kill_backend();
    return database_now(database, &now_us, err);
}

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    postgres_exec(app, "CREATE TABLE touched (row_id text)");
    postgres_exec(app,
                  "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  "INSERT INTO public.touched VALUES (TG_ARGV[0] || (to_jsonb(OLD)->>TG_ARGV[1])); "
                  "RETURN NULL; END $$");
    postgres_exec(app, "CREATE TRIGGER touch AFTER DELETE ON sessions FOR EACH ROW "
                       "EXECUTE FUNCTION touch('session ', 'id')");
    postgres_exec(app, "CREATE TRIGGER touch AFTER UPDATE ON bookings FOR EACH ROW "
                       "EXECUTE FUNCTION touch('booking ', 'booking_id')");
    postgres_exec(app, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN RAISE 'not this one'; END $$");
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

static void
arrange(void)
{
    postgres_clear(app);
    postgres_exec(app, "DROP TRIGGER IF EXISTS refuse ON sessions; TRUNCATE touched");
    for (int user = 1; user <= USERS; user++)
        application_add_user(app, user, 48);
    application_add_booking(app, "b1", "Pending", 5);
    application_add_booking(app, "b2", "Pending", 4);
    application_add_booking(app, "b3", "Pending", 3);
}

/* What an executor does with one command: the same call again while it fails. */
typedef struct Run {
    SentCommand *sent;
    LongCommand *long_command;
    TaskShape shape;
    bool has_cause;
    Error cause;
} Run;

static bool
call(Run *run, TaskOutcome *outcome, Error *err)
{
    const TaskItem item = sent_item(run->sent);
    if (run->has_cause)
        return task_fail(&worker.context, &item, &(TaskFailure){&run->cause, 1, run->long_command},
                         outcome, err);
    switch (run->shape) {
    case TASK_SHAPE_SET:
        return task_run_set(&worker.context, &item, 1, 1, outcome, err);
    case TASK_SHAPE_READ:
        return task_run_read(&worker.context, &item, 1, outcome, err);
    case TASK_SHAPE_LONG_COMMAND:
        return task_step_long_command(
            &worker.context, &item,
            &(TaskTurn){run->long_command, worker_claim(&worker, run->long_command), NULL}, outcome,
            err);
    }
    return false;
}

static void
run_to_the_end(SentCommand *sent, TaskOutcome *ret_outcome)
{
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    Run run = {.sent = sent, .long_command = long_command, .shape = task_shape(&sent->command)};
    for (int calls = 0; calls < CALLS_MAX; calls++) {
        Error err = {0};
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        if (!call(&run, &outcome, &err)) {
            run.has_cause = run.has_cause || err.kind == ERROR_RETRY;
            if (err.kind == ERROR_RETRY)
                run.cause = err;
        } else if (outcome.step == TASK_LEAVE_SET) {
            run.shape = TASK_SHAPE_LONG_COMMAND;
        } else if (outcome.step != TASK_REQUEUE) {
            *ret_outcome = outcome;
            outcome = (TaskOutcome){0};
            return;
        }
    }
    fail_msg("%s never ends", sent->value);
}

/* Loses the first commit, then the second, and so on, until a run has no commit left to lose;
 * returns how many that were. */
static int
lose_each_commit(const char *value, const char *status, const char *trigger,
                 void (*check)(const TaskOutcome *outcome))
{
    for (int commits = 1;; commits++) {
        CLEANUP(sent_done) SentCommand sent = {0};
        CLEANUP(task_outcome_done) TaskOutcome outcome = {0};
        arrange();
        postgres_exec(app, "%s", trigger);
        worker_open(&worker, &settings, "w1");
        worker.settings.batch_sessions = 2;
        worker.settings.max_attempts = 2;
        sent_make(&sent, 10, "%s", value);
        commits_until_loss = commits;
        run_to_the_end(&sent, &outcome);
        const bool was_lost = commits_until_loss == 0;
        commits_until_loss = 0;
        assert_finished(app, &sent, &outcome, status);
        assert_int_equal(postgres_number(app, "SELECT count(*) - count(DISTINCT row_id) "
                                              "FROM touched"),
                         0);
        check(&outcome);
        worker_done(&worker);
        if (!was_lost)
            return commits - 1;
    }
}

static int64_t
touched(const char *kind)
{
    return postgres_number(app, "SELECT count(*) FROM touched WHERE row_id LIKE '%s %%'", kind);
}

static void
check_user(const TaskOutcome *outcome)
{
    assert_int_equal(outcome_number(outcome, "data.deleted_sessions"), 1);
    assert_int_equal(outcome_number(outcome, "data.deleted_image_records"), 2);
    assert_int_equal(touched("session"), 1);
    assert_int_equal(application_count_sessions(app), USERS - 1);
}

static void
check_sessions(const TaskOutcome *outcome)
{
    assert_int_equal(outcome_number(outcome, "data.deleted_sessions"), USERS);
    assert_int_equal(outcome_number(outcome, "data.deleted_image_records"), 2 * USERS);
    assert_int_equal(touched("session"), USERS);
    assert_int_equal(application_count_sessions(app), 0);
}

static void
check_scheduled(const TaskOutcome *outcome)
{
    assert_int_equal(outcome_number(outcome, "data.session_cleanup.deleted_sessions"), USERS);
    assert_int_equal(outcome_number(outcome, "data.booking_expiration.expired_bookings"), 3);
    assert_int_equal(touched("session"), USERS);
    assert_int_equal(touched("booking"), 3);
    assert_int_equal(
        postgres_number(app, "SELECT json_array_length(convert_from(result, 'UTF8')::json #> "
                             "'{data,booking_expiration,expired_booking_ids}') "
                             "FROM cleanup_worker.ledger"),
        3);
}

static void
check_failed_half_way(const TaskOutcome *outcome)
{
    assert_true(outcome->dead_letter);
    assert_int_equal(outcome_number(outcome, "attempts"), 1);
    assert_int_equal(outcome_number(outcome, "data.deleted_sessions"), 2);
    assert_int_equal(touched("session"), 2);
    assert_int_equal(application_count_sessions(app), USERS - 2);
}

static void
check_failed_set(const TaskOutcome *outcome)
{
    assert_true(outcome->dead_letter);
    assert_int_equal(outcome_number(outcome, "data.deleted_sessions"), 0);
    assert_int_equal(outcome_number(outcome, "data.skipped_sessions"), 1);
    assert_int_equal(touched("session"), 0);
    assert_int_equal(application_count_sessions(app), USERS);
}

static void
check_preview(const TaskOutcome *outcome)
{
    assert_int_equal(outcome_number(outcome, "data.total"), USERS);
    assert_int_equal(application_count_sessions(app), USERS);
}

static void
check_expired(const TaskOutcome *outcome)
{
    assert_true(outcome_is_null(outcome, "data"));
    assert_int_equal(application_count_sessions(app), USERS);
}

#define REFUSE_S3                                                                                  \
    "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW WHEN (OLD.id = 's3') "           \
    "EXECUTE FUNCTION refuse()"
#define NO_TRIGGER "SELECT"

static const struct {
    const char *value;
    const char *status;
    const char *trigger;
    void (*check)(const TaskOutcome *outcome);
    int commits; /* the fewest that a run has */
} cases[] = {
    {"{\"task\":\"cleanup_inactive_sessions_for_user\",\"params\":"
     "{\"user_id\":\"00000000-0000-4000-8000-000000000001\"}}",
     "succeeded", NO_TRIGGER, check_user, 1},
    {"{\"task\":\"cleanup_inactive_sessions\"}", "succeeded", NO_TRIGGER, check_sessions, 5},
    {"{\"task\":\"scheduled_cleanup\"}", "succeeded", NO_TRIGGER, check_scheduled, 8},
    {"{\"task\":\"cleanup_inactive_sessions\"}", "failed", REFUSE_S3, check_failed_half_way, 4},
    {"{\"task\":\"cleanup_inactive_sessions_for_user\",\"params\":"
     "{\"user_id\":\"00000000-0000-4000-8000-000000000003\"}}",
     "failed", REFUSE_S3, check_failed_set, 1},
    {"{\"task\":\"get_inactive_sessions_preview\"}", "succeeded", NO_TRIGGER, check_preview, 1},
    {"{\"task\":\"cleanup_inactive_sessions\",\"expires_at\":\"2020-01-01T00:00:00Z\"}", "expired",
     NO_TRIGGER, check_expired, 1},
};

static void
lose_in_every_case(CommitLoss kind)
{
    loss = kind;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int commits =
            lose_each_commit(cases[i].value, cases[i].status, cases[i].trigger, cases[i].check);
        assert_true(commits >= cases[i].commits);
    }
}

static void
test_commit_lost_before_it_took_effect_is_done_again(void **state)
{
    (void)state;
    lose_in_every_case(LOST_BEFORE);
}

static void
test_commit_lost_after_it_took_effect_is_not_done_again(void **state)
{
    (void)state;
    lose_in_every_case(LOST_AFTER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commit_lost_before_it_took_effect_is_done_again),
        cmocka_unit_test(test_commit_lost_after_it_took_effect_is_not_done_again),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

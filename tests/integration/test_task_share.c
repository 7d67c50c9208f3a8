/* Equal commands that share one run: who joins when it begins, what they get when it ends. */
#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

enum {
    FOLLOWERS = 4,
    USERS = 3,
};

#define CLEANUP_ALL "cleanup_inactive_sessions"

static DatabaseSettings settings;
static PgConn *app;
static TestWorker worker;
static LongCommand *long_command;
static SentCommand leader;
static SentCommand sent[FOLLOWERS];
static TaskItem items[FOLLOWERS];
static TaskOutcome outcomes[FOLLOWERS];
static TaskOutcome outcome;
static size_t count;

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
    for (int user = 1; user <= USERS; user++)
        application_add_user(app, user, 48);
    application_add_booking(app, "b1", "Pending", 48);
    worker_open(&worker, &settings, "w");
    long_command = long_command_new();
    leader = (SentCommand){0};
    memset(sent, 0, sizeof(sent));
    memset(outcomes, 0, sizeof(outcomes));
    count = 0;
    return 0;
}

static void
clear_outcomes(void)
{
    task_outcome_done(&outcome);
    for (size_t i = 0; i < FOLLOWERS; i++)
        task_outcome_done(&outcomes[i]);
}

static int
end(void **state)
{
    (void)state;
    clear_outcomes();
    sent_done(&leader);
    for (size_t i = 0; i < FOLLOWERS; i++)
        sent_done(&sent[i]);
    long_command_free(long_command);
    worker_done(&worker);
    pg_conn_free(app);
    return 0;
}

/* The leader "m" and followers whose ids lie on both sides of it. */
static void
send_equals(const char *task)
{
    static const char *const ids[FOLLOWERS] = {"z", "a", "n", "b"};
    sent_make_task(&leader, 10, "m", task);
    for (size_t i = 0; i < FOLLOWERS; i++)
        sent_make_task(&sent[i], 11 + (int64_t)i, ids[i], task);
    count = FOLLOWERS;
}

static TaskStep
step(void)
{
    Error err = {0};
    const TaskItem item = sent_item(&leader);
    for (size_t i = 0; i < count; i++)
        items[i] = sent_item(&sent[i]);
    const TaskFollowers followers = {items, outcomes, count};
    clear_outcomes();
    const int claim = worker_claim(&worker, long_command);
    ASSERT_OK(task_step_long_command(
                  &worker.context, &item,
                  &(TaskTurn){long_command, claim, claim == CLAIM_EXCLUSIVE ? &followers : NULL},
                  &outcome, &err),
              &err);
    return outcome.step;
}

static void
assert_followers(TaskStep expected)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(outcomes[i].step, expected);
}

/* Begins with all of them and runs up to the end, which is not included. */
static void
run_batches(void)
{
    assert_int_equal(step(), TASK_REQUEUE);
    assert_followers(TASK_FOLLOWS);
    int claim;
    while (long_command_claim(long_command, worker.monotonic_ms, &claim) &&
           claim != CLAIM_EXCLUSIVE) {
        Error err = {0};
        const TaskItem item = sent_item(&leader);
        ASSERT_OK(task_step_long_command(&worker.context, &item,
                                         &(TaskTurn){long_command, claim, NULL}, &outcome, &err),
                  &err);
        task_outcome_done(&outcome);
    }
}

static void
assert_same_text(const TaskOutcome *follower, const char *path)
{
    cJSON *result = cJSON_Parse(outcome.result);
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(result, path);
    if (member == NULL)
        member = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(result, "data"),
                                                  strchr(path, '.') + 1);
    assert_true(cJSON_IsString(member));
    assert_outcome_text(follower, path, member->valuestring);
    cJSON_Delete(result);
}

static void
test_end_gives_each_follower_a_result_of_its_own_that_found_nothing(void **state)
{
    (void)state;
    send_equals(CLEANUP_ALL);
    run_batches();
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
    assert_int_equal(step(), TASK_FINISHED);
    assert_finished(app, &leader, &outcome, "succeeded");
    assert_int_equal(outcome_number(&outcome, "data.deleted_sessions"), USERS);
    assert_null(strstr(outcome.result, "shared_with"));
    for (size_t i = 0; i < FOLLOWERS; i++) {
        const TaskOutcome *follower = &outcomes[i];
        assert_finished(app, &sent[i], follower, "succeeded");
        assert_outcome_text(follower, "command_id", sent[i].command.id);
        assert_outcome_text(follower, "message", "No inactive sessions found");
        assert_int_equal(outcome_number(follower, "data.deleted_sessions"), 0);
        assert_int_equal(outcome_number(follower, "data.deleted_image_records"), 0);
        assert_int_equal(outcome_number(follower, "data.deleted_video_records"), 0);
        assert_int_equal(outcome_number(follower, "data.skipped_sessions"), 0);
        assert_outcome_text(follower, "data.shared_with", "m");
        assert_same_text(follower, "data.cutoff_time");
        assert_same_text(follower, "started_at");
        assert_same_text(follower, "finished_at");
        assert_int_equal(outcome_number(follower, "attempts"), 1);
        assert_int_equal(outcome_number(follower, "source.offset"), 11 + (int64_t)i);
        assert_false(follower->dead_letter);
    }
    assert_int_equal(application_count_sessions(app), 0);
}

static void
test_end_of_scheduled_cleanup_says_so_of_both_halves(void **state)
{
    (void)state;
    send_equals("scheduled_cleanup");
    run_batches();
    assert_int_equal(step(), TASK_FINISHED);
    assert_int_equal(outcome_number(&outcome, "data.booking_expiration.expired_bookings"), 1);
    for (size_t i = 0; i < FOLLOWERS; i++) {
        assert_finished(app, &sent[i], &outcomes[i], "succeeded");
        assert_outcome_text(&outcomes[i], "message",
                            "Session cleanup: No inactive sessions found; Booking expiration: No "
                            "expired pending bookings found");
        assert_outcome_text(&outcomes[i], "data.shared_with", "m");
        assert_int_equal(outcome_number(&outcomes[i], "data.session_cleanup.deleted_sessions"), 0);
        assert_int_equal(outcome_number(&outcomes[i], "data.booking_expiration.expired_bookings"),
                         0);
    }
}

static void
test_end_of_an_expiration_lists_no_booking_for_a_follower(void **state)
{
    (void)state;
    send_equals("expire_pending_bookings");
    run_batches();
    assert_int_equal(step(), TASK_FINISHED);
    assert_int_equal(outcome_number(&outcome, "data.expired_bookings"), 1);
    assert_non_null(strstr(outcome.result, "\"expired_booking_ids\":[\"b1\"]"));
    for (size_t i = 0; i < FOLLOWERS; i++) {
        assert_finished(app, &sent[i], &outcomes[i], "succeeded");
        assert_outcome_text(&outcomes[i], "message", "No expired pending bookings found");
        assert_outcome_text(&outcomes[i], "data.shared_with", "m");
        assert_same_text(&outcomes[i], "data.cutoff_time");
        assert_non_null(strstr(outcomes[i].result, "\"expired_booking_ids\":[],"
                                                   "\"expired_booking_ids_truncated\":false"));
    }
}

static void
test_begin_takes_nobody_who_is_known_expired_or_too_old(void **state)
{
    (void)state;
    CLEANUP(task_outcome_done) TaskOutcome known = {0};
    send_equals(CLEANUP_ALL);
    worker_run(&worker, &sent[1], &known);
    assert_finished(app, &sent[1], &known, "succeeded");
    sent_make_expired(&sent[2]);
    sent_make_too_old(&sent[3], TASKS_RETENTION_HOURS);
    assert_int_equal(step(), TASK_REQUEUE);
    assert_int_equal(outcomes[0].step, TASK_FOLLOWS);
    for (size_t i = 1; i < FOLLOWERS; i++)
        assert_int_equal(outcomes[i].step, TASK_LEAVE_SET);
}

static void
test_begin_of_what_is_taken_over_absorbed_or_published_shares_nothing(void **state)
{
    (void)state;
    CLEANUP(long_command_freep) LongCommand *first = long_command_new();
    TaskOutcome begun = {0};
    send_equals(CLEANUP_ALL);
    assert_int_equal(worker_step(&worker, &leader, first, &begun), TASK_REQUEUE);
    assert_int_equal(step(), TASK_REQUEUE);
    assert_followers(TASK_PENDING);
    long_command_free(long_command);
    long_command = long_command_new();
    leader.record.offset++;
    assert_int_equal(step(), TASK_DUPLICATE);
    assert_followers(TASK_PENDING);
    leader.record.offset--;
    long_command_free(long_command);
    long_command = long_command_new();
    worker_finish_long_command(&worker, &leader, long_command, &begun);
    long_command_free(long_command);
    long_command = long_command_new();
    assert_int_equal(step(), TASK_FINISHED);
    assert_published_again(&outcome, &begun);
    task_outcome_done(&begun);
    assert_followers(TASK_PENDING);
}

static void
test_begin_of_an_expired_command_leaves_the_others(void **state)
{
    (void)state;
    send_equals(CLEANUP_ALL);
    sent_make_expired(&leader);
    assert_int_equal(step(), TASK_FINISHED);
    assert_finished(app, &leader, &outcome, "expired");
    assert_followers(TASK_PENDING);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
}

static void
test_end_that_fails_leaves_the_others(void **state)
{
    (void)state;
    send_equals(CLEANUP_ALL);
    worker.settings.max_attempts = 1;
    postgres_exec(app, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN RAISE 'not now'; END $$; CREATE TRIGGER refuse BEFORE DELETE ON "
                       "sessions FOR EACH ROW EXECUTE FUNCTION refuse()");
    run_batches();
    postgres_exec(app, "DROP FUNCTION refuse CASCADE");
    assert_int_equal(step(), TASK_FINISHED);
    assert_finished(app, &leader, &outcome, "failed");
    assert_followers(TASK_PENDING);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
}

static void
test_end_after_another_worker_took_over_leaves_the_others(void **state)
{
    (void)state;
    CLEANUP(long_command_freep) LongCommand *second = long_command_new();
    CLEANUP(task_outcome_done) TaskOutcome taken = {0};
    send_equals(CLEANUP_ALL);
    run_batches();
    assert_int_equal(worker_step(&worker, &leader, second, &taken), TASK_REQUEUE);
    assert_int_equal(step(), TASK_OWNERSHIP_LOST);
    assert_followers(TASK_PENDING);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 1);
}

/* A producer's duplicate, executed elsewhere while the leader ran. */
static void
test_end_leaves_who_is_known_by_then_to_the_ledgers_rules(void **state)
{
    (void)state;
    CLEANUP(sent_done) SentCommand elsewhere = {0};
    CLEANUP(task_outcome_done) TaskOutcome other = {0};
    send_equals(CLEANUP_ALL);
    run_batches();
    sent_make_task(&elsewhere, 99, "n", CLEANUP_ALL);
    worker_run(&worker, &elsewhere, &other);
    assert_int_equal(step(), TASK_FINISHED);
    for (size_t i = 0; i < FOLLOWERS; i++)
        assert_int_equal(outcomes[i].step, i == 2 ? TASK_LEAVE_SET : TASK_FINISHED);
    assert_null(outcomes[2].result);
    worker_run(&worker, &sent[2], &other);
    assert_int_equal(other.step, TASK_DUPLICATE);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM cleanup_worker.ledger"), 5);
}

/* The answer to the commit of the end was lost, so it is ended again. */
static void
test_end_again_leaves_followers_that_are_published_from_the_ledger(void **state)
{
    (void)state;
    TaskOutcome first[FOLLOWERS];
    send_equals(CLEANUP_ALL);
    run_batches();
    assert_int_equal(step(), TASK_FINISHED);
    CLEANUP(autofree) char *leaders = strdup(outcome.result);
    memcpy(first, outcomes, sizeof(first));
    memset(outcomes, 0, sizeof(outcomes));
    assert_int_equal(step(), TASK_FINISHED);
    assert_string_equal(outcome.result, leaders);
    assert_followers(TASK_PENDING);
    for (size_t i = 0; i < FOLLOWERS; i++) {
        CLEANUP(task_outcome_done) TaskOutcome again = {0};
        worker_run(&worker, &sent[i], &again);
        assert_published_again(&again, &first[i]);
        task_outcome_done(&first[i]);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_end_gives_each_follower_a_result_of_its_own_that_found_nothing),
        CASE(test_end_of_scheduled_cleanup_says_so_of_both_halves),
        CASE(test_end_of_an_expiration_lists_no_booking_for_a_follower),
        CASE(test_begin_takes_nobody_who_is_known_expired_or_too_old),
        CASE(test_begin_of_what_is_taken_over_absorbed_or_published_shares_nothing),
        CASE(test_begin_of_an_expired_command_leaves_the_others),
        CASE(test_end_that_fails_leaves_the_others),
        CASE(test_end_after_another_worker_took_over_leaves_the_others),
        CASE(test_end_leaves_who_is_known_by_then_to_the_ledgers_rules),
        CASE(test_end_again_leaves_followers_that_are_published_from_the_ledger),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, postgres_drop);
}

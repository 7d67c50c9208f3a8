#include "common/pg/pg_sqlstate.h"
#include "tests/unit/pipeline/made.h"
#include "tests/unit/pipeline/queue/queued.h"
#include "worker/pipeline/executor/unit_settle.h"

enum {
    START_MS = 1000000,
    JOBS = 4,
    MAX_ATTEMPTS = 3,
    BACKOFF_MS = 400,
    HOLD_MAX_MS = 1000,
    BUSY_MS = 250,
    ODD_MS = 1000,
    MISSING_MS = 5000,
};

/* What was pushed, in the order of the pushes. */
static struct {
    OutgoingList items;
    int pushes;
    bool may_wait; /* of the last */
} published;

/* Takes the publisher's place. */
void
publisher_push(Publisher *publisher, OutgoingList *items, bool may_wait)
{
    (void)publisher;
    outgoing_list_append(&published.items, items);
    published.pushes++;
    published.may_wait = may_wait;
}

typedef struct Fixture {
    int64_t now_ms;
    Clock clock;
    TaskSettings task;
    PipelineSettings settings;
    PipelineShared shared;
    Lane *lane;
    Unit *unit;
    unsigned seed;
} Fixture;

static int64_t
fake_monotonic_ms(void *state)
{
    const Fixture *fixture = state;
    return fixture->now_ms;
}

static void
add_jobs(Fixture *fixture)
{
    static const char *const names[JOBS] = {"a", "b", "c", "d"};
    for (int i = 0; i < JOBS; i++)
        batcher_add(fixture->shared.batcher,
                    made_job(fixture->lane, MADE_FIRST_OFFSET + i,
                             COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, names[i], names[i]));
}

/* A unit of four jobs, "a" to "d", is with the executor. */
static int
set_up(void **state)
{
    Error err = {0};
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->now_ms = START_MS;
    fixture->clock = (Clock){NULL, fake_monotonic_ms, fixture};
    fixture->task =
        (TaskSettings){.retry_backoff_ms = BACKOFF_MS, .retry_backoff_max_ms = 2 * BACKOFF_MS};
    fixture->settings = (PipelineSettings){.task = &fixture->task};
    fixture->shared = (PipelineShared){.settings = &fixture->settings, .clock = &fixture->clock};
    fixture->shared.batcher = batcher_new(1, JOBS, &fixture->clock);
    fixture->shared.hold = hold_new(fixture->shared.batcher, HOLD_MAX_MS, &fixture->clock);
    assert_true(completions_new(&fixture->shared.completions, &err));
    fixture->lane = made_lane(0, JOBS);
    outgoing_list_init(&published.items);
    published.pushes = 0;
    add_jobs(fixture);
    fixture->unit = batcher_take(fixture->shared.batcher, 0);
    assert_non_null(fixture->unit);
    assert_int_equal(fixture->unit->count, JOBS);
    assert_int_equal(lane_busy(fixture->lane), JOBS);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    for (Outgoing *item = outgoing_list_take(&published.items); item != NULL;
         item = outgoing_list_take(&published.items))
        outgoing_free(item);
    batcher_end_unit(fixture->shared.batcher, fixture->unit);
    assert_int_equal(lane_busy(fixture->lane), 0);
    hold_free(fixture->shared.hold);
    completions_free(fixture->shared.completions);
    batcher_free(fixture->shared.batcher);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static bool
is_failing(Fixture *fixture, Error *err)
{
    return !completions_check(fixture->shared.completions, err);
}

/* The ids of what is handed out now, one after another; what is handed out stays with the caller of
 * the last. */
static void
take_ids(Fixture *fixture, char ids[JOBS + 1])
{
    size_t count = 0;
    for (Unit *unit = batcher_take(fixture->shared.batcher, 0); unit != NULL;
         unit = batcher_take(fixture->shared.batcher, 0)) {
        for (size_t i = 0; i < unit->count; i++)
            ids[count++] = unit->jobs[i]->command.id[0];
        batcher_end_unit(fixture->shared.batcher, unit);
    }
    ids[count] = '\0';
}

/* What of the queue is handed out `after_ms` from now; that has ended then. */
static void
assert_handed_out(Fixture *fixture, int after_ms, const char *ids)
{
    char got[JOBS + 1];
    fixture->now_ms += after_ms;
    take_ids(fixture, got);
    assert_string_equal(got, ids);
}

static void
settle_first(Fixture *fixture, TaskOutcome *outcome)
{
    unit_settle_outcomes(&fixture->shared, fixture->unit->jobs, outcome, 1);
    assert_null(fixture->unit->jobs[0]);
    assert_null(outcome->result);
    assert_null(outcome->reason);
    assert_null(outcome->progress);
}

static void
test_outcomes_finished_are_published_together(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcomes[2] = {made_outcome("{\"a\":1}", NULL), made_outcome("{}", "why")};
    outcomes[1].status = "failed";
    outcomes[1].attempts = 2;
    outcomes[1].replay = 7;
    outcomes[1].finished_at_us = 12;
    unit_settle_outcomes(&fixture->shared, fixture->unit->jobs, outcomes, 2);
    assert_int_equal(published.pushes, 1);
    assert_true(published.may_wait);
    assert_int_equal(published.items.count, 2);
    const Outgoing *first = STAILQ_FIRST(&published.items.items);
    assert_int_equal(first->kind, OUTGOING_OUTCOME);
    assert_string_equal(first->command_id, "a");
    assert_string_equal(first->result, "{\"a\":1}");
    assert_false(first->dead_letter);
    assert_int_equal(first->source->offset, MADE_FIRST_OFFSET);
    const Outgoing *second = STAILQ_NEXT(first, entry);
    assert_string_equal(second->command_id, "b");
    assert_true(second->dead_letter);
    assert_string_equal(second->reason, "why");
    assert_int_equal(second->attempts, 2);
    assert_int_equal(second->replay, 7);
    assert_int_equal(second->finished_at_us, 12);
    /* The jobs have ended; what they became is under way. */
    assert_null(fixture->unit->jobs[0]);
    assert_null(fixture->unit->jobs[1]);
    assert_int_equal(queued(fixture->shared.batcher), 0);
    assert_int_equal(lane_busy(fixture->lane), JOBS);
}

static void
test_outcome_finished_frees_its_user(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcome = made_outcome("{}", NULL);
    batcher_add(fixture->shared.batcher,
                made_job(fixture->lane, MADE_FIRST_OFFSET + JOBS,
                         COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "e", "a"));
    assert_handed_out(fixture, 0, "");
    settle_first(fixture, &outcome);
    assert_handed_out(fixture, 0, "e");
}

static void
test_outcome_duplicate_publishes_nothing_but_ends_the_command(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcome = {.step = TASK_DUPLICATE};
    settle_first(fixture, &outcome);
    assert_int_equal(published.items.count, 1);
    const Outgoing *item = STAILQ_FIRST(&published.items.items);
    assert_int_equal(item->kind, OUTGOING_OUTCOME);
    assert_int_equal(outgoing_part_count(item), 0);
    assert_int_equal(queued(fixture->shared.batcher), 0);
}

static void
test_outcome_requeue_comes_again_at_once(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcome = {.step = TASK_REQUEUE};
    settle_first(fixture, &outcome);
    assert_int_equal(published.pushes, 0);
    assert_handed_out(fixture, 0, "a");
}

static void
test_outcome_requeue_with_progress_publishes_that(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcome = {.step = TASK_REQUEUE,
                           .progress = strdup("{\"rows\":1}"),
                           .progress_number = 3,
                           .progress_at_us = 9,
                           .note = calloc(1, sizeof(Error))};
    assert_non_null(outcome.note);
    (void)error_set(outcome.note, REASON_CONFLICT, "a batch failed");
    settle_first(fixture, &outcome);
    assert_false(published.may_wait);
    const Outgoing *item = STAILQ_FIRST(&published.items.items);
    assert_non_null(item);
    assert_int_equal(item->kind, OUTGOING_PROGRESS);
    assert_string_equal(item->result, "{\"rows\":1}");
    assert_int_equal(item->progress_number, 3);
    assert_int_equal(item->finished_at_us, 9);
    assert_int_equal(item->source->offset, MADE_FIRST_OFFSET);
    assert_int_equal(lane_busy(fixture->lane), JOBS - 1);
    assert_handed_out(fixture, 0, "a");
}

static void
test_outcome_leave_set_goes_on_as_a_long_command(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcome = {.step = TASK_LEAVE_SET};
    settle_first(fixture, &outcome);
    Unit *unit = batcher_take(fixture->shared.batcher, 0);
    assert_non_null(unit);
    assert_int_equal(unit->shape, TASK_SHAPE_LONG_COMMAND);
    assert_string_equal(unit->jobs[0]->command.id, "a");
    batcher_end_unit(fixture->shared.batcher, unit);
    assert_int_equal(published.pushes, 0);
}

static void
test_outcome_ownership_lost_drops_the_job(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcome = {.step = TASK_OWNERSHIP_LOST};
    settle_first(fixture, &outcome);
    assert_int_equal(published.pushes, 0);
    assert_int_equal(queued(fixture->shared.batcher), 0);
    assert_int_equal(lane_busy(fixture->lane), JOBS - 1);
}

static void
test_outcome_that_no_task_says_comes_again_later(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcomes[2] = {{.step = TASK_PENDING}, {.step = TASK_FOLLOWS}};
    unit_settle_outcomes(&fixture->shared, fixture->unit->jobs, outcomes, 2);
    assert_int_equal(published.pushes, 0);
    assert_handed_out(fixture, ODD_MS - 1, "");
    assert_handed_out(fixture, 1, "ab");
}

static void
test_outcome_of_a_dead_lane_is_not_queued_again(void **state)
{
    Fixture *fixture = *state;
    TaskOutcome outcomes[2] = {{.step = TASK_REQUEUE}, {.step = TASK_LEAVE_SET}};
    lane_set_state(fixture->lane, LANE_DEAD);
    unit_settle_outcomes(&fixture->shared, fixture->unit->jobs, outcomes, 2);
    assert_int_equal(queued(fixture->shared.batcher), 0);
    assert_int_equal(lane_busy(fixture->lane), JOBS - 2);
}

static void
keep_all(Fixture *fixture, const Error *err)
{
    unit_settle_kept(&fixture->shared, fixture->unit->jobs, JOBS, err, &fixture->seed);
}

static void
add_other(Fixture *fixture)
{
    batcher_add(fixture->shared.batcher,
                made_job(fixture->lane, MADE_FIRST_OFFSET + JOBS,
                         COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "z", "z"));
}

/* Every unit waits, and the jobs come first again, in their order. */
static void
expect_all_wait(const Error *err)
{
    void *state = NULL;
    Error failure = {0};
    assert_int_equal(set_up(&state), 0);
    Fixture *fixture = state;
    add_other(fixture);
    keep_all(fixture, err);
    assert_false(is_failing(fixture, &failure));
    assert_handed_out(fixture, 0, "");
    batcher_hold(fixture->shared.batcher, 0);
    Unit *unit = batcher_take(fixture->shared.batcher, 0);
    assert_non_null(unit);
    assert_int_equal(unit->count, JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(unit->jobs[i]->command.id[0], 'a' + i);
    batcher_end_unit(fixture->shared.batcher, unit);
    assert_handed_out(fixture, 0, "z");
    assert_int_equal(tear_down(&state), 0);
}

/* Only the jobs wait, between half of `span_ms` and all of it. */
static void
expect_these_wait(const Error *err, int span_ms)
{
    void *state = NULL;
    Error failure = {0};
    assert_int_equal(set_up(&state), 0);
    Fixture *fixture = state;
    add_other(fixture);
    keep_all(fixture, err);
    assert_false(is_failing(fixture, &failure));
    assert_handed_out(fixture, 0, "z");
    assert_handed_out(fixture, span_ms / 2 - 1, "");
    assert_int_equal(queued(fixture->shared.batcher), JOBS);
    assert_handed_out(fixture, span_ms - span_ms / 2 + 1, "abcd");
    assert_int_equal(tear_down(&state), 0);
}

/* What the scope of an error was before it was written into the error: by code and SQLSTATE. */
static bool
concerned_all(const Error *err)
{
    static const char *const classes[] = {"08", "25", "28", "3D", "53", "57", "58"};
    if (err->sqlstate[0] == '\0')
        return err->code == NULL || strcmp(err->code, "ledger_busy") != 0;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (strncmp(err->sqlstate, classes[i], strlen(classes[i])) == 0)
            return true;
    }
    return false;
}

static int
delay_ms(const Error *err)
{
    if (err->reason == REASON_TABLE_LOCKED)
        return BUSY_MS;
    const bool of_target =
        strncmp(err->sqlstate, "42", 2) == 0 || strcmp(err->sqlstate, "55P03") == 0;
    return of_target && err->scope == ERROR_SCOPE_TARGET ? MISSING_MS : ODD_MS;
}

static void
check_kept(const Error *err)
{
    if (concerned_all(err))
        expect_all_wait(err);
    else
        expect_these_wait(err, delay_ms(err));
}

static void
test_kept_waits_by_itself_or_with_every_unit_as_code_and_sqlstate_said(void **state)
{
    (void)state;
    static const char *const states[] = {"",      "08006", "0A000", "22P02", "23503", "25006",
                                         "25P02", "26000", "28P01", "3D000", "40001", "40P01",
                                         "42501", "42703", "42P01", "53100", "54000", "55000",
                                         "55P03", "57000", "57014", "57P01", "58030", "XX000"};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        for (int connected = 0; connected <= 1; connected++) {
            Error err = {0};
            (void)!pg_sqlstate_fill(&err,
                                    &(PgReport){states[i], "said", NULL, connected == 1, false});
            error_hold(&err); /* what task_fail does with an end that it cannot write */
            check_kept(&err);
        }
    }
}

static void
test_kept_own_error_concerns_everything_but_a_busy_ledger(void **state)
{
    (void)state;
    static const ErrorReason reasons[] = {
        REASON_CONNECTION_LOST, REASON_CLOCK_SKEW,     REASON_COMMIT_UNCONFIRMED,
        REASON_NOT_COMMITTED,   REASON_LEDGER_DAMAGED, REASON_PARAM_TOO_LARGE,
        REASON_LEDGER_BUSY,     REASON_OUT_OF_MEMORY,
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        Error err = {0};
        (void)error_set(&err, reasons[i], "found");
        error_hold(&err);
        check_kept(&err);
    }
    Error err = {0};
    (void)error_set_sqlstate(&err, REASON_LEDGER_NEWER, "54000", "too many ranges");
    check_kept(&err);
    (void)error_set_sqlstate(&err, REASON_ROW_LOCKED, "55P03", "locked");
    error_become(&err, REASON_LEDGER_BUSY);
    error_hold(&err);
    check_kept(&err);
}

static void
test_kept_for_any_other_kind_fails_the_process(void **state)
{
    (void)state;
    static const ErrorReason reasons[] = {REASON_OUT_OF_MEMORY, REASON_CONFLICT,
                                          REASON_DATA_INVALID, REASON_NONE};
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        void *own = NULL;
        Error err = {0};
        Error told = {0};
        assert_int_equal(set_up(&own), 0);
        Fixture *fixture = own;
        (void)error_set(&err, reasons[i], "odd");
        keep_all(fixture, &err);
        assert_true(is_failing(fixture, &told));
        assert_int_equal(told.reason, reasons[i]);
        assert_non_null(fixture->unit->jobs[0]);
        assert_int_equal(queued(fixture->shared.batcher), 0);
        assert_int_equal(tear_down(&own), 0);
    }
}

static bool
retry_first(Fixture *fixture, ErrorReason reason)
{
    Error err = {0};
    (void)error_set(&err, reason, "failed");
    return unit_settle_retry(&fixture->shared, fixture->unit->jobs, MAX_ATTEMPTS, &err,
                             &fixture->seed);
}

static void
test_retry_counts_and_waits_longer(void **state)
{
    Fixture *fixture = *state;
    Job *job = fixture->unit->jobs[0];
    job->attempts = 1;
    assert_true(retry_first(fixture, REASON_CONFLICT));
    assert_null(fixture->unit->jobs[0]);
    assert_int_equal(job->attempts, 2);
    assert_true(job->isolated);
    assert_in_range(job->not_before_ms, START_MS + BACKOFF_MS, START_MS + 2 * BACKOFF_MS);
    assert_handed_out(fixture, BACKOFF_MS - 1, "");
    assert_handed_out(fixture, BACKOFF_MS + 1, "a");
}

static void
test_retry_of_the_last_try_leaves_the_job(void **state)
{
    Fixture *fixture = *state;
    Job *job = fixture->unit->jobs[0];
    job->attempts = MAX_ATTEMPTS - 1;
    assert_false(retry_first(fixture, REASON_DATA_INVALID));
    assert_ptr_equal(fixture->unit->jobs[0], job);
    assert_int_equal(job->attempts, MAX_ATTEMPTS);
    assert_int_equal(queued(fixture->shared.batcher), 0);
}

static void
test_retry_for_a_busy_ledger_row_does_not_count(void **state)
{
    Fixture *fixture = *state;
    Job *job = fixture->unit->jobs[0];
    job->attempts = MAX_ATTEMPTS - 1;
    assert_true(retry_first(fixture, REASON_LEDGER_BUSY));
    assert_null(fixture->unit->jobs[0]);
    assert_int_equal(job->attempts, MAX_ATTEMPTS - 1);
    assert_true(job->isolated);
    assert_handed_out(fixture, BUSY_MS / 2 - 1, "");
    assert_handed_out(fixture, BUSY_MS - BUSY_MS / 2 + 1, "a");
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_outcomes_finished_are_published_together),
        CASE(test_outcome_finished_frees_its_user),
        CASE(test_outcome_duplicate_publishes_nothing_but_ends_the_command),
        CASE(test_outcome_requeue_comes_again_at_once),
        CASE(test_outcome_requeue_with_progress_publishes_that),
        CASE(test_outcome_leave_set_goes_on_as_a_long_command),
        CASE(test_outcome_ownership_lost_drops_the_job),
        CASE(test_outcome_that_no_task_says_comes_again_later),
        CASE(test_outcome_of_a_dead_lane_is_not_queued_again),
        cmocka_unit_test(test_kept_waits_by_itself_or_with_every_unit_as_code_and_sqlstate_said),
        cmocka_unit_test(test_kept_own_error_concerns_everything_but_a_busy_ledger),
        cmocka_unit_test(test_kept_for_any_other_kind_fails_the_process),
        CASE(test_retry_counts_and_waits_longer),
        CASE(test_retry_of_the_last_try_leaves_the_job),
        CASE(test_retry_for_a_busy_ledger_row_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/pg/pg_sqlstate.h"
#include "worker/pipeline/executor/unit_settle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    EXECUTORS = 2,
    SET_COMMANDS = 100,
    NOW_MS = 1000,
    HOLD_MAX_MS = 30 * 1000,
    BUSY_MOST_MS = 500,
    ODD_LEAST_MS = 500,
    MISSING_LEAST_MS = 2500,
    TRIES = 3,
};

typedef struct Fixture {
    Clock clock;
    TaskSettings task_settings;
    PipelineSettings settings;
    Lane *lane;
    PipelineShared shared;
    unsigned seed;
} Fixture;

static int64_t
still_monotonic_ms(void *state)
{
    (void)state;
    return NOW_MS;
}

static int64_t
still_now_us(void *state)
{
    return still_monotonic_ms(state) * CLOCK_US_PER_MS;
}

static int
set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    Error err = {0};
    assert_non_null(fixture);
    fixture->clock = (Clock){still_now_us, still_monotonic_ms, fixture};
    fixture->task_settings =
        (TaskSettings){.retry_backoff_ms = 1000, .retry_backoff_max_ms = 10 * 1000};
    fixture->settings = (PipelineSettings){.task = &fixture->task_settings};
    fixture->lane = lane_new(0, NULL);
    fixture->shared.settings = &fixture->settings;
    fixture->shared.clock = &fixture->clock;
    fixture->shared.batcher = batcher_new(EXECUTORS, SET_COMMANDS, &fixture->clock);
    fixture->shared.hold = hold_new(fixture->shared.batcher, HOLD_MAX_MS, &fixture->clock);
    assert_true(completions_new(&fixture->shared.completions, &err));
    assert_non_null(fixture->lane);
    assert_non_null(fixture->shared.hold);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    hold_free(fixture->shared.hold);
    batcher_free(fixture->shared.batcher);
    completions_free(fixture->shared.completions);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
add(Fixture *fixture, const char *user)
{
    Command command = {.task = COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER};
    assert_true(snprintf(command.id, sizeof(command.id), "id of %s", user) > 0);
    assert_true(snprintf(command.params.user_id, sizeof(command.params.user_id), "%s", user) > 0);
    const Record source = {.topic = "t"};
    Job *job = job_new(&command, record_copy(&source), fixture->lane);
    assert_non_null(job);
    batcher_add(fixture->shared.batcher, job);
}

/* Each executor takes one of the two. */
static Unit *
take_one_of_two(Fixture *fixture)
{
    add(fixture, "mine");
    add(fixture, "other's");
    Unit *unit = batcher_take(fixture->shared.batcher, 0);
    assert_non_null(unit);
    assert_int_equal(unit->count, 1);
    assert_string_equal(unit->jobs[0]->command.params.user_id, "mine");
    return unit;
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

static void
check_kept(const Error *err)
{
    Fixture *fixture = NULL;
    void *state = NULL;
    assert_int_equal(set_up(&state), 0);
    fixture = state;
    Unit *unit = take_one_of_two(fixture);
    Job *mine = unit->jobs[0];
    unit_settle_kept(&fixture->shared, unit->jobs, 1, err, &fixture->seed);
    assert_null(unit->jobs[0]);
    const int64_t delay_ms = mine->not_before_ms - NOW_MS;
    Unit *next = batcher_take(fixture->shared.batcher, 0);
    if (concerned_all(err)) {
        assert_null(next);
        assert_true(delay_ms <= 0);
    } else {
        assert_non_null(next);
        assert_string_equal(next->jobs[0]->command.params.user_id, "other's");
        const bool missing = strncmp(err->sqlstate, "42", 2) == 0;
        assert_true(delay_ms >= (missing ? MISSING_LEAST_MS : ODD_LEAST_MS));
        assert_true(missing || delay_ms < MISSING_LEAST_MS);
        batcher_release(fixture->shared.batcher, &next->jobs[0], false);
        batcher_end_unit(fixture->shared.batcher, next);
    }
    batcher_end_unit(fixture->shared.batcher, unit);
    assert_int_equal(tear_down(&state), 0);
}

static void
test_kept_waits_alone_or_has_everything_wait_as_code_and_sqlstate_said(void **state)
{
    (void)state;
    static const char *const states[] = {"",      "08006", "0A000", "22P02", "23503", "25006",
                                         "25P02", "26000", "28P01", "3D000", "40001", "40P01",
                                         "42501", "42703", "42P01", "53100", "54000", "55000",
                                         "55P03", "57000", "57014", "57P01", "58030", "XX000"};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        for (int connected = 0; connected <= 1; connected++) {
            Error err = {0};
            (void)!pg_sqlstate_fill(&err, states[i], connected == 1, "said");
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
    (void)error_set_sqlstate(&err, REASON_LOCK_HELD, "55P03", "locked");
    error_become(&err, REASON_LEDGER_BUSY);
    error_hold(&err);
    check_kept(&err);
}

static void
test_kept_no_hold_fails_the_process(void **state)
{
    Fixture *fixture = *state;
    Unit *unit = take_one_of_two(fixture);
    Error err = {0};
    (void)error_out_of_memory(&err);
    unit_settle_kept(&fixture->shared, unit->jobs, 1, &err, &fixture->seed);
    assert_non_null(unit->jobs[0]);
    Error told = {0};
    assert_false(completions_check(fixture->shared.completions, &told));
    assert_int_equal(told.reason, REASON_OUT_OF_MEMORY);
    batcher_release(fixture->shared.batcher, &unit->jobs[0], false);
    batcher_end_unit(fixture->shared.batcher, unit);
}

static void
test_retry_busy_ledger_counts_no_attempt(void **state)
{
    Fixture *fixture = *state;
    Unit *unit = take_one_of_two(fixture);
    Job *mine = unit->jobs[0];
    Error err = {0};
    (void)error_set(&err, REASON_LEDGER_BUSY, "a ledger row is gone");
    assert_true(unit_settle_retry(&fixture->shared, &unit->jobs[0], 1, &err, &fixture->seed));
    assert_null(unit->jobs[0]);
    assert_int_equal(mine->attempts, 0);
    assert_true(mine->isolated);
    assert_in_range(mine->not_before_ms, NOW_MS + 1, NOW_MS + BUSY_MOST_MS);
    batcher_end_unit(fixture->shared.batcher, unit);
}

static void
test_retry_other_failure_counts_until_tries_run_out(void **state)
{
    Fixture *fixture = *state;
    Unit *unit = take_one_of_two(fixture);
    Job *mine = unit->jobs[0];
    Error err = {0};
    (void)error_set_sqlstate(&err, REASON_LOCK_HELD, "55P03", "locked");
    mine->attempts = TRIES - 2;
    assert_true(unit_settle_retry(&fixture->shared, &unit->jobs[0], TRIES, &err, &fixture->seed));
    assert_null(unit->jobs[0]);
    assert_int_equal(mine->attempts, TRIES - 1);
    batcher_end_unit(fixture->shared.batcher, unit);

    unit = batcher_take(fixture->shared.batcher, 0);
    assert_non_null(unit);
    assert_string_equal(unit->jobs[0]->command.params.user_id, "other's");
    unit->jobs[0]->attempts = TRIES - 1;
    assert_false(unit_settle_retry(&fixture->shared, &unit->jobs[0], TRIES, &err, &fixture->seed));
    assert_non_null(unit->jobs[0]);
    assert_int_equal(unit->jobs[0]->attempts, TRIES);
    batcher_release(fixture->shared.batcher, &unit->jobs[0], false);
    batcher_end_unit(fixture->shared.batcher, unit);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_waits_alone_or_has_everything_wait_as_code_and_sqlstate_said),
        cmocka_unit_test(test_kept_own_error_concerns_everything_but_a_busy_ledger),
        cmocka_unit_test_setup_teardown(test_kept_no_hold_fails_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retry_busy_ledger_counts_no_attempt, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_retry_other_failure_counts_until_tries_run_out, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

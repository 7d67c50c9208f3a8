#include "tests/support/aborts.h"
#include "worker/pipeline/coordinator/coordinator_private.h"

enum {
    PHASES = PHASE_STOPPED + 1,
};

static const char *const names[PHASES] = {
    [PHASE_RUNNING] = "running",     [PHASE_ASSIGNING] = "assigning",
    [PHASE_FINISHING] = "finishing", [PHASE_COMMITTING] = "committing",
    [PHASE_STOPPED] = "stopped",
};

/* What may follow each phase. */
static const bool follows[PHASES][PHASES] = {
    [PHASE_RUNNING] = {[PHASE_ASSIGNING] = true, [PHASE_FINISHING] = true},
    [PHASE_ASSIGNING] = {[PHASE_RUNNING] = true, [PHASE_FINISHING] = true},
    [PHASE_FINISHING] = {[PHASE_COMMITTING] = true, [PHASE_RUNNING] = true, [PHASE_STOPPED] = true},
    [PHASE_COMMITTING] = {[PHASE_RUNNING] = true, [PHASE_STOPPED] = true},
};

typedef struct Step {
    Phase from;
    Phase to;
} Step;

static void
take(void *state)
{
    const Step *step = state;
    Coordinator coordinator = {.phase = step->from};
    coordinator_set_phase(&coordinator, step->to);
}

static void
test_set_phase_that_may_follow_is_set(void **state)
{
    (void)state;
    for (int from = 0; from < PHASES; from++) {
        for (int to = 0; to < PHASES; to++) {
            Coordinator coordinator = {.phase = (Phase)from};
            if (!follows[from][to])
                continue;
            coordinator_set_phase(&coordinator, (Phase)to);
            assert_int_equal(coordinator.phase, to);
        }
    }
}

static void
test_set_phase_that_may_not_follow_ends_the_process(void **state)
{
    (void)state;
    for (int from = 0; from < PHASES; from++) {
        for (int to = 0; to < PHASES; to++) {
            Step step = {(Phase)from, (Phase)to};
            if (!follows[from][to])
                assert_true(aborts_between(take, &step, names[from], names[to]));
        }
    }
}

typedef struct Times {
    int64_t now_ms;
} Times;

static int64_t
now_ms(void *state)
{
    const Times *times = state;
    return times->now_ms;
}

static void
test_tell_consumer_error_is_told_once_a_minute(void **state)
{
    (void)state;
    Times times = {.now_ms = 1000000};
    const Clock clock = {NULL, now_ms, &times};
    const PipelineShared shared = {.clock = &clock};
    Coordinator coordinator = {.shared = &shared};
    Error err = {0};
    (void)error_set(&err, REASON_KAFKA_FAILED, "away");
    coordinator_tell_consumer_error(&coordinator, &err);
    assert_int_equal(coordinator.error_news.logged_ms, times.now_ms);
    times.now_ms += LOG_LIMIT_MS - 1;
    coordinator_tell_consumer_error(&coordinator, &err);
    assert_int_equal(coordinator.error_news.logged_ms, 1000000);
    times.now_ms++;
    coordinator_tell_consumer_error(&coordinator, &err);
    assert_int_equal(coordinator.error_news.logged_ms, times.now_ms);
}

static void
test_tell_kept_out_is_told_each_minute_after_one_error(void **state)
{
    (void)state;
    Times times = {.now_ms = 1000000};
    const Clock clock = {NULL, now_ms, &times};
    const PipelineShared shared = {.clock = &clock};
    Coordinator coordinator = {.shared = &shared};
    Error err = {0};
    coordinator_tell_kept_out(&coordinator);
    assert_false(coordinator.kept_out_news.was_logged);
    (void)error_set(&err, REASON_ASSIGNOR_DIFFERS, "another assignor");
    coordinator_tell_consumer_error(&coordinator, &err);
    assert_false(coordinator.error_news.was_logged);
    coordinator_tell_kept_out(&coordinator);
    assert_int_equal(coordinator.kept_out_news.logged_ms, 1000000);
    times.now_ms += LOG_LIMIT_MS - 1;
    coordinator_tell_kept_out(&coordinator);
    assert_int_equal(coordinator.kept_out_news.logged_ms, 1000000);
    times.now_ms++;
    coordinator_tell_kept_out(&coordinator);
    assert_int_equal(coordinator.kept_out_news.logged_ms, times.now_ms);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_phase_that_may_follow_is_set),
        cmocka_unit_test(test_set_phase_that_may_not_follow_ends_the_process),
        cmocka_unit_test(test_tell_consumer_error_is_told_once_a_minute),
        cmocka_unit_test(test_tell_kept_out_is_told_each_minute_after_one_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/offsets/offset_tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
    SEQUENCES = 100000,
    STEPS_MAX = 40,
    MODEL_MAX = 120, /* offsets of a sequence lie below this */
    GROWTH_COUNT = 10000,
};

typedef enum ModelState { MODEL_COMING, MODEL_STARTED, MODEL_OFFERED, MODEL_FINISHED } ModelState;

/* The naive model of a partition: what has happened to each offset, over several assignments. */
typedef struct Model {
    bool is_record[MODEL_MAX]; /* the others are markers that no reader sees */
    ModelState states[MODEL_MAX];
    int64_t base; /* where the assignment began */
    int64_t position;
} Model;

static unsigned
next_random(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 8;
}

static bool
is_unfinished(const Model *model, int64_t offset)
{
    return model->is_record[offset] &&
           (model->states[offset] == MODEL_STARTED || model->states[offset] == MODEL_OFFERED);
}

static int64_t
model_committable(const Model *model)
{
    for (int64_t offset = model->base; offset < model->position; offset++) {
        if (is_unfinished(model, offset))
            return offset;
    }
    return model->position;
}

static size_t
model_in_flight(const Model *model)
{
    size_t count = 0;
    for (int64_t offset = model->base; offset < model->position; offset++)
        count += is_unfinished(model, offset);
    return count;
}

/* Hands out the next record of the partition. */
static void
start_next(OffsetTracker *tracker, Model *model)
{
    int64_t offset = model->position;
    while (offset < MODEL_MAX && !model->is_record[offset])
        offset++;
    if (offset == MODEL_MAX)
        return;
    const OffsetStart start = offset_tracker_start(tracker, offset);
    if (model->states[offset] == MODEL_FINISHED) {
        assert_int_equal(start, OFFSET_WAS_FINISHED);
    } else {
        assert_int_equal(start, OFFSET_STARTED);
        model->states[offset] = MODEL_STARTED;
    }
    model->position = offset + 1;
    assert_int_equal(offset_tracker_start(tracker, offset), OFFSET_BELOW);
}

static void
change_somewhere(OffsetTracker *tracker, Model *model, unsigned random)
{
    Error err = {0};
    if (model->position == model->base)
        return;
    const int64_t offset =
        model->base + (int64_t)(random / 4 % (unsigned)(model->position - model->base));
    ModelState *state = &model->states[offset];
    if (!model->is_record[offset])
        return;
    switch (random % 4) {
    case 0:
    case 1:
        assert_true(offset_tracker_finish(tracker, offset, &err));
        *state = MODEL_FINISHED;
        break;
    case 2:
        offset_tracker_offer(tracker, offset);
        *state = *state == MODEL_STARTED ? MODEL_OFFERED : *state;
        break;
    case 3:
        offset_tracker_withdraw(tracker, offset);
        *state = *state == MODEL_OFFERED ? MODEL_STARTED : *state;
        break;
    }
}

static bool
is_in_runs(const OffsetRun *runs, size_t count, int64_t offset)
{
    for (size_t i = 0; i < count; i++) {
        if (runs[i].first <= offset && offset <= runs[i].last)
            return true;
    }
    return false;
}

/* The model does what the plan says: offers that were withdrawn are unfinished again. */
static void
follow_plan(const OffsetTracker *tracker, Model *model)
{
    for (int64_t offset = model->base; offset < model->position; offset++) {
        if (model->states[offset] == MODEL_OFFERED && !offset_tracker_is_offered(tracker, offset))
            model->states[offset] = MODEL_STARTED;
    }
}

static void
check_plan(const Model *model, const OffsetPlan *plan)
{
    CLEANUP(autofree) OffsetRun *runs = NULL;
    size_t count = 0;
    assert_true(offset_ahead_decode(plan->offset, plan->metadata, &runs, &count));
    for (int64_t offset = 0; offset < MODEL_MAX; offset++) {
        if (!model->is_record[offset])
            continue;
        const bool planned = offset < plan->offset || is_in_runs(runs, count, offset);
        const bool finished =
            model->states[offset] == MODEL_FINISHED || model->states[offset] == MODEL_OFFERED;
        if (planned)
            assert_true(finished);
        else
            assert_true(!finished || plan->is_cut);
    }
}

static void
plan(OffsetTracker *tracker, Model *model, size_t max_bytes, OffsetPlan *ret_plan)
{
    Error err = {0};
    assert_true(offset_tracker_plan(tracker, max_bytes, ret_plan, &err));
    assert_true(strlen(ret_plan->metadata) <= max_bytes);
    follow_plan(tracker, model);
    check_plan(model, ret_plan);
}

/* The plan is committed, and the partition goes to another worker. */
static void
take_over(OffsetTracker **tracker, Model *model)
{
    OffsetPlan committed;
    plan(*tracker, model, OFFSET_AHEAD_BYTES_MAX, &committed);
    assert_false(committed.is_cut);
    for (int64_t offset = 0; offset < MODEL_MAX; offset++) {
        if (model->states[offset] == MODEL_OFFERED)
            model->states[offset] = MODEL_FINISHED;
        if (model->states[offset] == MODEL_STARTED)
            model->states[offset] = MODEL_COMING;
    }
    offset_tracker_free(*tracker);
    *tracker = offset_tracker_new();
    assert_non_null(*tracker);
    assert_true(offset_tracker_resume(*tracker, committed.offset, committed.metadata));
    model->base = committed.offset;
    model->position = committed.offset;
}

static void
take_step(OffsetTracker **tracker, Model *model, unsigned *random)
{
    OffsetPlan planned;
    const unsigned kind = next_random(random) % 20;
    if (kind < 9)
        start_next(*tracker, model);
    else if (kind < 18)
        change_somewhere(*tracker, model, next_random(random));
    else if (kind < 19)
        plan(*tracker, model, next_random(random) % 30, &planned);
    else
        take_over(tracker, model);
}

static void
run_sequence(unsigned *random)
{
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    assert_non_null(tracker);
    assert_true(offset_tracker_resume(tracker, 0, NULL));
    Model model = {.base = 0};
    for (size_t i = 0; i < MODEL_MAX; i++)
        model.is_record[i] = next_random(random) % 5 != 0;
    const unsigned steps = 1 + next_random(random) % STEPS_MAX;
    for (unsigned i = 0; i < steps; i++) {
        take_step(&tracker, &model, random);
        assert_int_equal(offset_tracker_committable(tracker), model_committable(&model));
        assert_int_equal(offset_tracker_in_flight(tracker), model_in_flight(&model));
    }
}

static void
test_track_random_sequences_agrees_with_model(void **state)
{
    (void)state;
    const char *given = getenv("TEST_SEED");
    unsigned random = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("TEST_SEED=%u\n", random);
    for (int i = 0; i < SEQUENCES; i++)
        run_sequence(&random);
}

static void
test_committable_before_first_start_is_none(void **state)
{
    (void)state;
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    assert_int_equal(offset_tracker_committable(tracker), OFFSET_TRACKER_NONE);
}

static void
test_finish_unknown_offset_is_fatal(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    assert_int_equal(offset_tracker_start(tracker, 5), OFFSET_STARTED);
    assert_int_equal(offset_tracker_start(tracker, 8), OFFSET_STARTED);
    assert_false(offset_tracker_finish(tracker, 7, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_false(offset_tracker_finish(tracker, 9, &err));
    assert_int_equal(offset_tracker_committable(tracker), 5);
}

static void
test_finish_twice_changes_nothing(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    assert_int_equal(offset_tracker_start(tracker, 1), OFFSET_STARTED);
    assert_int_equal(offset_tracker_start(tracker, 2), OFFSET_STARTED);
    assert_true(offset_tracker_finish(tracker, 2, &err));
    assert_true(offset_tracker_finish(tracker, 2, &err));
    assert_int_equal(offset_tracker_in_flight(tracker), 1);
    assert_true(offset_tracker_finish(tracker, 1, &err));
    assert_true(offset_tracker_finish(tracker, 1, &err));
    assert_int_equal(offset_tracker_committable(tracker), 3);
}

static void
finish_every_second(OffsetTracker *tracker, int64_t count)
{
    Error err = {0};
    for (int64_t offset = 0; offset < count; offset++)
        assert_int_equal(offset_tracker_start(tracker, offset), OFFSET_STARTED);
    for (int64_t offset = 1; offset < count; offset += 2)
        assert_true(offset_tracker_finish(tracker, offset, &err));
}

static void
test_plan_more_than_fits_withdraws_the_highest_offers(void **state)
{
    (void)state;
    Error err = {0};
    OffsetPlan planned;
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    for (int64_t offset = 0; offset < GROWTH_COUNT; offset++)
        assert_int_equal(offset_tracker_start(tracker, offset), OFFSET_STARTED);
    for (int64_t offset = 1; offset < GROWTH_COUNT; offset += 2)
        offset_tracker_offer(tracker, offset);
    assert_true(offset_tracker_plan(tracker, OFFSET_AHEAD_BYTES_MAX, &planned, &err));
    assert_false(planned.is_cut);
    assert_int_equal(planned.offset, 0);
    assert_true(offset_tracker_is_offered(tracker, 1));
    assert_false(offset_tracker_is_offered(tracker, GROWTH_COUNT - 1));
    assert_in_range(strlen(planned.metadata), 1, OFFSET_AHEAD_BYTES_MAX);
}

static void
test_plan_of_one_long_run_is_short(void **state)
{
    (void)state;
    Error err = {0};
    OffsetPlan planned;
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    for (int64_t offset = 0; offset < GROWTH_COUNT; offset++)
        assert_int_equal(offset_tracker_start(tracker, offset), OFFSET_STARTED);
    for (int64_t offset = 1; offset < GROWTH_COUNT; offset++)
        assert_true(offset_tracker_finish(tracker, offset, &err));
    assert_true(offset_tracker_plan(tracker, OFFSET_AHEAD_BYTES_MAX, &planned, &err));
    assert_int_equal(planned.offset, 0);
    assert_in_range(strlen(planned.metadata), 1, 20);
}

static void
test_plan_of_finished_that_does_not_fit_says_so(void **state)
{
    (void)state;
    Error err = {0};
    OffsetPlan planned;
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    finish_every_second(tracker, GROWTH_COUNT);
    assert_true(offset_tracker_plan(tracker, OFFSET_AHEAD_BYTES_MAX, &planned, &err));
    assert_true(planned.is_cut);
}

static void
test_resume_with_foreign_metadata_fails_and_starts_plainly(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "somebody else's", "ahead1:", "ahead1:%%%%", "ahead1:AA==", "ahead1:////////////////////",
        "ahead1:AQ"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
        const bool resumed = offset_tracker_resume(tracker, 7, texts[i]);
        /* No run at all is what an empty set looks like. */
        assert_int_equal(resumed, strcmp(texts[i], "ahead1:") == 0);
        assert_int_equal(offset_tracker_committable(tracker), 7);
        assert_int_equal(offset_tracker_start(tracker, 7), OFFSET_STARTED);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_track_random_sequences_agrees_with_model),
        cmocka_unit_test(test_committable_before_first_start_is_none),
        cmocka_unit_test(test_finish_unknown_offset_is_fatal),
        cmocka_unit_test(test_finish_twice_changes_nothing),
        cmocka_unit_test(test_plan_more_than_fits_withdraws_the_highest_offers),
        cmocka_unit_test(test_plan_of_one_long_run_is_short),
        cmocka_unit_test(test_plan_of_finished_that_does_not_fit_says_so),
        cmocka_unit_test(test_resume_with_foreign_metadata_fails_and_starts_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/kafka/offset_tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

enum {
    SEQUENCES = 100000,
    STEPS_MAX = 24,
    MODEL_MAX = 200, /* offsets of a sequence lie below this */
    GROWTH_COUNT = 10000,
};

/* The naive model: what has happened to each offset. */
typedef struct Model {
    bool started[MODEL_MAX];
    bool finished[MODEL_MAX];
    int64_t position; /* -1: nothing started */
} Model;

static unsigned
next_random(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 8;
}

static int64_t
model_committable(const Model *model)
{
    for (int64_t offset = 0; offset < model->position; offset++) {
        if (model->started[offset] && !model->finished[offset])
            return offset;
    }
    return model->position;
}

static size_t
model_count(const Model *model, bool ahead)
{
    size_t count = 0;
    const int64_t committable = model_committable(model);
    for (int64_t offset = 0; offset < model->position; offset++) {
        if (!model->started[offset])
            continue;
        count += ahead ? model->finished[offset] && offset > committable : !model->finished[offset];
    }
    return count;
}

static void
start_somewhere(OffsetTracker *tracker, Model *model, unsigned random)
{
    /* Mostly the next one, sometimes after a gap, sometimes one that was there before. */
    const int64_t base = model->position < 0 ? 0 : model->position;
    const int64_t offset = base + (int64_t)(random % 6) - 2;
    if (offset < 0 || offset >= MODEL_MAX)
        return;
    const OffsetStart start = offset_tracker_start(tracker, offset);
    if (offset < model->position) {
        assert_int_equal(start, OFFSET_BELOW);
        return;
    }
    assert_int_equal(start, OFFSET_STARTED);
    model->started[offset] = true;
    model->position = offset + 1;
}

static void
finish_somewhere(OffsetTracker *tracker, Model *model, unsigned random)
{
    if (model->position <= 0)
        return;
    const int64_t offset = (int64_t)(random % (unsigned)model->position);
    if (!model->started[offset])
        return;
    Error err = {0};
    assert_true(offset_tracker_finish(tracker, offset, &err));
    model->finished[offset] = true;
}

static void
run_sequence(unsigned *random)
{
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    assert_non_null(tracker);
    Model model = {.position = OFFSET_TRACKER_NONE};
    const unsigned steps = 1 + next_random(random) % STEPS_MAX;
    for (unsigned i = 0; i < steps; i++) {
        if (next_random(random) % 2 == 0)
            start_somewhere(tracker, &model, next_random(random));
        else
            finish_somewhere(tracker, &model, next_random(random));
        assert_int_equal(offset_tracker_committable(tracker), model_committable(&model));
        assert_int_equal(offset_tracker_position(tracker), model.position);
        assert_int_equal(offset_tracker_in_flight(tracker), model_count(&model, false));
        assert_int_equal(offset_tracker_finished_ahead(tracker), model_count(&model, true));
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
    assert_int_equal(offset_tracker_position(tracker), OFFSET_TRACKER_NONE);
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
test_ahead_at_lists_finished_after_unfinished(void **state)
{
    (void)state;
    Error err = {0};
    CLEANUP(offset_tracker_freep) OffsetTracker *tracker = offset_tracker_new();
    for (int64_t offset = 10; offset < GROWTH_COUNT; offset++)
        assert_int_equal(offset_tracker_start(tracker, offset), OFFSET_STARTED);
    assert_true(offset_tracker_finish(tracker, 4000, &err));
    assert_true(offset_tracker_finish(tracker, 12, &err));
    assert_int_equal(offset_tracker_ahead_at(tracker, 0), 12);
    assert_int_equal(offset_tracker_ahead_at(tracker, 1), 4000);
    assert_int_equal(offset_tracker_ahead_at(tracker, 2), OFFSET_TRACKER_NONE);
    assert_int_equal(offset_tracker_committable(tracker), 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_track_random_sequences_agrees_with_model),
        cmocka_unit_test(test_committable_before_first_start_is_none),
        cmocka_unit_test(test_finish_unknown_offset_is_fatal),
        cmocka_unit_test(test_finish_twice_changes_nothing),
        cmocka_unit_test(test_ahead_at_lists_finished_after_unfinished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

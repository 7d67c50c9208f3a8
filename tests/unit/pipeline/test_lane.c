#include "worker/pipeline/lane.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const LaneMarks marks = {.high_commands = 10, .high_bytes = 1000, .high_ahead = 5};

static void
accept_many(Lane *lane, int64_t from, int64_t count, size_t size_bytes)
{
    for (int64_t offset = from; offset < from + count; offset++)
        assert_int_equal(lane_accept(lane, offset, size_bytes), OFFSET_STARTED);
}

static void
finish_many(Lane *lane, int64_t from, int64_t count, size_t size_bytes)
{
    Error err = {0};
    for (int64_t offset = from; offset < from + count; offset++)
        assert_true(lane_finish(lane, offset, size_bytes, &err));
}

static void
test_flow_above_commands_pauses_and_below_half_resumes(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, 1);
    accept_many(lane, 0, 9, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_KEEP);
    accept_many(lane, 9, 1, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_PAUSE);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_KEEP);
    finish_many(lane, 0, 4, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_KEEP);
    finish_many(lane, 4, 1, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_RESUME);
    lane_unref(lane);
}

static void
test_flow_above_bytes_pauses(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, 1);
    accept_many(lane, 0, 2, 500);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_PAUSE);
    finish_many(lane, 0, 1, 500);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_RESUME);
    lane_unref(lane);
}

static void
test_flow_too_many_finished_ahead_pauses(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, 1);
    accept_many(lane, 0, 6, 1);
    finish_many(lane, 1, 5, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_PAUSE);
    finish_many(lane, 0, 1, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_RESUME);
    lane_unref(lane);
}

static void
test_commit_offset_waits_for_the_earliest(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, 1);
    assert_int_equal(lane_commit_offset(lane), OFFSET_TRACKER_NONE);
    accept_many(lane, 5, 3, 1);
    finish_many(lane, 6, 2, 1);
    assert_int_equal(lane_commit_offset(lane), OFFSET_TRACKER_NONE);
    finish_many(lane, 5, 1, 1);
    assert_int_equal(lane_commit_offset(lane), 8);
    lane_committed(lane, 8);
    assert_int_equal(lane_commit_offset(lane), OFFSET_TRACKER_NONE);
    lane_commit_failed(lane);
    assert_int_equal(lane_commit_offset(lane), 8);
    lane_unref(lane);
}

static void
test_accept_below_position_is_dropped(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, 1);
    accept_many(lane, 5, 1, 1);
    assert_int_equal(lane_accept(lane, 5, 1), OFFSET_BELOW);
    assert_int_equal(lane_commands(lane), 1);
    lane_unref(lane);
}

static void
test_set_state_backwards_is_ignored(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, 1);
    lane_set_state(lane, LANE_DEAD);
    lane_set_state(lane, LANE_OPEN);
    assert_int_equal(lane_state(lane), LANE_DEAD);
    lane_unref(lane);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow_above_commands_pauses_and_below_half_resumes),
        cmocka_unit_test(test_flow_above_bytes_pauses),
        cmocka_unit_test(test_flow_too_many_finished_ahead_pauses),
        cmocka_unit_test(test_commit_offset_waits_for_the_earliest),
        cmocka_unit_test(test_accept_below_position_is_dropped),
        cmocka_unit_test(test_set_state_backwards_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

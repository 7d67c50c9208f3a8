#include "tests/support/aborts.h"
#include "worker/pipeline/queue/lane.h"

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
        assert_true(lane_finish(lane, offset, &err));
    lane_release(lane, size_bytes * (size_t)count);
}

static void
test_flow_above_commands_pauses_and_below_half_resumes(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, NULL);
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
    Lane *lane = lane_new(0, NULL);
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
    Lane *lane = lane_new(0, NULL);
    accept_many(lane, 0, 6, 1);
    finish_many(lane, 1, 5, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_PAUSE);
    finish_many(lane, 0, 1, 1);
    assert_int_equal(lane_flow(lane, &marks), LANE_FLOW_RESUME);
    lane_unref(lane);
}

static int64_t
plan_commit(Lane *lane, OffsetPlan *plan)
{
    Error err = {0};
    assert_true(lane_plan_commit(lane, plan, &err));
    assert_false(lane_has_uncommitted(lane));
    return plan->offset;
}

static void
test_plan_commit_waits_for_the_earliest_and_tells_what_is_ahead(void **state)
{
    (void)state;
    OffsetPlan plan;
    Lane *lane = lane_new(0, NULL);
    accept_many(lane, 5, 3, 1);
    assert_false(lane_has_uncommitted(lane));
    finish_many(lane, 6, 2, 1);
    assert_true(lane_has_uncommitted(lane));
    assert_int_equal(plan_commit(lane, &plan), 5);
    assert_true(offset_ahead_covers(plan.offset, plan.metadata, 7));
    finish_many(lane, 5, 1, 1);
    assert_int_equal(plan_commit(lane, &plan), 8);
    assert_string_equal(plan.metadata, "");
    lane_commit_failed(lane);
    assert_true(lane_has_uncommitted(lane));
    lane_unref(lane);
}

static void
test_resume_drops_what_was_finished_ahead(void **state)
{
    (void)state;
    OffsetPlan plan;
    Lane *before = lane_new(0, NULL);
    accept_many(before, 5, 4, 1);
    finish_many(before, 7, 2, 1);
    assert_int_equal(plan_commit(before, &plan), 5);
    Lane *lane = lane_new(0, NULL);
    assert_true(lane_resume(lane, plan.offset, plan.metadata));
    accept_many(lane, 5, 2, 1);
    assert_int_equal(lane_accept(lane, 7, 1), OFFSET_WAS_FINISHED);
    assert_int_equal(lane_accept(lane, 8, 1), OFFSET_WAS_FINISHED);
    finish_many(lane, 5, 2, 1);
    assert_int_equal(plan_commit(lane, &plan), 9);
    lane_unref(before);
    lane_unref(lane);
}

static void
test_accept_below_position_is_dropped(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, NULL);
    accept_many(lane, 5, 1, 1);
    assert_int_equal(lane_accept(lane, 5, 1), OFFSET_BELOW);
    assert_int_equal(lane_accept(lane, 4, 1), OFFSET_BELOW);
    lane_unref(lane);
}

static void
test_set_state_forward_is_set(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, NULL);
    assert_int_equal(lane_state(lane), LANE_OPEN);
    lane_set_state(lane, LANE_CLOSING);
    assert_int_equal(lane_state(lane), LANE_CLOSING);
    lane_set_state(lane, LANE_DEAD);
    assert_int_equal(lane_state(lane), LANE_DEAD);
    lane_unref(lane);
}

static void
close_again(void *state)
{
    lane_set_state(state, LANE_CLOSING);
}

static void
test_set_state_backward_or_again_ends_the_process(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, NULL);
    lane_set_state(lane, LANE_CLOSING);
    assert_true(aborts_between(close_again, lane, "from=closing", "to=closing"));
    lane_set_state(lane, LANE_DEAD);
    assert_true(aborts_between(close_again, lane, "from=dead", "to=closing"));
    lane_unref(lane);
}

static void
test_busy_counts_the_references_that_say_so(void **state)
{
    (void)state;
    Lane *lane = lane_new(0, NULL);
    assert_ptr_equal(lane_ref(lane), lane);
    assert_int_equal(lane_busy(lane), 0);
    assert_ptr_equal(lane_ref_busy(lane), lane);
    assert_ptr_equal(lane_ref_busy(lane), lane);
    assert_int_equal(lane_busy(lane), 2);
    lane_unref(lane);
    lane_unref(lane);
    lane_unref_busy(lane);
    assert_int_equal(lane_busy(lane), 1);
    lane_unref_busy(lane);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow_above_commands_pauses_and_below_half_resumes),
        cmocka_unit_test(test_flow_above_bytes_pauses),
        cmocka_unit_test(test_flow_too_many_finished_ahead_pauses),
        cmocka_unit_test(test_plan_commit_waits_for_the_earliest_and_tells_what_is_ahead),
        cmocka_unit_test(test_resume_drops_what_was_finished_ahead),
        cmocka_unit_test(test_accept_below_position_is_dropped),
        cmocka_unit_test(test_set_state_forward_is_set),
        cmocka_unit_test(test_set_state_backward_or_again_ends_the_process),
        cmocka_unit_test(test_busy_counts_the_references_that_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

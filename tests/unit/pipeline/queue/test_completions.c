#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/queue/completions.h"

#include <poll.h>

static int
set_up(void **state)
{
    Error err = {0};
    Completions *completions = NULL;
    assert_true(completions_new(&completions, &err));
    *state = completions;
    return 0;
}

static int
tear_down(void **state)
{
    completions_free(*state);
    return 0;
}

static bool
is_readable(const Completions *completions)
{
    struct pollfd fd = {.fd = completions_fd(completions), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void
post(Completions *completions, Lane *lane, size_t size_bytes)
{
    CompletionList list = STAILQ_HEAD_INITIALIZER(list);
    assert_true(completion_list_add(&list, lane, size_bytes));
    completions_post(completions, &list);
    assert_true(STAILQ_EMPTY(&list));
}

static void
assert_next(CompletionList *list, const Lane *lane, size_t size_bytes)
{
    Completion *completion = completion_list_take(list);
    assert_non_null(completion);
    assert_ptr_equal(completion->lane, lane);
    assert_int_equal(completion->size_bytes, size_bytes);
    completion_free(completion);
}

static void
test_take_gives_all_in_order_and_makes_unreadable(void **state)
{
    Completions *completions = *state;
    Lane *lane = lane_new(0, NULL);
    CompletionList list = STAILQ_HEAD_INITIALIZER(list);
    assert_false(is_readable(completions));
    post(completions, lane, 1);
    post(completions, lane, 2);
    assert_true(is_readable(completions));
    completions_take(completions, &list);
    assert_false(is_readable(completions));
    assert_next(&list, lane, 1);
    assert_next(&list, lane, 2);
    assert_null(completion_list_take(&list));
    post(completions, lane, 4);
    completions_take(completions, &list);
    assert_next(&list, lane, 4);
    lane_unref(lane);
}

static void
test_add_makes_one_completion_for_each_lane(void **state)
{
    (void)state;
    Lane *lanes[] = {lane_new(0, NULL), lane_new(1, NULL)};
    CompletionList list = STAILQ_HEAD_INITIALIZER(list);
    assert_true(completion_list_add(&list, lanes[0], 1));
    assert_true(completion_list_add(&list, lanes[1], 10));
    assert_true(completion_list_add(&list, lanes[0], 2));
    assert_int_equal(STAILQ_FIRST(&list)->commands, 2);
    assert_next(&list, lanes[0], 3);
    assert_int_equal(STAILQ_FIRST(&list)->commands, 1);
    assert_next(&list, lanes[1], 10);
    assert_null(completion_list_take(&list));
    for (size_t i = 0; i < ARRAY_LEN(lanes); i++) {
        assert_int_equal(lane_busy(lanes[i]), 0);
        lane_unref(lanes[i]);
    }
}

static void
test_completion_counts_as_busy_until_it_is_freed(void **state)
{
    Completions *completions = *state;
    Lane *lane = lane_new(0, NULL);
    CompletionList list = STAILQ_HEAD_INITIALIZER(list);
    assert_true(completion_list_add(&list, lane, 1));
    assert_int_equal(lane_busy(lane), 1);
    completions_post(completions, &list);
    completions_take(completions, &list);
    assert_int_equal(lane_busy(lane), 1);
    assert_next(&list, lane, 1);
    assert_int_equal(lane_busy(lane), 0);
    lane_unref(lane);
}

static void
test_post_nothing_does_not_wake(void **state)
{
    Completions *completions = *state;
    CompletionList list = STAILQ_HEAD_INITIALIZER(list);
    completions_post(completions, &list);
    assert_false(is_readable(completions));
}

static void
test_fail_wakes_and_the_first_error_counts(void **state)
{
    Completions *completions = *state;
    Error first = {0};
    Error second = {0};
    Error err = {0};
    (void)error_set(&first, REASON_SYSTEM, "one");
    (void)error_set(&second, REASON_INTERNAL, "two");
    assert_true(completions_check(completions, &err));
    completions_fail(completions, &first);
    assert_true(is_readable(completions));
    completions_fail(completions, &second);
    assert_false(completions_check(completions, &err));
    assert_int_equal(err.reason, REASON_SYSTEM);
}

static void
test_free_ends_what_was_not_taken(void **state)
{
    (void)state;
    Error err = {0};
    Completions *completions = NULL;
    Lane *lane = lane_new(0, NULL);
    assert_true(completions_new(&completions, &err));
    post(completions, lane, 1);
    post(completions, lane, 1);
    completions_free(completions);
    assert_int_equal(lane_busy(lane), 0);
    lane_unref(lane);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_take_gives_all_in_order_and_makes_unreadable),
        CASE(test_add_makes_one_completion_for_each_lane),
        CASE(test_completion_counts_as_busy_until_it_is_freed),
        CASE(test_post_nothing_does_not_wake),
        CASE(test_fail_wakes_and_the_first_error_counts),
        CASE(test_free_ends_what_was_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

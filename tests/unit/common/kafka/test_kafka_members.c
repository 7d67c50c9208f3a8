#include "common/kafka/kafka_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Version 0, one topic "ab", partitions 3 and 4, and no user data. */
static const unsigned char two_partitions[] = {0, 0, 0, 0, 0, 1, 0, 2, 'a', 'b', 0, 0,
                                               0, 2, 0, 0, 0, 3, 0, 0, 0,   4,   0, 0};
static const unsigned char no_topic[] = {0, 3, 0, 0, 0, 0};
static const unsigned char topic_without_partitions[] = {0, 1,   0,   0, 0, 1, 0,
                                                         2, 'a', 'b', 0, 0, 0, 0};

static struct rd_kafka_group_member_info
member(const unsigned char *assignment, size_t size)
{
    return (struct rd_kafka_group_member_info){
        .member_assignment = (void *)(uintptr_t)assignment,
        .member_assignment_size = (int)size,
    };
}

/* Whether a group of a member without an assignment and this one is idle. */
static bool
is_idle_with(const unsigned char *assignment, size_t size)
{
    struct rd_kafka_group_member_info members[] = {member(NULL, 0), member(assignment, size)};
    char state[] = "Stable";
    const struct rd_kafka_group_info group = {
        .state = state, .members = members, .member_cnt = ARRAY_LEN(members)};
    return kafka_members_are_idle(&group);
}

static void
test_idle_members_without_partitions_are(void **state)
{
    (void)state;
    assert_true(is_idle_with(NULL, 0));
    assert_true(is_idle_with(no_topic, sizeof(no_topic)));
    assert_true(is_idle_with(topic_without_partitions, sizeof(topic_without_partitions)));
}

static void
test_idle_member_with_partitions_is_not(void **state)
{
    (void)state;
    assert_false(is_idle_with(two_partitions, sizeof(two_partitions)));
}

static void
test_idle_assignment_that_is_cut_counts_as_partitions(void **state)
{
    (void)state;
    for (size_t size = 1; size < sizeof(topic_without_partitions); size++)
        assert_false(is_idle_with(topic_without_partitions, size));
    static const unsigned char negative[] = {0, 0, 0xff, 0xff, 0xff, 0xff};
    assert_false(is_idle_with(negative, sizeof(negative)));
}

static void
test_idle_group_that_rebalances_or_is_unknown_is_not(void **state)
{
    (void)state;
    char rebalancing[] = "PreparingRebalance";
    char stable[] = "Stable";
    struct rd_kafka_group_info group = {.state = rebalancing};
    assert_false(kafka_members_are_idle(&group));
    group.state = NULL;
    assert_false(kafka_members_are_idle(&group));
    group.state = stable;
    assert_true(kafka_members_are_idle(&group));
    group.err = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    assert_false(kafka_members_are_idle(&group));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_members_without_partitions_are),
        cmocka_unit_test(test_idle_member_with_partitions_is_not),
        cmocka_unit_test(test_idle_assignment_that_is_cut_counts_as_partitions),
        cmocka_unit_test(test_idle_group_that_rebalances_or_is_unknown_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Equal commands that wait together: who leads, who follows, and what becomes of them. */
#include "tests/unit/pipeline/queue/queued.h"
#include "worker/pipeline/queue/batcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    EXECUTORS = 4,
    TEXT_BYTES = 40,
};

#define CLEAN_ALL COMMAND_CLEANUP_INACTIVE_SESSIONS

typedef struct Fixture {
    Batcher *batcher;
    Lane *lane;
    Lane *other_lane;
    int64_t next_offset;
    Job *followers[BATCHER_FOLLOWERS_MAX];
} Fixture;

static int
set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->batcher = batcher_new(EXECUTORS, 10, clock_system());
    fixture->lane = lane_new(0, NULL);
    fixture->other_lane = lane_new(1, NULL);
    assert_non_null(fixture->batcher);
    assert_non_null(fixture->lane);
    assert_non_null(fixture->other_lane);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    batcher_free(fixture->batcher);
    assert_int_equal(lane_busy(fixture->lane), 0);
    assert_int_equal(lane_busy(fixture->other_lane), 0);
    lane_unref(fixture->lane);
    lane_unref(fixture->other_lane);
    free(fixture);
    return 0;
}

static void
add_command(Fixture *fixture, Lane *lane, Command *command)
{
    const Record source = {.topic = "t", .offset = fixture->next_offset++};
    Record *record = record_copy(&source);
    assert_non_null(record);
    Job *job = job_new(command, record, lane);
    assert_non_null(job);
    batcher_add(fixture->batcher, job);
}

static Command
command_of(CommandTask task, const char *id)
{
    Command command = {.task = task, .params = {.inactive_hours = 24}};
    assert_true(snprintf(command.id, sizeof(command.id), "%s", id) > 0);
    memcpy(command.key, command.id, sizeof(command.key));
    return command;
}

static void
add(Fixture *fixture, const char *id)
{
    Command command = command_of(CLEAN_ALL, id);
    add_command(fixture, fixture->lane, &command);
}

static Unit *
take(Fixture *fixture, const char *id)
{
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    assert_int_equal(unit->count, 1);
    assert_string_equal(unit->jobs[0]->command.id, id);
    assert_int_equal(unit->claim, CLAIM_EXCLUSIVE);
    return unit;
}

static void
assert_nothing_to_take(Fixture *fixture)
{
    assert_null(batcher_take(fixture->batcher, 0));
}

static void
assert_followers(Fixture *fixture, const Unit *unit, size_t count)
{
    assert_int_equal(batcher_take_followers(fixture->batcher, unit->jobs[0], fixture->followers),
                     count);
}

static void
give_back(Fixture *fixture, size_t i, BatcherFollower fate)
{
    batcher_return_follower(fixture->batcher, &fixture->followers[i], fate);
    assert_null(fixture->followers[i]);
}

static void
give_all_back(Fixture *fixture, size_t count, BatcherFollower fate)
{
    for (size_t i = 0; i < count; i++)
        give_back(fixture, i, fate);
}

static void
end(Fixture *fixture, Unit *unit)
{
    batcher_release(fixture->batcher, &unit->jobs[0]);
    batcher_end_unit(fixture->batcher, unit);
}

/* It comes again. */
static void
put_back(Fixture *fixture, Unit *unit)
{
    assert_true(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_BACK, 0));
    batcher_end_unit(fixture->batcher, unit);
}

static void
test_take_makes_equal_commands_that_wait_follow(void **state)
{
    Fixture *fixture = *state;
    Command elsewhere = command_of(CLEAN_ALL, "c");
    add(fixture, "a");
    add(fixture, "b");
    add_command(fixture, fixture->other_lane, &elsewhere);
    Unit *leader = take(fixture, "a");
    add(fixture, "late");
    assert_nothing_to_take(fixture); /* "late" waits for the end of an equal one */
    assert_int_equal(lane_busy(fixture->lane), 1);
    assert_int_equal(lane_busy(fixture->other_lane), 0);
    assert_followers(fixture, leader, 2);
    assert_string_equal(fixture->followers[0]->command.id, "b");
    assert_string_equal(fixture->followers[1]->command.id, "c");
    assert_int_equal(lane_busy(fixture->lane), 2);
    assert_int_equal(lane_busy(fixture->other_lane), 1);
    for (size_t i = 0; i < 2; i++)
        batcher_release(fixture->batcher, &fixture->followers[i]);
    end(fixture, leader);
    end(fixture, take(fixture, "late"));
    assert_int_equal(queued(fixture->batcher), 0);
}

static void
test_take_leaves_commands_that_differ_or_share_no_run(void **state)
{
    Fixture *fixture = *state;
    Command longer = command_of(CLEAN_ALL, "longer");
    Command replay = command_of(CLEAN_ALL, "replay");
    Command dry_run = command_of(CLEAN_ALL, "dry_run");
    Command scheduled = command_of(COMMAND_SCHEDULED_CLEANUP, "scheduled");
    Command preview = command_of(COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, "preview");
    Command one_user = command_of(COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "one_user");
    longer.params.inactive_hours = 25;
    replay.replay = 1;
    dry_run.params.dry_run = true;
    add(fixture, "a");
    Command *const others[] = {&longer, &replay, &dry_run, &scheduled, &preview, &one_user};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        add_command(fixture, fixture->lane, others[i]);
    Unit *units[1 + ARRAY_LEN(others)];
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        units[i] = batcher_take(fixture->batcher, 0);
        assert_non_null(units[i]);
        assert_followers(fixture, units[i], 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        end(fixture, units[i]);
}

static void
test_share_key_tells_by_params_and_task(void **state)
{
    (void)state;
    char first[TASK_SHARE_KEY_BYTES];
    char second[TASK_SHARE_KEY_BYTES];
    Command command = command_of(CLEAN_ALL, "a");
    command.params.inactive_hours = 0.1;
    task_share_key(&command, first);
    command.params.inactive_hours = 0.1 + 1e-16;
    task_share_key(&command, second);
    assert_string_not_equal(first, second);
    command.params.inactive_hours = 0.1;
    command.requested_by = NULL;
    task_share_key(&command, second);
    assert_string_equal(first, second);
    command.task = COMMAND_SCHEDULED_CLEANUP;
    task_share_key(&command, second);
    assert_string_not_equal(first, second);
    command.replay = 2;
    task_share_key(&command, second);
    assert_string_equal(second, "");
}

static void
test_take_makes_no_more_than_a_thousand_follow(void **state)
{
    Fixture *fixture = *state;
    for (int i = 0; i < BATCHER_FOLLOWERS_MAX + 2; i++) {
        char id[TEXT_BYTES];
        assert_true(snprintf(id, sizeof(id), "id-%d", i) > 0);
        add(fixture, id);
    }
    Unit *leader = take(fixture, "id-0");
    assert_followers(fixture, leader, BATCHER_FOLLOWERS_MAX);
    give_all_back(fixture, BATCHER_FOLLOWERS_MAX, FOLLOWER_STAYS);
    assert_nothing_to_take(fixture);
    end(fixture, leader);
    leader = take(fixture, "id-1");
    assert_followers(fixture, leader, BATCHER_FOLLOWERS_MAX);
    give_all_back(fixture, BATCHER_FOLLOWERS_MAX, FOLLOWER_STAYS);
    end(fixture, leader);
}

static void
test_end_of_a_leader_that_does_not_succeed_lets_the_oldest_lead(void **state)
{
    Fixture *fixture = *state;
    add(fixture, "a");
    add(fixture, "b");
    add(fixture, "c");
    Unit *leader = take(fixture, "a");
    assert_followers(fixture, leader, 2);
    give_all_back(fixture, 2, FOLLOWER_STAYS);
    end(fixture, leader);
    leader = take(fixture, "b");
    assert_followers(fixture, leader, 1);
    assert_string_equal(fixture->followers[0]->command.id, "c");
    give_back(fixture, 0, FOLLOWER_STAYS);
    end(fixture, leader);
    end(fixture, take(fixture, "c"));
}

static void
test_begin_that_is_tried_again_gathers_those_that_came_meanwhile(void **state)
{
    Fixture *fixture = *state;
    add(fixture, "a");
    add(fixture, "b");
    Unit *leader = take(fixture, "a");
    assert_followers(fixture, leader, 1);
    give_back(fixture, 0, FOLLOWER_STAYS);
    add(fixture, "c");
    put_back(fixture, leader);
    leader = take(fixture, "a");
    assert_followers(fixture, leader, 2);
    give_all_back(fixture, 2, FOLLOWER_STAYS);
    /* It has begun, so its cutoff is taken. */
    leader->jobs[0]->begun = true;
    put_back(fixture, leader);
    add(fixture, "d");
    leader = take(fixture, "a");
    assert_followers(fixture, leader, 2);
    give_all_back(fixture, 2, FOLLOWER_STAYS);
    end(fixture, leader);
}

static void
test_follower_that_leaves_waits_for_the_end_of_the_run(void **state)
{
    Fixture *fixture = *state;
    add(fixture, "a");
    add(fixture, "b");
    Unit *leader = take(fixture, "a");
    assert_followers(fixture, leader, 1);
    give_back(fixture, 0, FOLLOWER_LEAVES);
    assert_nothing_to_take(fixture);
    assert_followers(fixture, leader, 0);
    end(fixture, leader);
    end(fixture, take(fixture, "b"));
}

static void
test_follower_that_runs_separately_has_no_leader_and_leads_none(void **state)
{
    Fixture *fixture = *state;
    add(fixture, "a");
    add(fixture, "known");
    add(fixture, "c");
    Unit *leader = take(fixture, "a");
    assert_followers(fixture, leader, 2);
    give_back(fixture, 0, FOLLOWER_RUNS_SEPARATELY);
    give_back(fixture, 1, FOLLOWER_STAYS);
    Unit *separate = take(fixture, "known");
    assert_followers(fixture, separate, 0);
    end(fixture, separate);
    assert_nothing_to_take(fixture);
    end(fixture, leader);
    end(fixture, take(fixture, "c"));
}

static void
test_follower_whose_id_is_in_work_does_not_follow(void **state)
{
    Fixture *fixture = *state;
    Command preview = command_of(COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, "b");
    add_command(fixture, fixture->lane, &preview);
    Unit *reading = batcher_take(fixture->batcher, 0);
    assert_non_null(reading);
    add(fixture, "a");
    add(fixture, "a");
    add(fixture, "b");
    Unit *leader = take(fixture, "a");
    assert_followers(fixture, leader, 0);
    end(fixture, reading);
    end(fixture, leader);
    end(fixture, take(fixture, "a"));
    end(fixture, take(fixture, "b"));
}

static void
test_drop_lane_takes_its_commands_out_of_the_run(void **state)
{
    Fixture *fixture = *state;
    Command elsewhere = command_of(CLEAN_ALL, "c");
    add(fixture, "a");
    add(fixture, "b");
    add_command(fixture, fixture->other_lane, &elsewhere);
    Unit *leader = take(fixture, "a");
    lane_set_state(fixture->other_lane, LANE_CLOSING);
    assert_followers(fixture, leader, 1);
    assert_string_equal(fixture->followers[0]->command.id, "b");
    give_back(fixture, 0, FOLLOWER_STAYS);
    assert_int_equal(batcher_drop_lane(fixture->batcher, fixture->other_lane), 1);
    assert_int_equal(queued(fixture->batcher), 1);
    end(fixture, leader);
    end(fixture, take(fixture, "b"));
}

static void
test_drop_lane_while_an_executor_has_the_follower_frees_it_later(void **state)
{
    Fixture *fixture = *state;
    Command elsewhere = command_of(CLEAN_ALL, "c");
    add(fixture, "a");
    add_command(fixture, fixture->other_lane, &elsewhere);
    Unit *leader = take(fixture, "a");
    assert_followers(fixture, leader, 1);
    lane_set_state(fixture->other_lane, LANE_DEAD);
    assert_int_equal(batcher_drop_lane(fixture->batcher, fixture->other_lane), 1);
    assert_string_equal(fixture->followers[0]->command.id, "c");
    assert_int_equal(lane_busy(fixture->other_lane), 1);
    give_back(fixture, 0, FOLLOWER_STAYS);
    assert_int_equal(lane_busy(fixture->other_lane), 0);
    end(fixture, leader);
}

static void
test_drop_lane_of_the_leader_lets_its_followers_run(void **state)
{
    Fixture *fixture = *state;
    Command elsewhere = command_of(CLEAN_ALL, "a");
    add_command(fixture, fixture->other_lane, &elsewhere);
    add(fixture, "b");
    Unit *leader = take(fixture, "a");
    lane_set_state(fixture->other_lane, LANE_CLOSING);
    assert_int_equal(batcher_drop_lane(fixture->batcher, fixture->other_lane), 0);
    assert_nothing_to_take(fixture);
    assert_false(batcher_requeue(fixture->batcher, &leader->jobs[0], BATCHER_BACK, 0));
    batcher_end_unit(fixture->batcher, leader);
    end(fixture, take(fixture, "b"));
}

static void
test_dismiss_makes_all_of_them_leave(void **state)
{
    Fixture *fixture = *state;
    add(fixture, "a");
    add(fixture, "b");
    Unit *leader = take(fixture, "a");
    batcher_dismiss_followers(fixture->batcher, leader->jobs[0]);
    assert_followers(fixture, leader, 0);
    assert_nothing_to_take(fixture);
    end(fixture, leader);
    end(fixture, take(fixture, "b"));
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_take_makes_equal_commands_that_wait_follow),
        CASE(test_take_leaves_commands_that_differ_or_share_no_run),
        cmocka_unit_test(test_share_key_tells_by_params_and_task),
        CASE(test_take_makes_no_more_than_a_thousand_follow),
        CASE(test_end_of_a_leader_that_does_not_succeed_lets_the_oldest_lead),
        CASE(test_begin_that_is_tried_again_gathers_those_that_came_meanwhile),
        CASE(test_follower_that_leaves_waits_for_the_end_of_the_run),
        CASE(test_follower_that_runs_separately_has_no_leader_and_leads_none),
        CASE(test_follower_whose_id_is_in_work_does_not_follow),
        CASE(test_drop_lane_takes_its_commands_out_of_the_run),
        CASE(test_drop_lane_while_an_executor_has_the_follower_frees_it_later),
        CASE(test_drop_lane_of_the_leader_lets_its_followers_run),
        CASE(test_dismiss_makes_all_of_them_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

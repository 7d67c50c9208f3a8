#include "tests/unit/pipeline/queue/queued.h"
#include "worker/pipeline/queue/batcher.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    EXECUTORS = 4,
    SET_COMMANDS = 100,
    TEXT_BYTES = 40,
    STRESS_COMMANDS = 5000,
    STRESS_USERS = 7,
};

typedef struct Fixture {
    int64_t now_ms;
    Clock clock;
    Batcher *batcher;
    Lane *lane;
    int64_t next_offset;
} Fixture;

static int64_t
fake_monotonic_ms(void *state)
{
    const Fixture *fixture = state;
    return fixture->now_ms;
}

static int64_t
fake_now_us(void *state)
{
    return fake_monotonic_ms(state) * CLOCK_US_PER_MS;
}

static int
set_up_with(void **state, int executors)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->now_ms = 1000;
    fixture->clock = (Clock){fake_now_us, fake_monotonic_ms, fixture};
    fixture->batcher = batcher_new(executors, SET_COMMANDS, &fixture->clock);
    fixture->lane = lane_new(0, NULL);
    assert_non_null(fixture->batcher);
    assert_non_null(fixture->lane);
    *state = fixture;
    return 0;
}

static int
set_up(void **state)
{
    return set_up_with(state, EXECUTORS);
}

static int
set_up_one(void **state)
{
    return set_up_with(state, 1);
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    batcher_free(fixture->batcher);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
add_to(Fixture *fixture, Lane *lane, CommandTask task, const char *id, const char *user)
{
    Command command = {.task = task};
    assert_true(snprintf(command.id, sizeof(command.id), "%s", id) > 0);
    memcpy(command.key, command.id, sizeof(command.key));
    assert_true(snprintf(command.params.user_id, sizeof(command.params.user_id), "%s", user) >= 0);
    const Record source = {.topic = "t", .offset = fixture->next_offset++};
    Record *record = record_copy(&source);
    assert_non_null(record);
    Job *job = job_new(&command, record, lane);
    assert_non_null(job);
    batcher_add(fixture->batcher, job);
}

static void
add(Fixture *fixture, CommandTask task, const char *id, const char *user)
{
    add_to(fixture, fixture->lane, task, id, user);
}

static void
add_users(Fixture *fixture, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        char id[TEXT_BYTES];
        char user[TEXT_BYTES];
        assert_true(snprintf(id, sizeof(id), "id-%d", i) > 0);
        assert_true(snprintf(user, sizeof(user), "user-%d", i) > 0);
        add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, id, user);
    }
}

static void
finish(Fixture *fixture, Unit *unit)
{
    for (size_t i = 0; i < unit->count; i++) {
        if (unit->jobs[i] != NULL)
            batcher_release(fixture->batcher, &unit->jobs[i]);
    }
    batcher_end_unit(fixture->batcher, unit);
}

static void
test_take_divides_queue_among_idle_executors(void **state)
{
    Fixture *fixture = *state;
    add_users(fixture, 0, 10);
    Unit *units[EXECUTORS];
    const size_t expected[EXECUTORS] = {3, 3, 2, 2};
    for (size_t i = 0; i < EXECUTORS; i++) {
        units[i] = batcher_take(fixture->batcher, 0);
        assert_non_null(units[i]);
        assert_int_equal(units[i]->shape, TASK_SHAPE_SET);
        assert_int_equal(units[i]->count, expected[i]);
    }
    assert_null(batcher_take(fixture->batcher, 0));
    for (size_t i = 0; i < EXECUTORS; i++)
        finish(fixture, units[i]);
    assert_int_equal(lane_busy(fixture->lane), 0);
}

static void
test_take_more_than_a_set_is_cut(void **state)
{
    Fixture *fixture = *state;
    add_users(fixture, 0, SET_COMMANDS * 2 + 1);
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_int_equal(unit->count, SET_COMMANDS);
    assert_int_equal(lane_busy(fixture->lane), SET_COMMANDS);
    finish(fixture, unit);
    assert_int_equal(queued(fixture->batcher), SET_COMMANDS + 1);
}

static void
test_take_same_user_waits_for_the_first(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "a", "u");
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "b", "u");
    Unit *first = batcher_take(fixture->batcher, 0);
    assert_int_equal(first->count, 1);
    assert_string_equal(first->jobs[0]->command.id, "a");
    assert_null(batcher_take(fixture->batcher, 0));
    finish(fixture, first);
    Unit *second = batcher_take(fixture->batcher, 0);
    assert_non_null(second);
    assert_string_equal(second->jobs[0]->command.id, "b");
    finish(fixture, second);
}

static void
test_take_same_user_twice_in_one_set_takes_one(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "a", "u");
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "b", "u");
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "c", "v");
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_int_equal(unit->count, 2);
    assert_string_equal(unit->jobs[0]->command.id, "a");
    assert_string_equal(unit->jobs[1]->command.id, "c");
    finish(fixture, unit);
}

static void
test_take_same_id_waits_until_long_run_ends(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS, "same", "");
    Unit *unit = batcher_take(fixture->batcher, 0);
    add(fixture, COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW, "same", "");
    assert_null(batcher_take(fixture->batcher, 0));
    assert_true(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_BACK, 0));
    batcher_end_unit(fixture->batcher, unit);
    /* Between two batches the id is still in work. */
    unit = batcher_take(fixture->batcher, 0);
    assert_int_equal(unit->shape, TASK_SHAPE_LONG_COMMAND);
    assert_null(batcher_take(fixture->batcher, 0));
    finish(fixture, unit);
    unit = batcher_take(fixture->batcher, 0);
    assert_int_equal(unit->shape, TASK_SHAPE_READ);
    finish(fixture, unit);
}

static void
test_take_previews_leaves_one_executor_free(void **state)
{
    Fixture *fixture = *state;
    for (int i = 0; i < EXECUTORS; i++) {
        char id[TEXT_BYTES];
        assert_true(snprintf(id, sizeof(id), "id-%d", i) > 0);
        add(fixture, COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, id, "");
    }
    Unit *units[EXECUTORS - 1];
    for (size_t i = 0; i < EXECUTORS - 1; i++) {
        units[i] = batcher_take(fixture->batcher, 0);
        assert_int_equal(units[i]->shape, TASK_SHAPE_READ);
        assert_int_equal(units[i]->count, 1);
    }
    assert_null(batcher_take(fixture->batcher, 0));
    for (size_t i = 0; i < EXECUTORS - 1; i++)
        finish(fixture, units[i]);
    assert_int_equal(queued(fixture->batcher), 1);
}

static void
test_take_preview_with_one_executor_is_taken(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, "a", "");
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    finish(fixture, unit);
}

static void
test_take_shapes_take_turns(void **state)
{
    Fixture *fixture = *state;
    bool seen[TASK_SHAPE_LONG_COMMAND + 1] = {false};
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS, "a", "");
    add(fixture, COMMAND_EXPIRE_PENDING_BOOKINGS, "b", "");
    add(fixture, COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, "c", "");
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "d", "u");
    for (int i = 0; i < 3; i++) {
        Unit *unit = batcher_take(fixture->batcher, 0);
        seen[unit->shape] = true;
        finish(fixture, unit);
    }
    assert_true(seen[TASK_SHAPE_SET] && seen[TASK_SHAPE_READ] && seen[TASK_SHAPE_LONG_COMMAND]);
}

static void
test_requeue_with_delay_waits_for_its_time(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "a", "u");
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_true(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_BACK, 500));
    assert_null(unit->jobs[0]);
    batcher_end_unit(fixture->batcher, unit);
    assert_int_equal(lane_busy(fixture->lane), 0);
    fixture->now_ms += 499;
    assert_null(batcher_take(fixture->batcher, 0));
    fixture->now_ms += 1;
    unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    finish(fixture, unit);
}

static void
test_requeue_in_front_comes_first(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS, "a", "");
    Unit *unit = batcher_take(fixture->batcher, 0);
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS, "b", "");
    assert_true(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_FRONT, 0));
    batcher_end_unit(fixture->batcher, unit);
    unit = batcher_take(fixture->batcher, 0);
    assert_string_equal(unit->jobs[0]->command.id, "a");
    finish(fixture, unit);
}

static void
test_take_job_that_failed_is_alone(void **state)
{
    Fixture *fixture = *state;
    add_users(fixture, 0, 1);
    Unit *unit = batcher_take(fixture->batcher, 0);
    unit->jobs[0]->isolated = true;
    assert_true(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_BACK, 0));
    batcher_end_unit(fixture->batcher, unit);
    add_users(fixture, 1, SET_COMMANDS);
    unit = batcher_take(fixture->batcher, 0);
    assert_int_equal(unit->count, 1);
    assert_string_equal(unit->jobs[0]->command.id, "id-0");
    finish(fixture, unit);
}

static void
test_drop_lane_removes_its_jobs_only(void **state)
{
    Fixture *fixture = *state;
    Lane *other = lane_new(1, NULL);
    add_users(fixture, 0, 5);
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS, "long", "");
    add_to(fixture, other, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "other", "user-0");
    lane_set_state(fixture->lane, LANE_CLOSING);
    assert_int_equal(batcher_drop_lane(fixture->batcher, fixture->lane), 6);
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_int_equal(unit->count, 1);
    assert_string_equal(unit->jobs[0]->command.id, "other");
    finish(fixture, unit);
    lane_unref(other);
}

static void
test_requeue_into_closed_lane_drops_job(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS, "a", "");
    Unit *unit = batcher_take(fixture->batcher, 0);
    lane_set_state(fixture->lane, LANE_CLOSING);
    assert_false(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_BACK, 0));
    batcher_end_unit(fixture->batcher, unit);
    assert_int_equal(queued(fixture->batcher), 0);
    assert_int_equal(lane_busy(fixture->lane), 0);
}

static void
test_take_during_hold_is_nothing_until_it_ends(void **state)
{
    Fixture *fixture = *state;
    add_users(fixture, 0, 1);
    batcher_hold(fixture->batcher, fixture->now_ms + 100);
    assert_null(batcher_take(fixture->batcher, 0));
    fixture->now_ms += 100;
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    finish(fixture, unit);
}

static void
test_take_after_stop_is_nothing(void **state)
{
    Fixture *fixture = *state;
    add_users(fixture, 0, 1);
    batcher_stop(fixture->batcher);
    assert_null(batcher_take(fixture->batcher, BATCHER_WAIT_FOREVER));
}

typedef struct Stress {
    Batcher *batcher;
    atomic_int in_work[STRESS_USERS];
    atomic_int finished;
    atomic_int twice; /* how often a user was met in two units, or twice in one */
} Stress;

static void *
stress_executor(void *argument)
{
    Stress *stress = argument;
    unsigned turn = 0;
    for (;;) {
        Unit *unit = batcher_take(stress->batcher, BATCHER_WAIT_FOREVER);
        if (unit == NULL)
            return NULL;
        for (size_t i = 0; i < unit->count; i++) {
            const long user = strtol(unit->jobs[i]->command.params.user_id, NULL, 10);
            if (atomic_fetch_add(&stress->in_work[user], 1) != 0)
                atomic_fetch_add(&stress->twice, 1);
        }
        for (size_t i = 0; i < unit->count; i++) {
            const long user = strtol(unit->jobs[i]->command.params.user_id, NULL, 10);
            atomic_fetch_sub(&stress->in_work[user], 1);
            if (++turn % 5 == 0) {
                batcher_requeue(stress->batcher, &unit->jobs[i], BATCHER_FRONT, 0);
                continue;
            }
            batcher_release(stress->batcher, &unit->jobs[i]);
            if (atomic_fetch_add(&stress->finished, 1) + 1 == STRESS_COMMANDS)
                batcher_stop(stress->batcher);
        }
        batcher_end_unit(stress->batcher, unit);
    }
}

static void
test_take_by_many_threads_finishes_each_once(void **state)
{
    Fixture *fixture = *state;
    Stress stress = {.batcher = fixture->batcher};
    pthread_t threads[EXECUTORS];
    for (size_t i = 0; i < EXECUTORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, stress_executor, &stress), 0);
    for (int i = 0; i < STRESS_COMMANDS; i++) {
        char id[TEXT_BYTES];
        char user[TEXT_BYTES];
        assert_true(snprintf(id, sizeof(id), "id-%d", i) > 0);
        assert_true(snprintf(user, sizeof(user), "%d", i % STRESS_USERS) > 0);
        add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, id, user);
    }
    for (size_t i = 0; i < EXECUTORS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&stress.finished), STRESS_COMMANDS);
    assert_int_equal(atomic_load(&stress.twice), 0);
    assert_int_equal(queued(fixture->batcher), 0);
    assert_int_equal(lane_busy(fixture->lane), 0);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
/* One executor takes all that has queued. */
#define CASE_ONE(test) cmocka_unit_test_setup_teardown(test, set_up_one, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_take_divides_queue_among_idle_executors),
        CASE_ONE(test_take_more_than_a_set_is_cut),
        CASE(test_take_same_user_waits_for_the_first),
        CASE_ONE(test_take_same_user_twice_in_one_set_takes_one),
        CASE(test_take_same_id_waits_until_long_run_ends),
        CASE(test_take_previews_leaves_one_executor_free),
        CASE_ONE(test_take_preview_with_one_executor_is_taken),
        CASE(test_take_shapes_take_turns),
        CASE(test_requeue_with_delay_waits_for_its_time),
        CASE(test_requeue_in_front_comes_first),
        CASE_ONE(test_take_job_that_failed_is_alone),
        CASE(test_drop_lane_removes_its_jobs_only),
        CASE(test_requeue_into_closed_lane_drops_job),
        CASE(test_take_during_hold_is_nothing_until_it_ends),
        CASE(test_take_after_stop_is_nothing),
        CASE(test_take_by_many_threads_finishes_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

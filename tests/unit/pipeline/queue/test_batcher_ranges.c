/* One long command with several executors: the batcher and a long command whose ranges a test
 * decides. */
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
    RANGES = 2,
    STRESS_BATCHES = 3000,
    STRESS_SETS = 500,
    TEXT_BYTES = 40,
};

/* A long command that has begun; in place of the library's. */
struct LongCommand {
    pthread_mutex_t lock;
    bool claimed[RANGES];
    int batches_left;
    int64_t next_ms;
};

LongCommand *
long_command_new(void)
{
    LongCommand *long_command = calloc(1, sizeof(*long_command));
    assert_non_null(long_command);
    pthread_mutex_init(&long_command->lock, NULL);
    long_command->batches_left = 1000;
    return long_command;
}

void
long_command_free(LongCommand *long_command)
{
    if (long_command != NULL)
        pthread_mutex_destroy(&long_command->lock);
    free(long_command);
}

bool
long_command_claim(LongCommand *long_command, int64_t now_ms, int *ret_claim)
{
    bool granted = false;
    pthread_mutex_lock(&long_command->lock);
    if (long_command->batches_left == 0) {
        *ret_claim = CLAIM_EXCLUSIVE;
        granted = true;
    }
    for (int i = 0; i < RANGES && !granted && now_ms >= long_command->next_ms; i++) {
        granted = !long_command->claimed[i];
        if (granted) {
            long_command->claimed[i] = true;
            *ret_claim = i;
        }
    }
    pthread_mutex_unlock(&long_command->lock);
    return granted;
}

int64_t
long_command_next_ms(LongCommand *long_command)
{
    pthread_mutex_lock(&long_command->lock);
    const int64_t next_ms = long_command->batches_left == 0 ? 0 : long_command->next_ms;
    pthread_mutex_unlock(&long_command->lock);
    return next_ms;
}

/* What a step does to it. */
static void
long_command_step(LongCommand *long_command, int claim)
{
    pthread_mutex_lock(&long_command->lock);
    assert_true(claim >= 0 && long_command->claimed[claim]);
    long_command->claimed[claim] = false;
    if (long_command->batches_left > 0)
        long_command->batches_left--;
    pthread_mutex_unlock(&long_command->lock);
}

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
set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->now_ms = 1000;
    fixture->clock = (Clock){fake_now_us, fake_monotonic_ms, fixture};
    fixture->batcher = batcher_new(EXECUTORS, 10, &fixture->clock);
    fixture->lane = lane_new(0, NULL);
    assert_non_null(fixture->batcher);
    assert_non_null(fixture->lane);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    batcher_free(fixture->batcher);
    assert_int_equal(lane_busy(fixture->lane), 0);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static void
add(Fixture *fixture, CommandTask task, const char *id, const char *user)
{
    Command command = {.task = task};
    assert_true(snprintf(command.id, sizeof(command.id), "%s", id) > 0);
    memcpy(command.key, command.id, sizeof(command.key));
    assert_true(snprintf(command.params.user_id, sizeof(command.params.user_id), "%s", user) >= 0);
    command.params.inactive_hours = id[0]; /* none is equal to another */
    const Record source = {.topic = "t", .offset = fixture->next_offset++};
    Record *record = record_copy(&source);
    assert_non_null(record);
    Job *job = job_new(&command, record, fixture->lane);
    assert_non_null(job);
    if (job->shape == TASK_SHAPE_LONG_COMMAND)
        job->long_command = long_command_new();
    batcher_add(fixture->batcher, job);
}

static void
add_long(Fixture *fixture, const char *id)
{
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS, id, "");
}

static Unit *
take(Fixture *fixture, const char *id)
{
    Unit *unit = batcher_take(fixture->batcher, 0);
    assert_non_null(unit);
    assert_int_equal(unit->count, 1);
    assert_string_equal(unit->jobs[0]->command.id, id);
    return unit;
}

static void
assert_nothing_to_take(Fixture *fixture)
{
    assert_null(batcher_take(fixture->batcher, 0));
}

/* The batch is over and there are more. */
static bool
go_on(Fixture *fixture, Unit *unit)
{
    long_command_step(unit->jobs[0]->long_command, unit->claim);
    const bool kept = batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_BACK, 0);
    batcher_end_unit(fixture->batcher, unit);
    return kept;
}

static void
end(Fixture *fixture, Unit *unit)
{
    batcher_release(fixture->batcher, &unit->jobs[0]);
    batcher_end_unit(fixture->batcher, unit);
}

static void
test_take_gives_each_range_to_one_executor(void **state)
{
    Fixture *fixture = *state;
    add_long(fixture, "a");
    Unit *first = take(fixture, "a");
    Unit *second = take(fixture, "a");
    assert_ptr_equal(first->jobs[0], second->jobs[0]);
    assert_int_not_equal(first->claim, second->claim);
    assert_nothing_to_take(fixture);
    assert_int_equal(lane_busy(fixture->lane), 2);
    const int claim = second->claim;
    assert_true(go_on(fixture, second));
    assert_int_equal(lane_busy(fixture->lane), 1);
    second = take(fixture, "a");
    assert_int_equal(second->claim, claim);
    assert_true(go_on(fixture, first));
    assert_true(go_on(fixture, second));
    assert_int_equal(queued(fixture->batcher), 1);
}

static void
test_take_the_end_waits_until_no_executor_has_a_range(void **state)
{
    Fixture *fixture = *state;
    add_long(fixture, "a");
    Unit *first = take(fixture, "a");
    Unit *second = take(fixture, "a");
    first->jobs[0]->long_command->batches_left = 2;
    long_command_step(first->jobs[0]->long_command, first->claim);
    assert_true(go_on(fixture, second));
    /* All is done, but the first one is not back yet. */
    assert_nothing_to_take(fixture);
    assert_true(batcher_requeue(fixture->batcher, &first->jobs[0], BATCHER_BACK, 0));
    batcher_end_unit(fixture->batcher, first);
    Unit *last = take(fixture, "a");
    assert_int_equal(last->claim, CLAIM_EXCLUSIVE);
    assert_nothing_to_take(fixture);
    end(fixture, last);
    assert_int_equal(queued(fixture->batcher), 0);
}

static void
test_take_long_runs_take_turns(void **state)
{
    Fixture *fixture = *state;
    Unit *units[EXECUTORS];
    add_long(fixture, "a");
    add_long(fixture, "b");
    units[0] = take(fixture, "a");
    units[1] = take(fixture, "b");
    units[2] = take(fixture, "a");
    units[3] = take(fixture, "b");
    assert_nothing_to_take(fixture);
    assert_true(go_on(fixture, units[0]));
    assert_true(go_on(fixture, units[1]));
    units[0] = take(fixture, "a");
    units[1] = take(fixture, "b");
    for (int i = 0; i < EXECUTORS; i++)
        assert_true(go_on(fixture, units[i]));
}

static void
test_take_ranges_leave_sets_and_previews_their_turn(void **state)
{
    Fixture *fixture = *state;
    bool seen[TASK_SHAPE_LONG_COMMAND + 1] = {false};
    Unit *units[3];
    add_long(fixture, "a");
    add(fixture, COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, "b", "");
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "c", "u");
    for (int i = 0; i < 3; i++) {
        units[i] = batcher_take(fixture->batcher, 0);
        assert_non_null(units[i]);
        seen[units[i]->shape] = true;
    }
    assert_true(seen[TASK_SHAPE_SET] && seen[TASK_SHAPE_READ] && seen[TASK_SHAPE_LONG_COMMAND]);
    for (int i = 0; i < 3; i++)
        end(fixture, units[i]);
}

static void
test_take_of_a_range_that_waits_comes_at_its_time(void **state)
{
    Fixture *fixture = *state;
    add_long(fixture, "a");
    Unit *unit = take(fixture, "a");
    unit->jobs[0]->long_command->next_ms = fixture->now_ms + 50;
    assert_true(go_on(fixture, unit));
    assert_nothing_to_take(fixture);
    fixture->now_ms += 50;
    assert_true(go_on(fixture, take(fixture, "a")));
}

static void
test_take_one_users_long_run_has_one_taker_and_keeps_the_user(void **state)
{
    Fixture *fixture = *state;
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "a", "u");
    Unit *unit = take(fixture, "a");
    unit->jobs[0]->shape = TASK_SHAPE_LONG_COMMAND;
    unit->jobs[0]->long_command = long_command_new();
    assert_true(batcher_requeue(fixture->batcher, &unit->jobs[0], BATCHER_BACK, 0));
    batcher_end_unit(fixture->batcher, unit);
    unit = take(fixture, "a");
    assert_int_equal(unit->shape, TASK_SHAPE_LONG_COMMAND);
    add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "b", "u");
    assert_nothing_to_take(fixture);
    long_command_step(unit->jobs[0]->long_command, unit->claim); /* free again, but not back yet */
    assert_nothing_to_take(fixture);
    end(fixture, unit);
    end(fixture, take(fixture, "b"));
}

static void
test_drop_lane_lets_running_ranges_finish_and_starts_no_other(void **state)
{
    Fixture *fixture = *state;
    add_long(fixture, "a");
    Unit *first = take(fixture, "a");
    lane_set_state(fixture->lane, LANE_CLOSING);
    assert_nothing_to_take(fixture);
    assert_int_equal(batcher_drop_lane(fixture->batcher, fixture->lane), 1);
    assert_int_equal(queued(fixture->batcher), 0);
    assert_int_equal(lane_busy(fixture->lane), 1);
    assert_string_equal(first->jobs[0]->command.id, "a");
    assert_false(go_on(fixture, first));
}

static void
test_drop_lane_keeps_the_id_until_the_last_range_is_back(void **state)
{
    Fixture *fixture = *state;
    add_long(fixture, "a");
    Unit *first = take(fixture, "a");
    Unit *second = take(fixture, "a");
    Lane *closing = fixture->lane;
    lane_set_state(closing, LANE_CLOSING);
    fixture->lane = lane_new(0, NULL);
    assert_non_null(fixture->lane);
    add_long(fixture, "a"); /* delivered again, in the next assignment */
    assert_int_equal(batcher_drop_lane(fixture->batcher, closing), 1);
    assert_false(go_on(fixture, first));
    assert_nothing_to_take(fixture);
    assert_false(go_on(fixture, second));
    assert_int_equal(lane_busy(closing), 0);
    end(fixture, take(fixture, "a"));
    lane_unref(closing);
}

static void
test_release_by_one_executor_ends_it_for_the_others(void **state)
{
    Fixture *fixture = *state;
    add_long(fixture, "a");
    Unit *first = take(fixture, "a");
    Unit *second = take(fixture, "a");
    end(fixture, first); /* another worker owns it */
    assert_nothing_to_take(fixture);
    assert_string_equal(second->jobs[0]->command.id, "a");
    assert_false(go_on(fixture, second));
    assert_int_equal(queued(fixture->batcher), 0);
}

static void
test_requeue_of_both_ranges_by_a_hold_keeps_one_job(void **state)
{
    Fixture *fixture = *state;
    add_long(fixture, "a");
    Unit *units[] = {take(fixture, "a"), take(fixture, "a")};
    add_long(fixture, "b");
    for (int i = 0; i < 2; i++) {
        long_command_step(units[i]->jobs[0]->long_command, units[i]->claim);
        assert_true(batcher_requeue(fixture->batcher, &units[i]->jobs[0], BATCHER_FRONT, 0));
        batcher_end_unit(fixture->batcher, units[i]);
    }
    assert_int_equal(queued(fixture->batcher), 2);
    assert_true(go_on(fixture, take(fixture, "a")));
    assert_true(go_on(fixture, take(fixture, "b")));
}

typedef struct Stress {
    Batcher *batcher;
    atomic_int in_range[RANGES];
    atomic_int twice; /* how often two had one range, or the end ran beside a range */
    atomic_int batches;
    atomic_int ended;
    atomic_int sets;
} Stress;

static void
stop_at_the_end(Stress *stress)
{
    if (atomic_load(&stress->ended) == 1 && atomic_load(&stress->sets) == STRESS_SETS)
        batcher_stop(stress->batcher);
}

static void
stress_unit(Stress *stress, Unit *unit)
{
    Job *job = unit->jobs[0];
    if (unit->shape == TASK_SHAPE_SET) {
        atomic_fetch_add(&stress->sets, (int)unit->count);
    } else if (unit->claim == CLAIM_EXCLUSIVE) {
        for (int i = 0; i < RANGES; i++)
            atomic_fetch_add(&stress->twice, atomic_load(&stress->in_range[i]));
        atomic_fetch_add(&stress->ended, 1);
    } else {
        atomic_fetch_add(&stress->twice, atomic_fetch_add(&stress->in_range[unit->claim], 1));
        atomic_fetch_add(&stress->batches, 1);
        atomic_fetch_sub(&stress->in_range[unit->claim], 1);
        long_command_step(job->long_command, unit->claim);
        batcher_requeue(stress->batcher, &unit->jobs[0], BATCHER_BACK, 0);
    }
}

static void *
stress_executor(void *argument)
{
    Stress *stress = argument;
    for (;;) {
        Unit *unit = batcher_take(stress->batcher, BATCHER_WAIT_FOREVER);
        if (unit == NULL)
            return NULL;
        stress_unit(stress, unit);
        batcher_end_unit(stress->batcher, unit);
        stop_at_the_end(stress);
    }
}

static void
test_take_by_many_threads_runs_every_batch_and_ends_once(void **state)
{
    Fixture *fixture = *state;
    Stress stress = {.batcher = fixture->batcher};
    pthread_t threads[EXECUTORS];
    add_long(fixture, "a");
    Unit *unit = take(fixture, "a");
    unit->jobs[0]->long_command->batches_left = STRESS_BATCHES + 1;
    assert_true(go_on(fixture, unit));
    for (size_t i = 0; i < EXECUTORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, stress_executor, &stress), 0);
    for (int i = 0; i < STRESS_SETS; i++) {
        char text[TEXT_BYTES];
        assert_true(snprintf(text, sizeof(text), "id-%d", i) > 0);
        add(fixture, COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, text, text);
    }
    for (size_t i = 0; i < EXECUTORS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&stress.twice), 0);
    assert_true(atomic_load(&stress.batches) >= STRESS_BATCHES);
    assert_int_equal(atomic_load(&stress.ended), 1);
    assert_int_equal(atomic_load(&stress.sets), STRESS_SETS);
    assert_int_equal(queued(fixture->batcher), 0);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_take_gives_each_range_to_one_executor),
        CASE(test_take_the_end_waits_until_no_executor_has_a_range),
        CASE(test_take_long_runs_take_turns),
        CASE(test_take_ranges_leave_sets_and_previews_their_turn),
        CASE(test_take_of_a_range_that_waits_comes_at_its_time),
        CASE(test_take_one_users_long_run_has_one_taker_and_keeps_the_user),
        CASE(test_drop_lane_lets_running_ranges_finish_and_starts_no_other),
        CASE(test_drop_lane_keeps_the_id_until_the_last_range_is_back),
        CASE(test_release_by_one_executor_ends_it_for_the_others),
        CASE(test_requeue_of_both_ranges_by_a_hold_keeps_one_job),
        CASE(test_take_by_many_threads_runs_every_batch_and_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

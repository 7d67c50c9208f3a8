/*
 * pretended_tasks: stands in for the functions of worker/task/task.h that reach for the database; a
 * test program that includes this once is linked with these instead of the library's.
 *
 * Owns:      `world`, what the pretended database is like and what was asked of it.
 * Threads:   any executor.
 */
#ifndef TESTS_UNIT_PIPELINE_PRETENDED_TASKS_H
#define TESTS_UNIT_PIPELINE_PRETENDED_TASKS_H

#include "worker/task/task.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    USERS = 20,
    STEPS = 6,  /* of a long command, its begin and end with them */
    RANGES = 2, /* of it */
    TEXT_BYTES = 512,
};

/* What the pretended database is like; the executors look at it. */
static struct {
    atomic_bool away;       /* every task meets a lost connection */
    atomic_int calls;       /* of any task */
    atomic_int fails;       /* of task_fail */
    atomic_int shared;      /* commands that ended with another one's run */
    atomic_bool user_twice; /* a user was in two units at once */
    atomic_bool not_alone;  /* a long command began or ended while a range of it ran */
    pthread_mutex_t lock;
    char users[USERS][UUID_TEXT_BYTES];
    size_t user_count;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* It begins, runs batches in ranges side by side, and ends when no range runs. */
struct LongCommand {
    pthread_mutex_t lock;
    bool endless;
    int steps;
    int claims; /* of ranges */
    int64_t next_ms;
};

LongCommand *
long_command_new(void)
{
    LongCommand *long_command = calloc(1, sizeof(LongCommand));
    assert_non_null(long_command);
    pthread_mutex_init(&long_command->lock, NULL);
    return long_command;
}

void
long_command_free(LongCommand *long_command)
{
    if (long_command != NULL)
        pthread_mutex_destroy(&long_command->lock);
    free(long_command);
}

static bool
has_range(const LongCommand *long_command)
{
    return long_command->claims < RANGES &&
           (long_command->endless || long_command->steps + long_command->claims < STEPS - 1);
}

bool
long_command_claim(LongCommand *long_command, int64_t now_ms, int *ret_claim)
{
    pthread_mutex_lock(&long_command->lock);
    const bool exclusive =
        long_command->steps == 0 || (!long_command->endless && long_command->steps >= STEPS - 1);
    const bool granted = now_ms >= long_command->next_ms && (exclusive || has_range(long_command));
    if (granted)
        *ret_claim = exclusive ? CLAIM_EXCLUSIVE : long_command->claims++;
    pthread_mutex_unlock(&long_command->lock);
    return granted;
}

int64_t
long_command_next_ms(LongCommand *long_command)
{
    pthread_mutex_lock(&long_command->lock);
    const int64_t next_ms = long_command->next_ms;
    pthread_mutex_unlock(&long_command->lock);
    return next_ms;
}

static bool
enter(Error *err)
{
    atomic_fetch_add(&world.calls, 1);
    if (atomic_load(&world.away))
        return error_set(err, REASON_CONNECTION_LOST, "the database is away");
    return true;
}

static void
finish(const TaskItem *item, const char *status, TaskOutcome *ret_outcome)
{
    char text[TEXT_BYTES];
    assert_true(snprintf(text, sizeof(text), "{\"command_id\":\"%s\",\"status\":\"%s\"}",
                         item->command->id, status) > 0);
    *ret_outcome = (TaskOutcome){.step = TASK_FINISHED, .status = status, .attempts = 1};
    ret_outcome->result = strdup(text);
    ret_outcome->finished_at_us = clock_now_us(clock_system());
    assert_non_null(ret_outcome->result);
}

static bool
is_a(const TaskItem *item, const char *prefix)
{
    return strncmp(item->command->id, prefix, strlen(prefix)) == 0;
}

static void
note_users(const TaskItem *items, size_t count, bool entering)
{
    pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < count; i++) {
        const char *user = items[i].command->params.user_id;
        size_t at = 0;
        while (at < world.user_count && strcmp(world.users[at], user) != 0)
            at++;
        const bool found = at < world.user_count;
        if (entering && found)
            atomic_store(&world.user_twice, true);
        if (entering && !found && world.user_count < USERS)
            memcpy(world.users[world.user_count++], user, sizeof(world.users[0]));
        if (!entering && found)
            memmove(world.users[at], world.users[--world.user_count], sizeof(world.users[0]));
    }
    pthread_mutex_unlock(&world.lock);
}

bool
task_run_set(const TaskContext *context, const TaskItem *items, size_t count, int attempts,
             TaskOutcome *outcomes, Error *err)
{
    (void)context;
    (void)attempts;
    if (!enter(err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (is_a(&items[i], "poison"))
            return error_set(err, REASON_WORK_REFUSED, "a trigger raised");
    }
    note_users(items, count, true);
    for (size_t i = 0; i < count; i++) {
        outcomes[i] = (TaskOutcome){0};
        if (is_a(&items[i], "absorbed"))
            outcomes[i].step = TASK_DUPLICATE;
        else if (is_a(&items[i], "alone"))
            outcomes[i].step = TASK_LEAVE_SET;
        else
            finish(&items[i], "succeeded", &outcomes[i]);
    }
    note_users(items, count, false);
    return true;
}

bool
task_run_read(const TaskContext *context, const TaskItem *item, int attempts,
              TaskOutcome *ret_outcome, Error *err)
{
    (void)context;
    (void)attempts;
    if (!enter(err))
        return false;
    finish(item, "succeeded", ret_outcome);
    return true;
}

bool
task_step_long_command(const TaskContext *context, const TaskItem *item, const TaskTurn *turn,
                       TaskOutcome *ret_outcome, Error *err)
{
    LongCommand *long_command = turn->long_command;
    const TaskFollowers *followers = turn->followers;
    const bool entered = enter(err);
    pthread_mutex_lock(&long_command->lock);
    if (turn->claim == CLAIM_EXCLUSIVE && long_command->claims > 0)
        atomic_store(&world.not_alone, true);
    long_command->claims -= turn->claim != CLAIM_EXCLUSIVE;
    long_command->steps += entered;
    long_command->endless = is_a(item, "endless");
    long_command->next_ms = clock_monotonic_ms(context->clock) + 1;
    const bool ends = !long_command->endless && long_command->steps >= STEPS;
    pthread_mutex_unlock(&long_command->lock);
    if (!entered)
        return false;
    *ret_outcome = (TaskOutcome){.step = TASK_REQUEUE};
    if (ends)
        finish(item, "succeeded", ret_outcome);
    for (size_t i = 0; followers != NULL && i < followers->count; i++) {
        atomic_fetch_add(&world.shared, ends);
        if (ends)
            finish(&followers->items[i], "succeeded", &followers->outcomes[i]);
        else
            followers->outcomes[i].step = TASK_FOLLOWS;
    }
    return true;
}

bool
task_fail(const TaskContext *context, const TaskItem *item, const TaskFailure *failure,
          TaskOutcome *ret_outcome, Error *err)
{
    (void)context;
    if (!enter(err))
        return false;
    atomic_fetch_add(&world.fails, 1);
    finish(item, "failed", ret_outcome);
    ret_outcome->attempts = failure->attempts;
    ret_outcome->dead_letter = true;
    ret_outcome->reason = strdup(failure->cause->detail);
    return true;
}

#endif

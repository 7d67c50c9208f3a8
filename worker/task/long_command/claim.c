/* Which executor runs which range of a long command: the part of a LongCommand that is under its
 * lock. */
#include "worker/task/long_command/long_command_private.h"

#include <stdint.h>

LongCommand *
long_command_new(void)
{
    LongCommand *long_command = calloc(1, sizeof(LongCommand));
    if (long_command != NULL)
        pthread_mutex_init(&long_command->lock, NULL);
    return long_command;
}

void
long_command_free(LongCommand *long_command)
{
    if (long_command == NULL)
        return;
    pthread_mutex_destroy(&long_command->lock);
    free(long_command);
}

bool
long_command_has_more(const LongCommand *long_command)
{
    for (int i = 0; i < long_command->range_count; i++) {
        if (!long_command->ranges[i].done)
            return true;
    }
    return false;
}

/* Nothing of the command can go on until the environment is mended. */
static bool
is_held_up(const LongCommand *long_command)
{
    for (int i = 0; i < long_command->range_count; i++) {
        if (!long_command->ranges[i].done && !long_command->ranges[i].held)
            return false;
    }
    return long_command_has_more(long_command);
}

/* A target has its turn while nothing of the targets before it runs. */
static bool
is_free(const LongCommand *long_command, int number)
{
    const RangeRun *run = &long_command->ranges[number];
    for (int i = 0; i < number; i++) {
        if (long_command->ranges[i].claimed && long_command->ranges[i].target != run->target)
            return false;
    }
    return !run->done && !run->claimed;
}

/* When all are held, the caller has waited long enough. */
static int64_t
start_ms(const LongCommand *long_command, const RangeRun *run)
{
    return is_held_up(long_command) ? 0 : run->not_before_ms;
}

/* To begin it, or to end it. */
static bool
needs_exclusive(const LongCommand *long_command)
{
    return !long_command->begun || !long_command_has_more(long_command);
}

/* The first that may run now; held ones have their turn by how long ago they were tried. */
static int
pick(const LongCommand *long_command, int64_t now_ms)
{
    int soonest = CLAIM_EXCLUSIVE;
    for (int i = 0; i < long_command->range_count; i++) {
        const RangeRun *run = &long_command->ranges[i];
        if (!is_free(long_command, i) || start_ms(long_command, run) > now_ms)
            continue;
        if (soonest == CLAIM_EXCLUSIVE ||
            run->not_before_ms < long_command->ranges[soonest].not_before_ms)
            soonest = i;
        if (soonest == i && !run->held)
            break;
    }
    return soonest;
}

bool
long_command_claim(LongCommand *long_command, int64_t now_ms, int *ret_claim)
{
    pthread_mutex_lock(&long_command->lock);
    const bool exclusive = needs_exclusive(long_command);
    const int picked = exclusive ? CLAIM_EXCLUSIVE : pick(long_command, now_ms);
    if (picked != CLAIM_EXCLUSIVE)
        long_command->ranges[picked].claimed = true;
    pthread_mutex_unlock(&long_command->lock);
    if (!exclusive && picked == CLAIM_EXCLUSIVE)
        return false;
    *ret_claim = picked;
    return true;
}

int64_t
long_command_next_ms(LongCommand *long_command)
{
    pthread_mutex_lock(&long_command->lock);
    int64_t next_ms = needs_exclusive(long_command) ? 0 : INT64_MAX;
    for (int i = 0; i < long_command->range_count; i++) {
        const RangeRun *run = &long_command->ranges[i];
        if (is_free(long_command, i) && start_ms(long_command, run) < next_ms)
            next_ms = start_ms(long_command, run);
    }
    pthread_mutex_unlock(&long_command->lock);
    return next_ms;
}

RangeRun
long_command_claimed_range(LongCommand *long_command, int claim)
{
    pthread_mutex_lock(&long_command->lock);
    const RangeRun run = long_command->ranges[claim];
    pthread_mutex_unlock(&long_command->lock);
    return run;
}

bool
long_command_unclaim(LongCommand *long_command, int claim, const RangeRun *run)
{
    pthread_mutex_lock(&long_command->lock);
    long_command->ranges[claim] = *run;
    long_command->ranges[claim].claimed = false;
    const bool held_up = is_held_up(long_command);
    pthread_mutex_unlock(&long_command->lock);
    return held_up;
}

void
long_command_note_batch(LongCommand *long_command, int64_t updated_us)
{
    pthread_mutex_lock(&long_command->lock);
    if (updated_us > long_command->updated_us)
        long_command->updated_us = updated_us;
    pthread_mutex_unlock(&long_command->lock);
}

void
long_command_note_failed_range(LongCommand *long_command, const RangeRun *run)
{
    pthread_mutex_lock(&long_command->lock);
    if (run->attempts - 1 > long_command->attempts)
        long_command->attempts = run->attempts - 1;
    pthread_mutex_unlock(&long_command->lock);
}

int
long_command_attempts(LongCommand *long_command)
{
    pthread_mutex_lock(&long_command->lock);
    const int attempts = long_command->attempts;
    pthread_mutex_unlock(&long_command->lock);
    return attempts;
}

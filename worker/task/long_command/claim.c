/* Who runs which range of a long command: the part of a LongCommand that is under its lock. */
#include "worker/task/long_command/long_command.h"

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
    for (int i = 0; i < long_command->part_count; i++) {
        if (!long_command->parts[i].done)
            return true;
    }
    return false;
}

/* Nothing of the command can go on until the environment is mended. */
static bool
is_held_up(const LongCommand *long_command)
{
    for (int i = 0; i < long_command->part_count; i++) {
        if (!long_command->parts[i].done && !long_command->parts[i].held)
            return false;
    }
    return long_command_has_more(long_command);
}

static bool
has_claims_of(const LongCommand *long_command, ReportPart kind)
{
    for (int i = 0; i < long_command->part_count; i++) {
        if (long_command->parts[i].kind == kind && long_command->parts[i].claimed)
            return true;
    }
    return false;
}

/* The second half has its turn when nothing of the first one runs. */
static bool
is_free(const LongCommand *long_command, const LongCommandPart *part)
{
    return !part->done && !part->claimed &&
           (part->kind == REPORT_SESSIONS || !has_claims_of(long_command, REPORT_SESSIONS));
}

/* When all are held, whoever asks has waited long enough. */
static int64_t
start_ms(const LongCommand *long_command, const LongCommandPart *part)
{
    return is_held_up(long_command) ? 0 : part->not_before_ms;
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
    for (int i = 0; i < long_command->part_count; i++) {
        const LongCommandPart *part = &long_command->parts[i];
        if (!is_free(long_command, part) || start_ms(long_command, part) > now_ms)
            continue;
        if (soonest == CLAIM_EXCLUSIVE ||
            part->not_before_ms < long_command->parts[soonest].not_before_ms)
            soonest = i;
        if (soonest == i && !part->held)
            break;
    }
    return soonest;
}

bool
long_command_claim(LongCommand *long_command, int64_t now_ms, int *ret_claim)
{
    pthread_mutex_lock(&long_command->lock);
    const bool alone = needs_exclusive(long_command);
    const int picked = alone ? CLAIM_EXCLUSIVE : pick(long_command, now_ms);
    if (picked != CLAIM_EXCLUSIVE)
        long_command->parts[picked].claimed = true;
    pthread_mutex_unlock(&long_command->lock);
    if (!alone && picked == CLAIM_EXCLUSIVE)
        return false;
    *ret_claim = picked;
    return true;
}

int64_t
long_command_next_ms(LongCommand *long_command)
{
    pthread_mutex_lock(&long_command->lock);
    int64_t next_ms = needs_exclusive(long_command) ? 0 : INT64_MAX;
    for (int i = 0; i < long_command->part_count; i++) {
        const LongCommandPart *part = &long_command->parts[i];
        if (is_free(long_command, part) && start_ms(long_command, part) < next_ms)
            next_ms = start_ms(long_command, part);
    }
    pthread_mutex_unlock(&long_command->lock);
    return next_ms;
}

LongCommandPart
long_command_claimed_part(LongCommand *long_command, int claim)
{
    pthread_mutex_lock(&long_command->lock);
    const LongCommandPart part = long_command->parts[claim];
    pthread_mutex_unlock(&long_command->lock);
    return part;
}

bool
long_command_unclaim(LongCommand *long_command, int claim, const LongCommandPart *part)
{
    pthread_mutex_lock(&long_command->lock);
    long_command->parts[claim] = *part;
    long_command->parts[claim].claimed = false;
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
long_command_note_failed_part(LongCommand *long_command, const LongCommandPart *part)
{
    pthread_mutex_lock(&long_command->lock);
    if (part->attempts - 1 > long_command->attempts)
        long_command->attempts = part->attempts - 1;
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

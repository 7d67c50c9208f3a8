/* Who runs which range of a long command: the part of a Chain that is under its lock. */
#include "worker/task/chain.h"

#include <stdint.h>

Chain *
chain_new(void)
{
    Chain *chain = calloc(1, sizeof(Chain));
    if (chain != NULL)
        pthread_mutex_init(&chain->lock, NULL);
    return chain;
}

void
chain_free(Chain *chain)
{
    if (chain == NULL)
        return;
    pthread_mutex_destroy(&chain->lock);
    free(chain);
}

bool
chain_has_more(const Chain *chain)
{
    for (int i = 0; i < chain->part_count; i++) {
        if (!chain->parts[i].done)
            return true;
    }
    return false;
}

/* Nothing of the command can go on until the environment is mended. */
static bool
is_held_up(const Chain *chain)
{
    for (int i = 0; i < chain->part_count; i++) {
        if (!chain->parts[i].done && !chain->parts[i].held)
            return false;
    }
    return chain_has_more(chain);
}

static bool
has_claims_of(const Chain *chain, ReportPart kind)
{
    for (int i = 0; i < chain->part_count; i++) {
        if (chain->parts[i].kind == kind && chain->parts[i].claimed)
            return true;
    }
    return false;
}

/* The second half has its turn when nothing of the first one runs. */
static bool
is_free(const Chain *chain, const ChainPart *part)
{
    return !part->done && !part->claimed &&
           (part->kind == REPORT_SESSIONS || !has_claims_of(chain, REPORT_SESSIONS));
}

/* When all are held, whoever asks has waited long enough. */
static int64_t
start_ms(const Chain *chain, const ChainPart *part)
{
    return is_held_up(chain) ? 0 : part->not_before_ms;
}

/* To begin it, or to end it. */
static bool
is_alone(const Chain *chain)
{
    return !chain->begun || !chain_has_more(chain);
}

/* The first that may run now; held ones have their turn by how long ago they were tried. */
static int
pick(const Chain *chain, int64_t now_ms)
{
    int soonest = CHAIN_ALONE;
    for (int i = 0; i < chain->part_count; i++) {
        const ChainPart *part = &chain->parts[i];
        if (!is_free(chain, part) || start_ms(chain, part) > now_ms)
            continue;
        if (soonest == CHAIN_ALONE || part->not_before_ms < chain->parts[soonest].not_before_ms)
            soonest = i;
        if (soonest == i && !part->held)
            break;
    }
    return soonest;
}

bool
chain_claim(Chain *chain, int64_t now_ms, int *ret_claim)
{
    pthread_mutex_lock(&chain->lock);
    const bool alone = is_alone(chain);
    const int picked = alone ? CHAIN_ALONE : pick(chain, now_ms);
    if (picked != CHAIN_ALONE)
        chain->parts[picked].claimed = true;
    pthread_mutex_unlock(&chain->lock);
    if (!alone && picked == CHAIN_ALONE)
        return false;
    *ret_claim = picked;
    return true;
}

int64_t
chain_next_ms(Chain *chain)
{
    pthread_mutex_lock(&chain->lock);
    int64_t next_ms = is_alone(chain) ? 0 : INT64_MAX;
    for (int i = 0; i < chain->part_count; i++) {
        const ChainPart *part = &chain->parts[i];
        if (is_free(chain, part) && start_ms(chain, part) < next_ms)
            next_ms = start_ms(chain, part);
    }
    pthread_mutex_unlock(&chain->lock);
    return next_ms;
}

ChainPart
chain_claimed_part(Chain *chain, int claim)
{
    pthread_mutex_lock(&chain->lock);
    const ChainPart part = chain->parts[claim];
    pthread_mutex_unlock(&chain->lock);
    return part;
}

bool
chain_unclaim(Chain *chain, int claim, const ChainPart *part)
{
    pthread_mutex_lock(&chain->lock);
    chain->parts[claim] = *part;
    chain->parts[claim].claimed = false;
    const bool held_up = is_held_up(chain);
    pthread_mutex_unlock(&chain->lock);
    return held_up;
}

void
chain_note_batch(Chain *chain, int64_t updated_us)
{
    pthread_mutex_lock(&chain->lock);
    if (updated_us > chain->updated_us)
        chain->updated_us = updated_us;
    pthread_mutex_unlock(&chain->lock);
}

void
chain_note_failed_part(Chain *chain, const ChainPart *part)
{
    pthread_mutex_lock(&chain->lock);
    if (part->attempts - 1 > chain->attempts)
        chain->attempts = part->attempts - 1;
    pthread_mutex_unlock(&chain->lock);
}

int
chain_attempts(Chain *chain)
{
    pthread_mutex_lock(&chain->lock);
    const int attempts = chain->attempts;
    pthread_mutex_unlock(&chain->lock);
    return attempts;
}

/*
 * backoff: how long to wait before the next try.
 *
 * Owns:      nothing; a Backoff is a plain value.
 * Threads:   one at a time.
 * Invariant: every wait lies between the first and the longest one.
 */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

#include <stdint.h>

typedef struct Backoff {
    int64_t first_ms;   /* shortest wait, and about the first one */
    int64_t longest_ms; /* never waits longer */
    int64_t last_ms;    /* the latest wait; 0 before the first */
} Backoff;

/* `first_ms` below 1 counts as 1, `longest_ms` below `first_ms` as that. */
void backoff_init(Backoff *backoff, int64_t first_ms, int64_t longest_ms);

/* The next wait. `random` is any number, evenly distributed over 32 bits; the caller draws it, so
 * that tests can say what comes. */
int64_t backoff_next_ms(Backoff *backoff, uint32_t random);

/* Begins anew, after a success. */
void backoff_reset(Backoff *backoff);

#endif

/*
 * backoff: how long to wait before the next try: each time twice as long, spread by chance, so that
 * those who failed together do not come back together. Pure.
 *
 * Owns:      nothing; the state of the chance is the caller's.
 * Threads:   any; a seed belongs to one thread at a time.
 * Invariant: a wait lies between half of its span and all of it.
 */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

typedef struct Backoff {
    int first_ms; /* span after the first failure; below 1 counts as 1 */
    int max_ms;   /* no span is longer */
} Backoff;

/* The wait after that many failures in a row (at least 1). Any number will do as the first seed. */
int backoff_wait_ms(const Backoff *backoff, int failures, unsigned *seed);

/* A span that does not grow, spread in the same way. */
int backoff_spread_ms(int span_ms, unsigned *seed);

#endif

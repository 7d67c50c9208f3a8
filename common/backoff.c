#include "common/backoff.h"

/* A linear congruential generator is chance enough for waits; its low bits are not, so they go. */
static unsigned
next_random(unsigned *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static int
span_after(const Backoff *backoff, int failures)
{
    int span_ms = backoff->first_ms > 0 ? backoff->first_ms : 1;
    for (int i = 1; i < failures && span_ms < backoff->max_ms; i++)
        span_ms = span_ms <= backoff->max_ms / 2 ? span_ms * 2 : backoff->max_ms;
    return span_ms < backoff->max_ms ? span_ms : backoff->max_ms;
}

int
backoff_spread_ms(int span_ms, unsigned *seed)
{
    if (span_ms <= 0)
        return 0;
    const int half_ms = span_ms / 2;
    return span_ms - half_ms + (int)(next_random(seed) % ((unsigned)half_ms + 1));
}

int
backoff_wait_ms(const Backoff *backoff, int failures, unsigned *seed)
{
    return backoff_spread_ms(span_after(backoff, failures), seed);
}

#include "common/backoff.h"

enum { GROWTH = 3 };

void
backoff_init(Backoff *backoff, int64_t first_ms, int64_t longest_ms)
{
    backoff->first_ms = first_ms > 0 ? first_ms : 1;
    backoff->longest_ms = longest_ms > backoff->first_ms ? longest_ms : backoff->first_ms;
    backoff->last_ms = 0;
}

/* Decorrelated jitter: the wait is drawn anew between the first and three times the latest one. A
 * pool that loses its database loses it at the same moment; with waits that only double, its
 * workers would come back in step, all at once, each time. Doubling with a little jitter keeps them
 * close together; drawing from the whole range spreads them over it and still grows. The range is
 * cut at the longest wait before drawing: cutting afterwards would put most workers on exactly that
 * wait, in step again. */
int64_t
backoff_next_ms(Backoff *backoff, uint32_t random)
{
    int64_t most_ms = backoff->longest_ms;
    const int64_t last_ms = backoff->last_ms > 0 ? backoff->last_ms : backoff->first_ms;
    if (last_ms < most_ms / GROWTH)
        most_ms = last_ms * GROWTH;
    const uint64_t span = (uint64_t)(most_ms - backoff->first_ms) + 1;
    /* The upper bits of the product: even for spans below 2^32, and no modulo bias. */
    const uint64_t drawn = span > UINT32_MAX ? random : (span * random) >> 32;
    backoff->last_ms = backoff->first_ms + (int64_t)drawn;
    return backoff->last_ms;
}

void
backoff_reset(Backoff *backoff)
{
    backoff->last_ms = 0;
}

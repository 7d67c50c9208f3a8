#include "worker/pipeline/publisher/round.h"

void
round_add(Round *round, size_t outcomes, size_t bytes, int64_t now_ms)
{
    if (round->outcomes == 0)
        round->since_ms = now_ms;
    round->outcomes += outcomes;
    round->bytes += bytes;
}

/* Half of the bytes: while they are on their way, the executors fill the other half. */
bool
round_is_ripe(const Round *round, size_t bytes_limit, bool has_backlog, int64_t now_ms)
{
    return !has_backlog || round->is_urgent || round->outcomes >= ROUND_OUTCOMES ||
           round->bytes >= bytes_limit / 2 || now_ms - round->since_ms >= ROUND_GATHER_MS;
}

#include "worker/pipeline/fencing.h"

bool
fencing_again(Fencing *fencing, int64_t now_ms, int64_t within_ms)
{
    const bool again = fencing->before && now_ms - fencing->at_ms <= within_ms;
    *fencing = (Fencing){.before = true, .at_ms = now_ms};
    return again;
}

#include "worker/task/target.h"

#define US_PER_MINUTE (60.0 * 1e6)

int64_t
target_cutoff_us(const Target *target, const CommandParams *params, int64_t now_us)
{
    return now_us - (int64_t)(target->age_minutes(params) * US_PER_MINUTE);
}

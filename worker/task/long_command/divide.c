#include "worker/task/long_command/divide.h"

#include <stdio.h>

enum {
    RANGE_ROWS_MIN = 5000, /* a smaller table is not divided so far */
};

int
divide_wanted(const TaskContext *context, int64_t rows)
{
    const int64_t most = rows / RANGE_ROWS_MIN;
    int wanted = context->settings->executors;
    if (wanted > TARGET_RANGES_MAX)
        wanted = TARGET_RANGES_MAX;
    if (wanted > most)
        wanted = (int)most;
    return wanted > 1 ? wanted : 1;
}

LedgerRange *
divide_add(TargetPlan *plan)
{
    LedgerRange *range = &plan->ranges[plan->count];
    *range = (LedgerRange){
        .range_no = plan->count++,
        .state = RANGE_RUNNING,
        .counted = plan->target->counted,
    };
    (void)snprintf(range->target, sizeof(range->target), "%s", plan->target->name);
    return range;
}

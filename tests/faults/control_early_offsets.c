/*
 * Negative control: offsets are committed as soon as a command was accepted, before its work. Sets
 * take long here, so that something is accepted and not done whenever a worker dies.
 */
#include "common/offsets/offset_tracker.h"
#include "worker/task/task.h"

#include <unistd.h>

enum {
    SET_US = 300 * 1000,
};

bool __real_task_run_set(const TaskContext *context, const TaskItem *items, size_t count,
                         int attempts, TaskOutcome *outcomes, Error *err);
bool __wrap_task_run_set(const TaskContext *context, const TaskItem *items, size_t count,
                         int attempts, TaskOutcome *outcomes, Error *err);

bool
__wrap_task_run_set(const TaskContext *context, const TaskItem *items, size_t count, int attempts,
                    TaskOutcome *outcomes, Error *err)
{
    usleep(SET_US);
    return __real_task_run_set(context, items, count, attempts, outcomes, err);
}

bool __real_offset_tracker_plan(OffsetTracker *tracker, size_t max_bytes, OffsetPlan *ret_plan,
                                Error *err);
bool __wrap_offset_tracker_plan(OffsetTracker *tracker, size_t max_bytes, OffsetPlan *ret_plan,
                                Error *err);

bool
__wrap_offset_tracker_plan(OffsetTracker *tracker, size_t max_bytes, OffsetPlan *ret_plan,
                           Error *err)
{
    if (!__real_offset_tracker_plan(tracker, max_bytes, ret_plan, err))
        return false;
    /* Were there no gaps, the offset after the last one accepted; else one before it. */
    ret_plan->offset =
        offset_tracker_committable(tracker) +
        (int64_t)(offset_tracker_in_flight(tracker) + offset_tracker_finished_ahead(tracker));
    ret_plan->metadata[0] = '\0';
    return true;
}

/*
 * Negative control: what was finished ahead of a long command is forgotten when a partition moves.
 * Long commands take long here, so that something is ahead of one whenever a partition moves.
 */
#include "common/offsets/offset_tracker.h"
#include "worker/task/task.h"

#include <unistd.h>

enum {
    STEP_US = 150 * 1000,
};

bool __real_offset_tracker_resume(OffsetTracker *tracker, int64_t committed, const char *metadata);
bool __wrap_offset_tracker_resume(OffsetTracker *tracker, int64_t committed, const char *metadata);
bool __real_task_step_long_command(const TaskContext *context, const TaskItem *item,
                                   const TaskTurn *turn, TaskOutcome *ret_outcome, Error *err);
bool __wrap_task_step_long_command(const TaskContext *context, const TaskItem *item,
                                   const TaskTurn *turn, TaskOutcome *ret_outcome, Error *err);

bool
__wrap_offset_tracker_resume(OffsetTracker *tracker, int64_t committed, const char *metadata)
{
    (void)metadata;
    return __real_offset_tracker_resume(tracker, committed, NULL);
}

bool
__wrap_task_step_long_command(const TaskContext *context, const TaskItem *item,
                              const TaskTurn *turn, TaskOutcome *ret_outcome, Error *err)
{
    usleep(STEP_US);
    return __real_task_step_long_command(context, item, turn, ret_outcome, err);
}

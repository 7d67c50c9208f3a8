/* Negative control: offsets are committed as soon as a command was accepted, before its work. */
#include "common/kafka/offset_tracker.h"

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
    ret_plan->offset = offset_tracker_position(tracker);
    ret_plan->metadata[0] = '\0';
    return true;
}

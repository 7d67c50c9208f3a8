/* Negative control: offsets are committed as soon as a command was accepted, before its work. */
#include "common/kafka/offset_tracker.h"

int64_t __wrap_offset_tracker_committable(const OffsetTracker *tracker);

int64_t
__wrap_offset_tracker_committable(const OffsetTracker *tracker)
{
    return offset_tracker_position(tracker);
}

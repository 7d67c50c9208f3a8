/* Negative control: what was finished ahead of a long command is forgotten when a partition moves.
 */
#include "common/kafka/offset_tracker.h"

bool __real_offset_tracker_resume(OffsetTracker *tracker, int64_t committed, const char *metadata);
bool __wrap_offset_tracker_resume(OffsetTracker *tracker, int64_t committed, const char *metadata);

bool
__wrap_offset_tracker_resume(OffsetTracker *tracker, int64_t committed, const char *metadata)
{
    (void)metadata;
    return __real_offset_tracker_resume(tracker, committed, NULL);
}

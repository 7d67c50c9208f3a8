/*
 * offset_tracker: decides which offset of one partition is safe to commit, and which offsets above
 * it are finished already.
 *
 * Owns:      the offsets in flight of that partition, those finished ahead of an unfinished one,
 * and those that were finished ahead in an earlier assignment and have not come yet.
 * Threads:   one at a time; the caller locks.
 * Invariant: no offset below the committable one is unfinished.
 */
#ifndef COMMON_OFFSETS_OFFSET_TRACKER_H
#define COMMON_OFFSETS_OFFSET_TRACKER_H

#include "common/error.h"
#include "common/offsets/offset_ahead.h"

#define OFFSET_TRACKER_NONE INT64_C(-1)

typedef struct OffsetTracker OffsetTracker;

typedef enum OffsetStart {
    OFFSET_STARTED,
    OFFSET_BELOW,        /* at or below one that was started before: a redelivery, to be dropped */
    OFFSET_WAS_FINISHED, /* in an earlier assignment, ahead of an unfinished one: to be dropped */
    OFFSET_OUT_OF_MEMORY,
} OffsetStart;

/* NULL when out of memory. */
OffsetTracker *offset_tracker_new(void) MUST_CHECK;

/* Goes on from what the group has committed: the next offset to read and its metadata (NULL or ""
 * for none). Before the first start only. False when the metadata is not of this program (or out of
 * memory): then nothing counts as finished ahead. */
bool offset_tracker_resume(OffsetTracker *tracker, int64_t committed,
                           const char *metadata) MUST_CHECK;

/* Takes note of a record that was polled. Offsets only go up; gaps are usual (transaction markers).
 */
OffsetStart offset_tracker_start(OffsetTracker *tracker, int64_t offset) MUST_CHECK;

/* Marks `offset` finished; a second time is harmless.
 * Fails with ERROR_FATAL when `offset` is not one that was started in this assignment. */
bool offset_tracker_finish(OffsetTracker *tracker, int64_t offset, Error *err) MUST_CHECK;

/* Offers an unfinished offset for the next plan, which counts it as finished; withdrawing makes it
 * plainly unfinished again. Both are harmless for any other offset. */
void offset_tracker_offer(OffsetTracker *tracker, int64_t offset);
void offset_tracker_withdraw(OffsetTracker *tracker, int64_t offset);
bool offset_tracker_is_offered(const OffsetTracker *tracker, int64_t offset);

/* What to commit once everything offered is finished. */
typedef struct OffsetPlan {
    int64_t offset; /* OFFSET_TRACKER_NONE before the first start or resume */
    char metadata[OFFSET_AHEAD_BYTES_MAX + 1];
    bool is_cut; /* what was finished before did not fit: the metadata tell less than is finished */
} OffsetPlan;

/* Plans with metadata of at most `max_bytes`: what of the offers does not fit is withdrawn, the
 * highest offsets first. False when out of memory. */
bool offset_tracker_plan(OffsetTracker *tracker, size_t max_bytes, OffsetPlan *ret_plan,
                         Error *err) MUST_CHECK;

/* Everything below it is finished. OFFSET_TRACKER_NONE before the first start or resume. */
int64_t offset_tracker_committable(const OffsetTracker *tracker);

/* How many are started and not finished. */
size_t offset_tracker_in_flight(const OffsetTracker *tracker);

/* How many were started and are finished ahead of an unfinished one. */
size_t offset_tracker_finished_ahead(const OffsetTracker *tracker);

void offset_tracker_free(OffsetTracker *tracker);
DEFINE_FREEP(OffsetTracker, offset_tracker_free)

#endif

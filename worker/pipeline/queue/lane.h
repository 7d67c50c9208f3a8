/*
 * lane: the commands of one partition during one assignment.
 *
 * Owns:      the offset tracker and what is in hand of the partition; a reference to the membership
 *            of its assignment.
 * Threads:   any for references and offsets and for reading the state; the coordinator sets the
 *            state and keeps the flow. The publisher finishes offsets, plans a transaction and
 *            withdraws what a plan offered; outside of transactions the coordinator plans the
 *            commits.
 * Invariant: the state only goes forward: open, closing, dead. Jobs, outcomes and completions hold
 *            a reference, so that an outcome of an assignment that has ended finds its own lane
 *            dead, never the new one. While an executor, the publisher or the coordinator has a
 *            command in hand, at least one reference counts as busy: each makes the next one's
 *            before it gives up its own, so the count is 0 only when all of that has come to its
 *            end. An outcome that cannot be written is set aside and does not count.
 */
#ifndef WORKER_PIPELINE_QUEUE_LANE_H
#define WORKER_PIPELINE_QUEUE_LANE_H

#include "common/kafka/kafka_membership.h"
#include "common/offsets/offset_tracker.h"

typedef struct Lane Lane;

typedef enum LaneState {
    LANE_OPEN,
    LANE_CLOSING, /* nothing starts any more; what runs is finished and published */
    LANE_DEAD,    /* another worker may own the partition: nothing is published */
} LaneState;

/* With one reference. NULL when out of memory. */
Lane *lane_new(int32_t partition, KafkaMembership *membership) MUST_CHECK;
/* Another one of the same partition and membership. */
Lane *lane_new_after(const Lane *lane) MUST_CHECK;
Lane *lane_ref(Lane *lane);
void lane_unref(Lane *lane); /* NULL is harmless */

/* A reference that counts as busy: a job that an executor has, an outcome with the publisher, a
 * completion that the coordinator has not taken yet. */
Lane *lane_ref_busy(Lane *lane);
void lane_unref_busy(Lane *lane);
int lane_busy(const Lane *lane);

int32_t lane_partition(const Lane *lane);
/* Borrowed; NULL when the lane was made without. */
const KafkaMembership *lane_membership(const Lane *lane);

LaneState lane_state(const Lane *lane);
/* The coordinator's. Any state but a later one is a bug, which ends the process. */
void lane_set_state(Lane *lane, LaneState state);

/* Goes on from what the group has committed; as offset_tracker_resume. */
bool lane_resume(Lane *lane, int64_t committed, const char *metadata) MUST_CHECK;

/* Takes note of a polled record of `size_bytes`. */
OffsetStart lane_accept(Lane *lane, int64_t offset, size_t size_bytes) MUST_CHECK;

/* The command at that offset has ended. The publisher's, which alone ends commands; as
 * offset_tracker_finish. */
bool lane_finish(Lane *lane, int64_t offset, Error *err) MUST_CHECK;

/* What a transaction would commit: see offset_tracker. */
void lane_offer(Lane *lane, int64_t offset);
void lane_withdraw(Lane *lane, int64_t offset);
bool lane_is_offered(Lane *lane, int64_t offset);
bool lane_plan(Lane *lane, size_t max_bytes, OffsetPlan *ret_plan, Error *err) MUST_CHECK;

/* Was anything finished since the last lane_plan_commit, or has its commit failed? For commits
 * outside of transactions. */
bool lane_has_uncommitted(const Lane *lane);
bool lane_plan_commit(Lane *lane, OffsetPlan *ret_plan, Error *err) MUST_CHECK;
void lane_commit_failed(Lane *lane);

/* From here on: the coordinator's. */

/* The offset after the last one accepted, or the one resumed at; OFFSET_TRACKER_NONE before. */
int64_t lane_position(const Lane *lane);

/* A finished record is no longer in hand. */
void lane_release(Lane *lane, size_t size_bytes);

typedef struct LaneMarks {
    size_t high_commands;
    size_t high_bytes;
    size_t high_ahead; /* finished ahead of an unfinished one */
} LaneMarks;

typedef enum LaneFlow { LANE_FLOW_KEEP, LANE_FLOW_PAUSE, LANE_FLOW_RESUME } LaneFlow;

/* Above a high mark: pause; below half of all of them: resume. The lane remembers which it said
 * last. */
LaneFlow lane_flow(Lane *lane, const LaneMarks *marks);

/* Whether lane_flow said so last. */
bool lane_is_paused(const Lane *lane);

#endif

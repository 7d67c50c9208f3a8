/*
 * assignment: the lanes of the partitions that this worker has, from assign to revoke.
 *
 * Owns:      one reference to each lane of the current assignment.
 * Threads:   the coordinator's.
 * Invariant: every assignment makes new lanes; those of the one before are dead by then.
 */
#ifndef WORKER_PIPELINE_COORDINATOR_ASSIGNMENT_H
#define WORKER_PIPELINE_COORDINATOR_ASSIGNMENT_H

#include "common/kafka/kafka_consumer.h"
#include "worker/pipeline/shared.h"

typedef struct Assignment {
    Lane **lanes;
    size_t count;
    uint64_t epoch;        /* how many there were; for the log */
    int64_t committed_ms;  /* when a commit was begun last */
    size_t commits_failed; /* of those the consumer has told of, how many were answered for */
} Assignment;

/* Makes an open lane for each partition, which goes on from what `lookup` (NULL for none) says was
 * committed; those before must have been ended. */
bool assignment_begin(Assignment *assignment, const KafkaRebalance *rebalance,
                      const KafkaLookup *lookup, Error *err) MUST_CHECK;

/* Ends one of its lanes and puts a new one in its place, which goes on from nothing; `ret_dropped`
 * are the queued jobs that went with the old one. NULL, and nothing done, when out of memory. */
Lane *assignment_replace_lane(Assignment *assignment, Lane *lane, Batcher *batcher,
                              size_t *ret_dropped) MUST_CHECK;

/* NULL when this worker does not have that partition. */
Lane *assignment_lane(const Assignment *assignment, int32_t partition);

/* Nothing of the lanes, which are open, starts any more; returns how many queued jobs were dropped.
 */
size_t assignment_close(const Assignment *assignment, Batcher *batcher);

/* What is under way, as lane_busy counts it; 0: nothing is. */
size_t assignment_busy(const Assignment *assignment);

/* Ends the lanes: what is still with executors or the publisher will be dropped. Returns how many
 * queued jobs were. */
size_t assignment_end(Assignment *assignment, Batcher *batcher);

/* Begins to commit what is finished and was not committed before, at most one commit at a time and
 * one in 50 ms; with `now` at once. True when there is nothing left to be committed. */
bool assignment_commit(Assignment *assignment, KafkaConsumer *consumer, const Clock *clock,
                       bool now);

#endif

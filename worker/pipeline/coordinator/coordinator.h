/*
 * coordinator: the thread that owns the consumer: it polls, hands on, commits, answers rebalances
 * and drains.
 *
 * Owns:      the consumer, the lanes of the current assignment, the intake.
 * Threads:   the one that called pipeline_run; it blocks no longer than a tick, and 1.5 s
 *            while it has no partitions and asks why.
 */
#ifndef WORKER_PIPELINE_COORDINATOR_COORDINATOR_H
#define WORKER_PIPELINE_COORDINATOR_COORDINATOR_H

#include "common/kafka/kafka_consumer.h"
#include "worker/pipeline/shared.h"

typedef struct Coordinator Coordinator;

/* Takes ownership of the consumer, which is not subscribed yet, also when it fails. */
bool coordinator_new(const PipelineShared *shared, KafkaConsumer *consumer, int signal_fd,
                     Coordinator **ret_coordinator, Error *err) MUST_CHECK;

/* Subscribes and runs until drained after a signal (true), or until the process cannot go on
 * (false). */
bool coordinator_run(Coordinator *coordinator, Error *err) MUST_CHECK;

/* What is left of the grace when coordinator_run has returned; -1 when no signal has come. */
int coordinator_grace_left_ms(const Coordinator *coordinator);

typedef struct CoordinatorCounts {
    int64_t received; /* records of this worker's partitions */
    int64_t finished; /* commands whose results were published, or whose duplicates were absorbed */
    int64_t dropped;  /* queued commands that were given back unstarted */
} CoordinatorCounts;

CoordinatorCounts coordinator_counts(const Coordinator *coordinator);

/* Leaves the group. NULL is harmless. */
void coordinator_free(Coordinator *coordinator);

#endif

/*
 * publisher: sends results and dead letters, ends their commands, and tells the coordinator of
 * each.
 *
 * Owns:      the outcomes between an executor and their delivery; through its delivery the
 *            producer; one thread.
 * Threads:   publisher_push from any; the rest from the thread that made it. The publisher's own
 *            thread alone finishes offsets, in both deliveries: with transactions before it plans
 *            the next one, without them before the completion is posted, which is before the lane
 *            can be idle. The coordinator may commit a finished offset before it takes the
 *            completion; its results are delivered by then.
 * Invariant: a command ends when all records of its outcome were delivered, and never otherwise;
 *            an outcome of a dead lane is dropped, because the partition's next owner publishes it
 *            from the ledger.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_PUBLISHER_H
#define WORKER_PIPELINE_PUBLISHER_PUBLISHER_H

#include "worker/pipeline/publisher/outgoing.h"
#include "worker/pipeline/queue/batcher.h"
#include "worker/pipeline/queue/completions.h"
#include "worker/pipeline/settings.h"

typedef struct Publisher Publisher;

/* Opens the producer and starts the thread. All is borrowed. With transactions, outcomes are
 * gathered (round.h) while `batcher` has a backlog; NULL never has. */
bool publisher_start(const PipelineSettings *settings, const Clock *clock, Completions *completions,
                     Batcher *batcher, Publisher **ret_publisher, Error *err) MUST_CHECK;

/* Hands outcomes over, all at once; takes ownership and leaves the list empty. With `may_wait` it
 * blocks while too many bytes wait to be published, but no longer once the publisher is stopping.
 */
void publisher_push(Publisher *publisher, OutgoingList *items, bool may_wait);

/* From that time on (monotonic) no call to Kafka goes on: the grace is over. */
void publisher_set_deadline(Publisher *publisher, int64_t deadline_ms);

/* No executor waits in publisher_push from here on. */
void publisher_release_waiters(Publisher *publisher);

/* Delivers what it has until shortly before `deadline_ms` (monotonic, of the system's clock), ends
 * the thread, closes the producer, frees all. False when the thread is still inside a call to Kafka
 * at that time: then it, and what it uses, must be left alone. NULL is harmless. */
bool publisher_stop(Publisher *publisher, int64_t deadline_ms) MUST_CHECK;

#endif

/*
 * exactly_once_private: the inside of that delivery, for exactly_once.c and transaction_calls.c.
 *
 * Owns:      the transactional producer, the outcomes that wait, the batch in the transaction.
 * Threads:   the publisher's.
 * Invariant: an outcome is done only when it is certain that its transaction was committed, and is
 *            published again only when it is certain that it was not.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_EXACTLY_ONCE_PRIVATE_H
#define WORKER_PIPELINE_PUBLISHER_EXACTLY_ONCE_PRIVATE_H

#include "common/kafka/kafka_transaction.h"
#include "worker/pipeline/fencing.h"
#include "worker/pipeline/publisher/transaction_batch.h"
#include "worker/pipeline/publisher/transaction_table.h"

enum {
    /* After an abort, a failed look-up, a batch of which nothing can go. */
    EXACTLY_ONCE_PAUSE_MS = 100,
};

typedef struct ExactlyOnce {
    const PipelineSettings *settings;
    const Clock *clock;
    DeliveryHooks hooks;
    KafkaProducer *producer; /* NULL while there is none */
    KafkaLookup *lookup;
    TransactionStep step;
    OutgoingList pending;
    TransactionBatch batch;
    Outgoing *to_send; /* the next of the batch to be produced */
    size_t metadata_bytes;
    int64_t deadline_ms; /* of the current turn's calls */
    int64_t not_before_ms;
    int64_t begun_ms;
    int64_t step_since_ms;
    unsigned disconnects; /* when the transaction began */
    bool commit_tried;
    bool report_failed;
    bool too_large; /* a record was refused that cannot be cut, perhaps only because of its batch */
    Fencing fencing;
} ExactlyOnce;

int64_t exactly_once_now_ms(const ExactlyOnce *self);

/* Runs the current step once and tells how that ended; `err` tells more unless it is done. */
TransactionEnding exactly_once_run_step(ExactlyOnce *self, Error *err);

/* True from the begin of a transaction to its end. */
bool exactly_once_in_transaction(const ExactlyOnce *self);

void exactly_once_drop_producer(ExactlyOnce *self);

#endif

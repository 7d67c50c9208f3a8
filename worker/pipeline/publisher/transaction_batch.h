/*
 * transaction_batch: the outcomes of one Kafka transaction, with the offsets that it commits.
 *
 * Owns:      its outcomes, from transaction_batch_form to the hook that takes each.
 * Threads:   the publisher's.
 * Invariant: its offsets never pass an unfinished command; all of its lanes are of one membership,
 *            and each of another partition.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_TRANSACTION_BATCH_H
#define WORKER_PIPELINE_PUBLISHER_TRANSACTION_BATCH_H

#include "worker/pipeline/publisher/delivery.h"

typedef struct TransactionBatch {
    OutgoingList items;
    Lane **lanes; /* a reference each */
    OffsetPlan *plans;
    KafkaOffset *offsets; /* borrow from the plans */
    size_t lane_count;
    size_t lane_room;
    size_t most; /* outcomes of the next; 0: as many as may be */
    /* Of its records for each topic, about. */
    size_t bytes[OUTGOING_PARTS];
    size_t bytes_most[OUTGOING_PARTS]; /* of the next, unless one record has more; the delivery's */
} TransactionBatch;

void transaction_batch_init(TransactionBatch *batch);

/* Moves from `pending` what can go in one transaction: not the outcomes of dead lanes, which end
 * undelivered; not what finished too far ahead to be written into at most `metadata_bytes` of its
 * offset's metadata, which is deferred and stays. False, and the batch empty, when there is nothing
 * (`err` untouched but without memory: ERROR_FATAL). */
bool transaction_batch_form(TransactionBatch *batch, OutgoingList *pending, size_t metadata_bytes,
                            const DeliveryHooks *hooks, Error *err) MUST_CHECK;

/* The group membership that fences the offsets; NULL when there are no offsets. Borrowed. */
const KafkaMembership *transaction_batch_membership(const TransactionBatch *batch);

/* The transaction is committed: every outcome is delivered. */
void transaction_batch_commit(TransactionBatch *batch, const DeliveryHooks *hooks);

/* One of the outcomes cannot be written, or all of them together, and it is not known which: half
 * as many in the next, and a few more in each that follows one that is committed. To be followed by
 * transaction_batch_abort. */
void transaction_batch_halve(TransactionBatch *batch);

/* It is aborted: every outcome goes back to the front of `pending`. */
void transaction_batch_abort(TransactionBatch *batch, OutgoingList *pending);

/* The partitions of its lanes that are not dead; `partitions` has room for
 * batch->lane_count. */
size_t transaction_batch_partitions(const TransactionBatch *batch, int32_t *partitions);

/* Whether it was committed is in doubt: what lies below the offsets that were committed, or ahead
 * among their metadata, was delivered, the rest goes back. `lookup` is NULL when all lanes are
 * dead. */
void transaction_batch_look_up(TransactionBatch *batch, const KafkaLookup *lookup,
                               OutgoingList *pending, const DeliveryHooks *hooks);

/* Ends what is left, undelivered, and frees the memory. */
void transaction_batch_done(TransactionBatch *batch, const DeliveryHooks *hooks);

#endif

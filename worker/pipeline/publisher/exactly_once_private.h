/*
 * exactly_once_private: the inside of that delivery, for exactly_once.c, transaction_calls.c and,
 * below them, exactly_once_blame.c.
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
#include "worker/pipeline/publisher/set_aside.h"
#include "worker/pipeline/publisher/size_limit.h"
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
    SetAside aside;
    bool alone; /* the batch is a try of one outcome that was set aside */
    /* What is known of a transaction that does not go well. */
    Error failure;             /* the first */
    OutgoingPart *failed_part; /* whose it is; NULL when the broker does not say */
    size_t suspects;           /* outcomes with a record that failed */
    SizeLimit size_limits[OUTGOING_PARTS];
    int64_t look_ms; /* when to look closer, while nothing happens */
    bool topics_checked;
    Fencing fencing;
} ExactlyOnce;

static inline int64_t
exactly_once_now_ms(const ExactlyOnce *self)
{
    return clock_monotonic_ms(self->clock);
}

/* What is left of the turn for one call; at least 1 ms, because 0 or less means something else to
 * librdkafka. */
static inline int
exactly_once_call_ms(const ExactlyOnce *self, int most_ms)
{
    const int64_t left_ms = self->deadline_ms - exactly_once_now_ms(self);
    if (left_ms < 1)
        return 1;
    return left_ms < most_ms ? (int)left_ms : most_ms;
}

/* Runs the current step once and tells how that ended; `err` tells more unless it is done. */
TransactionEnding exactly_once_run_step(ExactlyOnce *self, Error *err);

/* True from the begin of a transaction to its end. */
bool exactly_once_in_transaction(const ExactlyOnce *self);

void exactly_once_drop_producer(ExactlyOnce *self);

/* exactly_once_blame.c */

/* How many bytes the topic of that part may get at once. */
size_t exactly_once_max_bytes(const ExactlyOnce *self, int part);

/* Of the next batch: no more than each topic takes. */
void exactly_once_bound_batch(ExactlyOnce *self);

/* A transaction begins: nothing is known against anything. */
void exactly_once_acquit(ExactlyOnce *self);

/* Notes why the transaction fails; `part` NULL when that is not told. What says nothing about a
 * record is not noted. */
void exactly_once_note_failure(ExactlyOnce *self, OutgoingPart *part, const Error *failure);

/* False when a topic that records on their way go to takes none; notes it. */
bool exactly_once_check_topics(ExactlyOnce *self, Error *err) MUST_CHECK;

/* After a transaction that failed, before its outcomes go back: finds what of the batch was at
 * fault, or makes the next one smaller. */
void exactly_once_judge(ExactlyOnce *self);

/* Takes the outcomes of a batch that failed: to the front of the pending, or aside. */
void exactly_once_put_back(ExactlyOnce *self, OutgoingList *items);

/* Forms a batch of one outcome whose try is due. False when there is none. */
bool exactly_once_begin_try(ExactlyOnce *self, Error *err) MUST_CHECK;

/* The batch is committed: what has waited for the topic that it tried can go. */
void exactly_once_end_try(ExactlyOnce *self);

#endif

/*
 * kafka_transaction: the transactions of a producer that kafka_producer_open_transactional opened.
 *
 * Owns:      nothing; the producer does.
 * Threads:   the producer's.
 * Invariant: no call waits longer than its `timeout_ms`; whatever happens is one of the endings
 * below, `err` telling more of all but KAFKA_TXN_OK.
 */
#ifndef COMMON_KAFKA_KAFKA_TRANSACTION_H
#define COMMON_KAFKA_KAFKA_TRANSACTION_H

#include "common/kafka/kafka_lookup.h"
#include "common/kafka/kafka_membership.h"
#include "common/kafka/kafka_producer.h"

typedef enum KafkaTxn {
    KAFKA_TXN_OK,
    KAFKA_TXN_AGAIN,  /* not yet: the same call again */
    KAFKA_TXN_ABORT,  /* the transaction must be aborted; the producer goes on */
    KAFKA_TXN_FENCED, /* another producer has this transactional id, or the broker gave up waiting
                         for the transaction's end: close the producer */
    KAFKA_TXN_BROKEN, /* close the producer; how the transaction ended is not known */
} KafkaTxn;

/* Once, before the first transaction: ends what an earlier producer of this id left open and fences
 * it. */
KafkaTxn kafka_producer_init_transactions(KafkaProducer *producer, int timeout_ms,
                                          Error *err) MUST_CHECK;

KafkaTxn kafka_producer_begin(KafkaProducer *producer, Error *err) MUST_CHECK;

/* Between begin and commit: KAFKA_TXN_OK while nothing is wrong with the transaction. The broker
 * may refuse to let a topic take part in it; the records then stay on their way, without a report.
 */
KafkaTxn kafka_producer_look(KafkaProducer *producer, Error *err) MUST_CHECK;

/* Adds what the membership's group is to have committed. KAFKA_TXN_ABORT when the group
 * has moved on since that membership began. */
KafkaTxn kafka_producer_send_offsets(KafkaProducer *producer, const KafkaMembership *membership,
                                     const KafkaOffsets *offsets, int timeout_ms,
                                     Error *err) MUST_CHECK;

/* Every record must have its delivery report by then. */
KafkaTxn kafka_producer_commit(KafkaProducer *producer, int timeout_ms, Error *err) MUST_CHECK;

/* Records without a delivery report get theirs, as failed. */
KafkaTxn kafka_producer_abort(KafkaProducer *producer, int timeout_ms, Error *err) MUST_CHECK;

/* How many connections have ended so far. A request that was on its way in one of them may still be
 * carried out later. */
unsigned kafka_producer_disconnects(const KafkaProducer *producer);

/* As a consumer's, of a group that it need not be a member of. */
bool kafka_producer_lookup(KafkaProducer *producer, const KafkaQuestion *question,
                           KafkaLookup **ret_lookup, Error *err) MUST_CHECK;

#endif

/*
 * kafka_producer: sends records, idempotently, and tells what became of each.
 *
 * Owns:      the records on their way (copied).
 * Threads:   one thread; the delivery callback runs within _poll and _flush, on that thread.
 * Invariant: every record that was KAFKA_SEND_OK is told of exactly once, unless the producer is
 * closed first.
 */
#ifndef COMMON_KAFKA_KAFKA_PRODUCER_H
#define COMMON_KAFKA_KAFKA_PRODUCER_H

#include "common/kafka/kafka_settings.h"
#include "common/record.h"

typedef struct KafkaProducer KafkaProducer;

/* `failure` is NULL when the record was delivered; borrowed for the call. */
typedef void (*KafkaDelivered)(void *state, void *opaque, const Error *failure);

/* `message_timeout_ms`: after that a record counts as failed; 0 = never.
 * `delivered` may be NULL. ERROR_REJECT names a property that is not accepted. */
bool kafka_producer_open(const KafkaSettings *settings, int message_timeout_ms,
                         KafkaDelivered delivered, void *state, KafkaProducer **ret_producer,
                         Error *err) MUST_CHECK;

enum {
    /* After that the broker aborts a transaction that its producer has not ended. */
    KAFKA_TRANSACTION_TIMEOUT_MS = 10000,
};

/* The same for transactions (kafka_transaction.h): records can be sent only within one. No other
 * producer may use this transactional id at the same time. */
bool kafka_producer_open_transactional(const KafkaSettings *settings, const char *transactional_id,
                                       KafkaDelivered delivered, void *state,
                                       KafkaProducer **ret_producer, Error *err) MUST_CHECK;

/* Learns in the background who leads the topic, so that the first record need not wait for it; a
 * few topics at most. */
void kafka_producer_prepare(KafkaProducer *producer, const char *topic);

/* Asks the cluster about one topic; what is sent afterwards goes by the answer. False when nothing
 * can be written there ("topic_missing", "kafka_refused"), or when there is no answer in time
 * ("kafka_unreachable"). */
bool kafka_producer_check_topic(KafkaProducer *producer, const char *topic, int timeout_ms,
                                Error *err) MUST_CHECK;

typedef enum KafkaSend {
    KAFKA_SEND_OK,         /* on its way */
    KAFKA_SEND_QUEUE_FULL, /* poll, then try again */
    KAFKA_SEND_FAILED, /* `err` tells; ERROR_REJECT "message_too_large" when it never can be sent */
} KafkaSend;

/* Never blocks. The record is copied; a partition of -1 leaves the choice to its key (murmur2, as
 * Java's). */
KafkaSend kafka_producer_send(KafkaProducer *producer, const Record *record, void *opaque,
                              Error *err) MUST_CHECK;

/* Serves delivery reports; returns how many events it served, waiting for the first at most
 * `timeout_ms`. */
int kafka_producer_poll(KafkaProducer *producer, int timeout_ms);

/* Sends at once what would linger, and serves delivery reports until the last is in, at most
 * `timeout_ms`. */
void kafka_producer_hasten(KafkaProducer *producer, int timeout_ms);

/* Where the record that was delivered last stands; false before the first. */
bool kafka_producer_last_place(const KafkaProducer *producer, int32_t *ret_partition,
                               int64_t *ret_offset) MUST_CHECK;

/* How many records have no delivery report yet. */
size_t kafka_producer_in_flight(const KafkaProducer *producer);

/* Waits until nothing is in flight; ERROR_HOLD "kafka_unreachable" when that took longer. */
bool kafka_producer_flush(KafkaProducer *producer, int timeout_ms, Error *err) MUST_CHECK;

/* The largest message this producer takes (message.max.bytes). */
size_t kafka_producer_max_bytes(const KafkaProducer *producer);

/* True when it must be closed and opened anew: the broker has lost track of its sequence. */
bool kafka_producer_is_broken(const KafkaProducer *producer);

/* Gives up what is in flight: each record is told of as failed before this returns. */
void kafka_producer_abandon(KafkaProducer *producer);

/* What is still in flight is dropped, without a report. NULL is harmless. */
void kafka_producer_close(KafkaProducer *producer);
DEFINE_FREEP(KafkaProducer, kafka_producer_close)

#endif

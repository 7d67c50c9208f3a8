/*
 * kafka_reader: reads all partitions of one topic, without a group and without committing anything.
 *
 * Owns:      its position in every partition.
 * Threads:   one thread.
 * Invariant: read_committed; every record at or after the start is handed out once, in order of its
 * partition.
 */
#ifndef COMMON_KAFKA_KAFKA_READER_H
#define COMMON_KAFKA_KAFKA_READER_H

#include "common/kafka/kafka_consumer.h"

/* What is there when kafka_reader_open returns is skipped, what comes later is read. */
#define KAFKA_SINCE_NOW INT64_C(-1)

typedef struct KafkaReader KafkaReader;

/* Opens the topic within `timeout_ms`, at the first record at or after `since_ms` (since 1970; or
 * KAFKA_SINCE_NOW); errors as kafka_consumer_wait. A broker that cannot look up times is read from
 * the beginning, so the caller filters by timestamp as well. */
bool kafka_reader_open(const KafkaSettings *settings, const char *topic, int64_t since_ms,
                       int timeout_ms, KafkaReader **ret_reader, Error *err) MUST_CHECK;

/* Takes the next record, which the caller frees. KAFKA_POLL_END comes once, when every partition
 * has been read to its end; polling may go on. */
KafkaPoll kafka_reader_poll(KafkaReader *reader, int timeout_ms, Record **ret_record,
                            Error *err) MUST_CHECK;

/* NULL is harmless. */
void kafka_reader_close(KafkaReader *reader);
DEFINE_FREEP(KafkaReader, kafka_reader_close)

#endif

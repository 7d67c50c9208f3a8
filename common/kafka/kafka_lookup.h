/*
 * kafka_lookup: asks what a group has committed, without blocking.
 *
 * Owns:      the question, and its answer.
 * Threads:   that of the consumer or producer that asks.
 * Invariant: an answer is of stable offsets: no transaction that could still change them is open.
 */
#ifndef COMMON_KAFKA_KAFKA_LOOKUP_H
#define COMMON_KAFKA_KAFKA_LOOKUP_H

#include "common/error.h"
#include "common/kafka/kafka_settings.h"

#include <stdint.h>

#define KAFKA_OFFSET_NONE INT64_C(-1)

/* `metadata` is borrowed; NULL or "" when there is none. */
typedef struct KafkaOffset {
    int32_t partition;
    int64_t offset; /* of the next record to read; KAFKA_OFFSET_NONE when nothing was committed */
    const char *metadata;
} KafkaOffset;

/* Offsets of one topic; all is borrowed. */
typedef struct KafkaOffsets {
    const char *topic;
    const KafkaOffset *list;
    size_t count;
} KafkaOffsets;

/* What has the group committed for these partitions? All is borrowed. */
typedef struct KafkaQuestion {
    const char *group;
    const char *topic;
    const int32_t *partitions;
    size_t count;
} KafkaQuestion;

typedef struct KafkaLookup KafkaLookup;

typedef enum KafkaAnswer {
    KAFKA_ANSWER_PENDING,
    KAFKA_ANSWER_READY,
    KAFKA_ANSWER_FAILED, /* ask again later; ERROR_RETRY "offsets_unstable" while a transaction is
                            open that could still change them */
} KafkaAnswer;

/* Waits for the answer at most `timeout_ms`. There is one answer; after it nothing more comes. */
KafkaAnswer kafka_lookup_poll(KafkaLookup *lookup, int timeout_ms, Error *err) MUST_CHECK;

/* What was committed for a partition that was asked for; after KAFKA_ANSWER_READY. */
KafkaOffset kafka_lookup_offset(const KafkaLookup *lookup, int32_t partition);

/* Before its consumer or producer is closed. NULL is harmless. */
void kafka_lookup_free(KafkaLookup *lookup);
DEFINE_FREEP(KafkaLookup, kafka_lookup_free)

#endif

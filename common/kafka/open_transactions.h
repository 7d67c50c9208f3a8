/*
 * open_transactions: which partitions have records that cannot be read, because a transaction among
 * them has been open for long. Pure.
 *
 * Owns:      when each partition's last stable offset was seen for the first time.
 * Threads:   one.
 */
#ifndef COMMON_KAFKA_OPEN_TRANSACTIONS_H
#define COMMON_KAFKA_OPEN_TRANSACTIONS_H

#include "common/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins as zeros. */
typedef struct OpenTransactions {
    struct OpenTransaction *entries;
    size_t count;
} OpenTransactions;

typedef struct OpenTransaction {
    int32_t partition;
    int64_t stable;   /* the transaction's first offset; -1: none is open */
    int64_t since_ms; /* seen there for the first time */
    int64_t news_ms;  /* when it is due to be told of */
} OpenTransaction;

/* `stable` is the first offset of an open transaction, or the end; negative: it is not known. */
typedef struct PartitionEnds {
    int32_t partition;
    int64_t stable;
    int64_t end;
} PartitionEnds;

/* Takes note; the transaction, borrowed, when it has been open for 30 s, and then once a minute;
 * else NULL. */
const OpenTransaction *open_transactions_note(OpenTransactions *open, const PartitionEnds *ends,
                                              int64_t now_ms) MUST_CHECK;

void open_transactions_done(OpenTransactions *open);

#endif

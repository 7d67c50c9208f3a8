/*
 * round: when what waits to be published goes.
 *
 * A round costs Kafka the same whether it holds one outcome or thousands. While the executors have
 * a backlog, more outcomes are certain to come, so those that wait are gathered for a while; else
 * they go at once.
 *
 * Owns:      the numbers that it decides by.
 * Threads:   one at a time; pure.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_ROUND_H
#define WORKER_PIPELINE_PUBLISHER_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROUND_OUTCOMES = 4000, /* more of them make a round hardly cheaper for each */
    ROUND_GATHER_MS = 200, /* the longest that an outcome waits for others */
};

typedef struct Round {
    size_t outcomes;
    size_t bytes;
    int64_t since_ms; /* when the first of them came (monotonic) */
    bool is_urgent;   /* one of them does not wait for others */
} Round;

void round_add(Round *round, size_t outcomes, size_t bytes, int64_t now_ms);

/* True when the round is to go: it is large enough for what may wait (`bytes_limit`), has waited
 * for long, or is not going to grow soon. */
bool round_is_ripe(const Round *round, size_t bytes_limit, bool has_backlog, int64_t now_ms);

#endif

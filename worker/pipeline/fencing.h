/*
 * fencing: whether being fenced means that another worker uses this one's id. Pure.
 *
 * A first time does not: the broker fences a member for a request of its own that it had not come
 * to yet, and a producer for the one before it. Two workers with one id fence each other forever.
 */
#ifndef WORKER_PIPELINE_FENCING_H
#define WORKER_PIPELINE_FENCING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Fencing {
    bool before;
    int64_t at_ms; /* the last time */
} Fencing;

/* Notes a fencing; true when the one before was at most `within_ms` ago. */
bool fencing_again(Fencing *fencing, int64_t now_ms, int64_t within_ms);

#endif

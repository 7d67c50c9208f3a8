/*
 * batch_size: how many rows the next batch of a long command changes, or how many commands the next
 * set has, so that it keeps locks briefly.
 *
 * Owns:      nothing.
 * Threads:   any.
 * Invariant: a batch is made smaller only for the time that its rows take. What a distant or busy
 *            server takes to answer at all does not become less with fewer rows.
 */
#ifndef WORKER_TASK_BATCH_SIZE_H
#define WORKER_TASK_BATCH_SIZE_H

#include <stdint.h>

enum {
    BATCH_AIM_MS = 125, /* half of the time for which a long command's batch may keep locks */
    SET_AIM_MS = 100,   /* a set comes after a set */
};

/* Of a batch that is over. */
typedef struct BatchTime {
    int64_t locked_ms;     /* from its first lock to its end */
    int64_t round_trip_ms; /* of one small statement of the same transaction */
} BatchTime;

/* Rows of the next batch, from 1 to `most`, after one of `rows`: half as many, as many, or twice as
 * many, so that locks are kept for `aim_ms` or somewhat less. */
int batch_size_next(int rows, const BatchTime *time, int aim_ms, int most);

#endif

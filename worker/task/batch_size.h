/*
 * batch_size: how many rows the next batch changes, so that it keeps their locks briefly.
 *
 * Owns:      nothing.
 * Threads:   any.
 * Invariant: a batch is made smaller only for the time that its rows take. What a distant or busy
 *            server takes to answer at all does not become less with fewer rows.
 */
#ifndef WORKER_TASK_BATCH_SIZE_H
#define WORKER_TASK_BATCH_SIZE_H

#include <stdint.h>

/* Of a batch that is over. */
typedef struct BatchTime {
    int64_t locked_ms;     /* from its first lock to its end */
    int64_t round_trip_ms; /* of one small statement of the same transaction */
} BatchTime;

/* Rows of the next batch, from 1 to `most`, after one of `rows`: half as many, as many, or twice as
 * many. Locks are to be kept for 250 ms at the most; half of that is aimed at. */
int batch_size_next(int rows, const BatchTime *time, int most);

#endif

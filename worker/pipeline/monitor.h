/*
 * monitor: a condition that is waited for on the monotonic clock, so that setting the time of day
 * disturbs nobody.
 *
 * Threads: any.
 */
#ifndef WORKER_PIPELINE_MONITOR_H
#define WORKER_PIPELINE_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* False when the system refuses. */
bool monitor_init(pthread_cond_t *condition);

/* Waits for a signal, at most `span_ms`; the lock is held before and after. */
void monitor_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t span_ms);

#endif

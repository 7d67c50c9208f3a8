/*
 * thread: conditions that wait on the monotonic clock, so that setting the time of day changes no
 * wait, and the ends of threads.
 *
 * Threads: any.
 */
#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include "common/macros.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* False when the system refuses. */
bool thread_cond_init(pthread_cond_t *condition);

/* Waits for a signal, at most `span_ms`; the lock is held before and after. */
void thread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t span_ms);

/* Joins the thread; false when it has not ended by then (monotonic, of the system's clock), and may
 * be joined later. Setting the time of day during the call moves its end. */
bool thread_join(pthread_t thread, int64_t deadline_ms) MUST_CHECK;

#endif

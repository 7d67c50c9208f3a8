/*
 * lock_wait: how long this worker has waited for locks that others hold on tables, and when that is
 * to be said.
 *
 * Threads:   any.
 * Invariant: a wait is told after ten seconds, and then once a minute.
 */
#ifndef WORKER_PIPELINE_QUEUE_LOCK_WAIT_H
#define WORKER_PIPELINE_QUEUE_LOCK_WAIT_H

#include "common/clock.h"
#include "common/macros.h"

#include <stdbool.h>

typedef struct LockWait LockWait;

/* `clock` is borrowed. NULL when out of memory. */
LockWait *lock_wait_new(const Clock *clock) MUST_CHECK;
void lock_wait_free(LockWait *wait); /* NULL is harmless */

/* Something has just met such a lock: tells whether that is to be said now, and how long it has
 * lasted. Five seconds in which nothing meets one end the wait. */
bool lock_wait_note(LockWait *wait, int64_t *ret_waited_ms);

#endif

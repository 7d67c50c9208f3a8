/*
 * hold: the environment is at fault, so every command is kept and tried again until it is mended.
 *
 * Owns:      whether there is a hold, and how long the next wait is.
 * Threads:   any.
 * Invariant: a hold is logged once when it begins and once when it ends.
 */
#ifndef WORKER_PIPELINE_QUEUE_HOLD_H
#define WORKER_PIPELINE_QUEUE_HOLD_H

#include "worker/pipeline/queue/batcher.h"

typedef struct Hold Hold;

/* `batcher` and `clock` are borrowed. NULL when out of memory. */
Hold *hold_new(Batcher *batcher, int backoff_max_ms, const Clock *clock) MUST_CHECK;
void hold_free(Hold *hold); /* NULL is harmless */

/* Nothing works: all units wait, each time longer, up to the maximum. `seed` as in backoff.h. */
void hold_all(Hold *hold, const Error *cause, unsigned *seed);

/* Something worked. */
void hold_end(Hold *hold);

/* An object is missing for one task: says whether that is to be logged now (once a minute). */
bool hold_one_is_news(Hold *hold);

#endif

/*
 * key_set: a set of short strings: which users and command ids are in work.
 *
 * Owns:      copies of the keys.
 * Threads:   one at a time; the batcher uses it under its lock.
 */
#ifndef WORKER_PIPELINE_QUEUE_KEY_SET_H
#define WORKER_PIPELINE_QUEUE_KEY_SET_H

#include "common/macros.h"

#include <stdbool.h>

typedef struct KeySet KeySet;

KeySet *key_set_new(void) MUST_CHECK; /* NULL when out of memory */
/* False when it is in the set already, or out of memory. */
bool key_set_add(KeySet *set, const char *key) MUST_CHECK;
bool key_set_contains(const KeySet *set, const char *key);
void key_set_remove(KeySet *set, const char *key); /* harmless when it is not in */
void key_set_free(KeySet *set);

#endif

/*
 * json_list: a JSON array of rows that is cut when it grows too large for a result.
 *
 * Threads: one at a time.
 */
#ifndef WORKER_REPOSITORY_JSON_LIST_H
#define WORKER_REPOSITORY_JSON_LIST_H

#include "common/error.h"

#include <cjson/cJSON.h>

typedef struct JsonList {
    cJSON *array;
    size_t size_bytes;
    size_t count;
    bool full;
} JsonList;

/* False when out of memory. End it with json_list_done, or take `array` and set it to NULL. */
bool json_list_init(JsonList *list) MUST_CHECK;
void json_list_done(JsonList *list);

/* Takes ownership of `item` (NULL: out of memory); drops it when the list is full already or by it.
 * False when out of memory. */
bool json_list_add(JsonList *list, cJSON *item) MUST_CHECK;

/* Adds a string member, or null. False when out of memory. */
bool json_add_text(cJSON *object, const char *name, const char *text) MUST_CHECK;

/* Adds a number member with these very digits; null for NULL and for what JSON cannot say (NaN,
 * Infinity). */
bool json_add_digits(cJSON *object, const char *name, const char *digits) MUST_CHECK;

/* For CLEANUP. */
void json_freep(cJSON **json);

#endif

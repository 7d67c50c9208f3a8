/*
 * json_list: a JSON array of rows that is cut when it grows too large for a result.
 *
 * Owns:    nothing; the array is part of the caller's buffer.
 * Threads: one at a time.
 */
#ifndef WORKER_REPOSITORY_JSON_LIST_H
#define WORKER_REPOSITORY_JSON_LIST_H

#include "common/json_write.h"

typedef struct JsonList {
    StrBuf *json;
    size_t begin; /* where the first item is */
    size_t count; /* items kept */
} JsonList;

/* Opens the array; the caller closes it with json_close_array. */
JsonList json_list_open(StrBuf *json, const char *name);

/* Keeps the item that was written since the buffer was `before` bytes long, or takes it back when
 * the list has grown too large; then nothing more is added to it. */
bool json_list_keep(JsonList *list, size_t before) MUST_CHECK;

/* Adds a number member with these very digits; null for NULL and for what JSON cannot say (NaN,
 * Infinity). */
void json_add_digits(StrBuf *json, const char *name, const char *digits);

#endif

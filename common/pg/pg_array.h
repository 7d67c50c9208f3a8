/*
 * pg_array: array parameters in PostgreSQL's binary form (array_recv in its adt/arrayfuncs.c),
 * which the server reads several times as fast as text: one dimension, beginning at 1, every
 * element with its length before it, numbers in network byte order.
 *
 * Owns:      nothing; its bytes are an arena's.
 * Threads:   one at a time.
 * Invariant: what could not be added, for lack of memory or because it is no such element, is
 * remembered, and fails the call that the array is a parameter of.
 */
#ifndef COMMON_PG_PG_ARRAY_H
#define COMMON_PG_PG_ARRAY_H

#include "common/error.h"
#include "common/strbuf.h"

#include <stdint.h>

/* Types of elements; their OIDs never change (pg_type.dat). */
typedef enum PgElement {
    PG_TEXT,
    PG_BYTEA,
    PG_BOOL,
    PG_INT4,
    PG_INT8,
    PG_UUID,
    PG_TIMESTAMP, /* without time zone */
} PgElement;

enum {
    PG_ARRAY_EMPTY_BYTES = 12,
};

/* Begins as {.element = …, .bytes.arena = …}. */
typedef struct PgArray {
    PgElement element;
    bool invalid; /* something was no element of this type */
    uint32_t count;
    StrBuf bytes; /* header and elements */
} PgArray;

/* Makes room for `count` elements of together `bytes` bytes, so that adding them moves nothing. */
void pg_array_reserve(PgArray *array, size_t count, size_t bytes);

/* NULL adds an SQL NULL. To an array of UUIDs it adds the UUID that the text shows, as in
 * 0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a01. */
void pg_array_add(PgArray *array, const char *text);
void pg_array_add_all(PgArray *array, const char *const *texts, size_t count);

/* To arrays of PG_INT4, which a larger number makes invalid, and of PG_INT8. */
void pg_array_add_int64(PgArray *array, int64_t number);
void pg_array_add_bool(PgArray *array, bool flag);

/* To arrays of PG_TIMESTAMP: microseconds since 1970, UTC. */
void pg_array_add_time(PgArray *array, int64_t time_us);

/* The bytes to send, borrowed until the array changes; `empty` is for an array without elements.
 * Fails when out of memory, and with ERROR_REJECT "database_error" when something was no element of
 * the type. */
bool pg_array_bytes(const PgArray *array, char empty[PG_ARRAY_EMPTY_BYTES], const char **ret_bytes,
                    size_t *ret_size, Error *err) MUST_CHECK;

#endif

/*
 * pg_array: array parameters in PostgreSQL's text form, such as {"a","b",NULL}.
 *
 * Threads:   one at a time.
 * Invariant: a failed allocation is remembered and shows in pg_array_end.
 */
#ifndef COMMON_PG_PG_ARRAY_H
#define COMMON_PG_PG_ARRAY_H

#include "common/error.h"
#include "common/strbuf.h"

#include <stdint.h>

enum {
    PG_INT64_BYTES = 24,
};

/* Begins as {0}. */
typedef struct PgArray {
    StrBuf text;
} PgArray;

/* NULL adds an SQL NULL; any other text is quoted. */
void pg_array_add(PgArray *array, const char *text);
void pg_array_add_int64(PgArray *array, int64_t number);
void pg_array_add_bool(PgArray *array, bool flag);

/* Closes the array and returns its text, borrowed until pg_array_done; nothing is added afterwards.
 * NULL when out of memory. */
const char *pg_array_end(PgArray *array) MUST_CHECK;

void pg_array_done(PgArray *array);

/* Ends and returns an array of these texts; fails only when out of memory. */
bool pg_array_of_texts(PgArray *array, const char *const *texts, size_t count,
                       const char **ret_text, Error *err) MUST_CHECK;

/* Writes the decimal number and returns `text`. */
const char *pg_format_int64(int64_t number, char text[PG_INT64_BYTES]);

#endif

/*
 * pg_copy: rows for COPY … FROM STDIN in PostgreSQL's binary form (copyfromparse.c), the cheapest
 * way to insert many.
 *
 * Owns:      nothing; its bytes are an arena's.
 * Threads:   one at a time.
 * Invariant: what could not be added, for lack of memory or because it is no such value, is
 * remembered, and fails pg_copy_bytes.
 */
#ifndef COMMON_PG_PG_COPY_H
#define COMMON_PG_PG_COPY_H

#include "common/error.h"
#include "common/strbuf.h"

#include <stdint.h>

/* Begins as {.bytes.arena = …}. */
typedef struct PgCopy {
    bool invalid;
    StrBuf bytes;
} PgCopy;

/* Makes room for `rows` rows of together `bytes` bytes, so that adding them moves nothing. */
void pg_copy_reserve(PgCopy *copy, size_t rows, size_t bytes);

/* Begins a row of so many columns, which are added next, in the order of the statement. */
void pg_copy_add_row(PgCopy *copy, int columns);

/* NULL adds an SQL NULL, here and below. */
void pg_copy_add_text(PgCopy *copy, const char *text);
void pg_copy_add_bytes(PgCopy *copy, const char *bytes, size_t size);
void pg_copy_add_uuid(PgCopy *copy, const char *text);
void pg_copy_add_int16(PgCopy *copy, int16_t number);
void pg_copy_add_int32(PgCopy *copy, int32_t number);
void pg_copy_add_int64(PgCopy *copy, int64_t number);
void pg_copy_add_bool(PgCopy *copy, bool flag);
void pg_copy_add_null(PgCopy *copy);

/* Ends the rows; what is to be sent is borrowed from `copy`. Fails as pg_array_bytes. */
bool pg_copy_bytes(PgCopy *copy, const char **ret_bytes, size_t *ret_size, Error *err) MUST_CHECK;

#endif

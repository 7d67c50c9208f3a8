/*
 * pg_result: reading what a statement returned.
 *
 * Threads:   one at a time.
 * Invariant: rows and columns count from 0; a column outside the result reads as NULL.
 */
#ifndef COMMON_PG_PG_RESULT_H
#define COMMON_PG_PG_RESULT_H

#include "common/macros.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct pg_result PGresult;

void pg_result_free(PGresult *result);
DEFINE_FREEP(PGresult, pg_result_free)

size_t pg_result_rows(const PGresult *result);

/* Rows that INSERT, UPDATE, DELETE or SELECT touched. */
int64_t pg_result_affected(const PGresult *result);

/* "COMMIT", "INSERT 0 1" and so on; borrowed. */
const char *pg_result_tag(PGresult *result);

/* The text form, borrowed for the result's lifetime; NULL for an SQL NULL. */
char *pg_result_text(const PGresult *result, size_t row, int column);

/* The text whose bytes the column shows as hexadecimal digits (encode(…, 'hex')), decoded within
 * the result, so once only; else as pg_result_text. */
char *pg_result_hex(PGresult *result, size_t row, int column);

/* 0 and false for an SQL NULL. */
int64_t pg_result_int64(const PGresult *result, size_t row, int column);
bool pg_result_bool(const PGresult *result, size_t row, int column);

#endif

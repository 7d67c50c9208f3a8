/*
 * json_write: JSON text written from left to right into a StrBuf, on one line (RFC 8259).
 *
 * Owns:      nothing; what was written belongs to the buffer, which also remembers a failed
 * allocation.
 * Threads:   as the buffer.
 * Invariant: what was opened and closed again in order is valid JSON: a byte
 * that is part of no UTF-8 character is written as U+FFFD. Commas come by
 * themselves.
 *
 * `name` is the member's name, written as it is: a literal that needs no escape; NULL for an
 * element of an array and for the outermost value.
 */
#ifndef COMMON_JSON_WRITE_H
#define COMMON_JSON_WRITE_H

#include "common/strbuf.h"

#include <stdint.h>

void json_open_object(StrBuf *json, const char *name);
void json_close_object(StrBuf *json);
void json_open_array(StrBuf *json, const char *name);
void json_close_array(StrBuf *json);

/* The text alone in quotes, without a comma before it. */
void json_quote(StrBuf *json, const char *text);

/* NULL becomes null. */
void json_add_text(StrBuf *json, const char *name, const char *text);
void json_add_bool(StrBuf *json, const char *name, bool flag);
void json_add_int64(StrBuf *json, const char *name, int64_t number);

/* A number given in tenths, such as 15 for 1.5; whole numbers are written without a point. */
void json_add_tenths(StrBuf *json, const char *name, int64_t tenths);

/* RFC 3339 in UTC. */
void json_add_time(StrBuf *json, const char *name, int64_t time_us);

/* A value that is JSON already; NULL becomes null. */
void json_add_raw(StrBuf *json, const char *name, const char *value);

#endif

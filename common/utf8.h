/*
 * utf8: texts that are whole characters: what is UTF-8, and where a text may be cut.
 *
 * Threads: any.
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include "common/macros.h"

#include <stdbool.h>

/* How many bytes from the start are UTF-8 (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF). */
size_t utf8_span(const char *bytes, size_t size);

/* Whether all of the bytes are. */
bool utf8_is_valid(const char *bytes, size_t size) MUST_CHECK;

/* The most bytes of the text, at most `most`, that do not end inside a character. */
size_t utf8_cut(const char *text, size_t length, size_t most);

#endif

/*
 * strbuf: a growing string.
 *
 * Owns:      its bytes, always NUL-terminated once something was added. They may be an arena's.
 * Threads:   one at a time.
 * Invariant: after a failed allocation `failed` stays set and every later call does nothing, so
 * that a caller checks once, at the end.
 */
#ifndef COMMON_STRBUF_H
#define COMMON_STRBUF_H

#include "common/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Begins as {0}, or as {.arena = …}. */
typedef struct StrBuf {
    Arena *arena; /* borrowed; NULL: malloc */
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
} StrBuf;

/* Makes room for so many bytes more, so that adding them moves nothing. */
void strbuf_reserve(StrBuf *buffer, size_t more);

/* strbuf_extend's, when there is no room yet. */
char *strbuf_extend_slowly(StrBuf *buffer, size_t count);

/* Makes the string so many bytes longer, for the caller to write; NULL when an allocation failed.
 * Here, because everything that is written goes through it. */
static inline char *
strbuf_extend(StrBuf *buffer, size_t count)
{
    if (buffer->failed || count >= buffer->capacity - buffer->length)
        return strbuf_extend_slowly(buffer, count);
    char *added = buffer->data + buffer->length;
    buffer->length += count;
    buffer->data[buffer->length] = '\0';
    return added;
}

static inline void
strbuf_add(StrBuf *buffer, const char *bytes, size_t count)
{
    char *added = strbuf_extend(buffer, count);
    if (added != NULL && count > 0)
        memcpy(added, bytes, count);
}

static inline void
strbuf_add_text(StrBuf *buffer, const char *text)
{
    strbuf_add(buffer, text, strlen(text));
}

static inline void
strbuf_add_char(StrBuf *buffer, char character)
{
    strbuf_add(buffer, &character, 1);
}

void strbuf_add_format(StrBuf *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text so far, "" when there is none; borrowed until the next change. */
const char *strbuf_text(const StrBuf *buffer);

/* Hands the bytes to the caller, who frees them unless they are the arena's; the buffer is empty
 * afterwards. NULL when an allocation failed. */
char *strbuf_take(StrBuf *buffer) MUST_CHECK;

/* Takes back what was added since it was `length` bytes long. */
void strbuf_cut(StrBuf *buffer, size_t length);

/* Empties it and keeps the memory. */
void strbuf_clear(StrBuf *buffer);

void strbuf_done(StrBuf *buffer);

#endif

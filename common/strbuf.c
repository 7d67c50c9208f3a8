#include "common/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 128,
};

static char *
grown(const StrBuf *buffer, size_t capacity)
{
    if (buffer->arena != NULL)
        return arena_grow(buffer->arena, buffer->data, buffer->capacity, capacity);
    return realloc(buffer->data, capacity);
}

static bool
set_capacity(StrBuf *buffer, size_t capacity)
{
    char *data = grown(buffer, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

static bool
make_room(StrBuf *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    const size_t needed = buffer->length + more + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    return set_capacity(buffer, capacity);
}

void
strbuf_reserve(StrBuf *buffer, size_t more)
{
    const size_t needed = buffer->length + more + 1;
    if (!buffer->failed && needed > buffer->capacity)
        (void)set_capacity(buffer, needed);
}

char *
strbuf_extend_slowly(StrBuf *buffer, size_t count)
{
    if (!make_room(buffer, count))
        return NULL;
    char *added = buffer->data + buffer->length;
    buffer->length += count;
    buffer->data[buffer->length] = '\0';
    return added;
}

void
strbuf_add_format(StrBuf *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    if (!make_room(buffer, (size_t)length))
        return;
    va_start(arguments, format);
    (void)vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

const char *
strbuf_text(const StrBuf *buffer)
{
    return buffer->data != NULL ? buffer->data : "";
}

char *
strbuf_take(StrBuf *buffer)
{
    strbuf_add(buffer, "", 0);
    if (buffer->failed) {
        strbuf_done(buffer);
        return NULL;
    }
    char *data = buffer->data;
    *buffer = (StrBuf){.arena = buffer->arena};
    return data;
}

void
strbuf_cut(StrBuf *buffer, size_t length)
{
    if (length >= buffer->length)
        return;
    buffer->length = length;
    buffer->data[length] = '\0';
}

void
strbuf_clear(StrBuf *buffer)
{
    strbuf_cut(buffer, 0);
}

void
strbuf_done(StrBuf *buffer)
{
    if (buffer->arena == NULL)
        free(buffer->data);
    *buffer = (StrBuf){.arena = buffer->arena};
}

#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TRUNCATION_MARK "…"

static void format_marking_truncation(char *buffer, size_t size, const char *format,
                                      va_list arguments) PRINTF_LIKE(3, 0);

static void
format_marking_truncation(char *buffer, size_t size, const char *format, va_list arguments)
{
    const int length = vsnprintf(buffer, size, format, arguments);
    if (length < 0) {
        buffer[0] = '\0';
        return;
    }
    if ((size_t)length < size)
        return;
    size_t cut = size - sizeof(TRUNCATION_MARK);
    while (cut > 0 && ((unsigned char)buffer[cut] & 0xC0U) == 0x80U)
        cut--;
    memcpy(buffer + cut, TRUNCATION_MARK, sizeof(TRUNCATION_MARK));
}

static bool error_fill(Error *err, ErrorKind kind, const char *code, const char *sqlstate,
                       const char *format, va_list arguments) PRINTF_LIKE(5, 0);

static bool
error_fill(Error *err, ErrorKind kind, const char *code, const char *sqlstate, const char *format,
           va_list arguments)
{
    err->kind = kind;
    err->code = code;
    (void)snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate != NULL ? sqlstate : "");
    format_marking_truncation(err->detail, sizeof(err->detail), format, arguments);
    memcpy(err->text, err->detail, sizeof(err->text));
    return false;
}

bool
error_set(Error *err, ErrorKind kind, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_fill(err, kind, code, NULL, format, arguments);
    va_end(arguments);
    return false;
}

bool
error_set_sqlstate(Error *err, ErrorKind kind, const char *code, const char *sqlstate,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_fill(err, kind, code, sqlstate, format, arguments);
    va_end(arguments);
    return false;
}

static void format_variadic(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

static void
format_variadic(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_marking_truncation(buffer, size, format, arguments);
    va_end(arguments);
}

bool
error_wrap(Error *err, const char *format, ...)
{
    char tried[256];
    va_list arguments;
    va_start(arguments, format);
    format_marking_truncation(tried, sizeof(tried), format, arguments);
    va_end(arguments);

    char before[ERROR_TEXT_BYTES];
    memcpy(before, err->text, sizeof(before));
    format_variadic(err->text, sizeof(err->text), "%s: %s", tried, before);
    return false;
}

bool
error_out_of_memory(Error *err)
{
    return error_set(err, ERROR_FATAL, "out_of_memory", "out of memory");
}

void
error_clear(Error *err)
{
    memset(err, 0, sizeof(*err));
}

const char *
error_kind_name(ErrorKind kind)
{
    switch (kind) {
    case ERROR_NONE:
        return "none";
    case ERROR_REJECT:
        return "reject";
    case ERROR_RETRY:
        return "retry";
    case ERROR_HOLD:
        return "hold";
    case ERROR_FATAL:
        return "fatal";
    }
    return "none";
}

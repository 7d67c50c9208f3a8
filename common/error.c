#include "common/error.h"

#include "common/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    LIMIT_BYTES = 64,
};

/* ASCII: an error's text is stored in databases of every encoding. */
#define TRUNCATION_MARK "..."

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
    const size_t cut = utf8_cut(buffer, size - 1, size - sizeof(TRUNCATION_MARK));
    memcpy(buffer + cut, TRUNCATION_MARK, sizeof(TRUNCATION_MARK));
}

static bool error_fill(Error *err, ErrorReason reason, const char *sqlstate, const char *format,
                       va_list arguments) PRINTF_LIKE(4, 0);

static bool
error_fill(Error *err, ErrorReason reason, const char *sqlstate, const char *format,
           va_list arguments)
{
    error_become(err, reason);
    (void)snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate != NULL ? sqlstate : "");
    format_marking_truncation(err->detail, sizeof(err->detail), format, arguments);
    memcpy(err->text, err->detail, sizeof(err->text));
    return false;
}

bool
error_set(Error *err, ErrorReason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_fill(err, reason, NULL, format, arguments);
    va_end(arguments);
    return false;
}

bool
error_set_sqlstate(Error *err, ErrorReason reason, const char *sqlstate, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_fill(err, reason, sqlstate, format, arguments);
    va_end(arguments);
    return false;
}

void
error_become(Error *err, ErrorReason reason)
{
    const ErrorMeaning meaning = error_meaning(reason);
    err->reason = reason;
    err->kind = meaning.kind;
    err->scope = meaning.scope;
    err->counts_as_attempt = meaning.counts_as_attempt;
    err->code = meaning.code;
}

void
error_hold(Error *err)
{
    err->kind = ERROR_HOLD;
    err->counts_as_attempt = false;
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

/* "", or the limit in parentheses. */
static void
describe_limit(int code, char text[LIMIT_BYTES])
{
    struct rlimit files;
    text[0] = '\0';
    if (code == EMFILE && getrlimit(RLIMIT_NOFILE, &files) == 0)
        (void)snprintf(text, LIMIT_BYTES, " (ulimit -n is %llu)",
                       (unsigned long long)files.rlim_cur);
}

bool
error_system(Error *err, const char *what, int code)
{
    char limit[LIMIT_BYTES];
    describe_limit(code, limit);
    return error_set(err, REASON_SYSTEM, "%s: %s%s", what, strerror(code), limit);
}

bool
error_out_of_memory(Error *err)
{
    return error_set(err, REASON_OUT_OF_MEMORY, "out of memory");
}

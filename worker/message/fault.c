#include "worker/message/fault.h"

#include "common/utf8.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    QUOTED_BYTES = 64,
};

bool
fault_set(Fault *fault, ErrorCode code, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    free(fault->message);
    fault->set = true;
    fault->code = code;
    fault->message = strdup(text);
    return false;
}

const char *
fault_quote(const char *text, char buffer[FAULT_QUOTE_BYTES])
{
    const size_t length = strlen(text);
    const size_t cut = utf8_cut(text, length, QUOTED_BYTES);
    for (size_t i = 0; i < cut; i++)
        buffer[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
    (void)snprintf(buffer + cut, FAULT_QUOTE_BYTES - cut, "%s", cut < length ? "…" : "");
    return buffer;
}

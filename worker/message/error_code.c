#include "worker/message/error_code.h"

#include <string.h>

const char *
error_code_name(ErrorCode code)
{
    static const char *const names[] = {
#define ERROR_CODE_NAME(name, text, help) [name] = text,
        ERROR_CODE_TABLE(ERROR_CODE_NAME)
#undef ERROR_CODE_NAME
    };
    return names[code];
}

ErrorCode
error_code_find(const char *name, ErrorCode otherwise)
{
    for (int i = 0; i < ERROR_CODE_COUNT; i++) {
        if (strcmp(name, error_code_name((ErrorCode)i)) == 0)
            return (ErrorCode)i;
    }
    return otherwise;
}

const char *
error_code_help(ErrorCode code)
{
    static const char *const helps[] = {
#define ERROR_CODE_HELP(name, text, help) [name] = help,
        ERROR_CODE_TABLE(ERROR_CODE_HELP)
#undef ERROR_CODE_HELP
    };
    return helps[code];
}

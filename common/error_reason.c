#include "common/error_reason.h"

#include <stddef.h>

ErrorMeaning
error_meaning(ErrorReason reason)
{
    static const ErrorMeaning meanings[] = {
#define ERROR_REASON_ROW(reason, code, kind, scope, counts)                                        \
    [reason] = {code, ERROR_##kind, ERROR_SCOPE_##scope, counts},
        ERROR_REASON_TABLE(ERROR_REASON_ROW)
#undef ERROR_REASON_ROW
    };
    return meanings[reason];
}

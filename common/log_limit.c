#include "common/log_limit.h"

bool
log_limit_allows(LogLimit *limit, int64_t now_ms)
{
    if (limit->was_logged && now_ms - limit->logged_ms < LOG_LIMIT_MS)
        return false;
    limit->was_logged = true;
    limit->logged_ms = now_ms;
    return true;
}

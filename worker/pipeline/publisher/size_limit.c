#include "worker/pipeline/publisher/size_limit.h"

#include "common/log.h"

enum {
    KEPT_MS = 60 * 1000,
    DOUBLINGS_MAX = 32, /* by then it is larger than any record */
};

void
size_limit_refused(SizeLimit *limit, const char *topic, size_t bytes, int64_t now_ms)
{
    limit->bytes = bytes > 1 ? bytes / 2 : 1;
    limit->refused_ms = now_ms;
    log_info("a topic takes less at once than it was sent (max.message.bytes): it gets less",
             LOG_STR("topic", topic), LOG_INT("bytes", bytes), LOG_INT("from_now", limit->bytes));
}

size_t
size_limit_bytes(const SizeLimit *limit, size_t max_bytes, int64_t now_ms)
{
    const int64_t doublings = (now_ms - limit->refused_ms) / KEPT_MS;
    if (limit->bytes == 0 || doublings > DOUBLINGS_MAX || limit->bytes > max_bytes >> doublings)
        return max_bytes;
    return limit->bytes << doublings;
}

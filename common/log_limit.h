/*
 * log_limit: an event that may come often is logged at most once a minute.
 *
 * Owns:    nothing; a LogLimit is a plain value of the module that logs the event.
 * Threads: one at a time.
 */
#ifndef COMMON_LOG_LIMIT_H
#define COMMON_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_LIMIT_MS = 60 * 1000,
};

/* Begins as {0}. */
typedef struct LogLimit {
    bool was_logged;
    int64_t logged_ms;
} LogLimit;

/* Whether the event is to be logged now (of a monotonic clock); if so, the next minute begins. */
bool log_limit_allows(LogLimit *limit, int64_t now_ms);

#endif

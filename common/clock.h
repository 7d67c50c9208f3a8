/*
 * clock: the time, passed in so that tests can set it, and RFC 3339.
 *
 * Times of day are microseconds since 1970-01-01T00:00:00Z (`_us`); spans are milliseconds (`_ms`).
 * Threads: any.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include "common/macros.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CLOCK_TEXT_BYTES = 32, /* room for "2026-11-22T02:00:00.123456Z" and its NUL */
};

#define CLOCK_US_PER_MS INT64_C(1000)
#define CLOCK_US_PER_SECOND INT64_C(1000000)

/* A source of time; `state` is handed to both functions. */
typedef struct Clock {
    int64_t (*now_us)(void *state);       /* time of day */
    int64_t (*monotonic_ms)(void *state); /* never goes back; its origin means nothing */
    void *state;
} Clock;

/* The system's clocks; never NULL, static storage. */
const Clock *clock_system(void);

int64_t clock_now_us(const Clock *clock);
int64_t clock_monotonic_ms(const Clock *clock);

/* Writes RFC 3339 in UTC with six digits and "Z". Years 0001 to 9999. */
void clock_format(int64_t time_us, char text[CLOCK_TEXT_BYTES]);

/* Parses RFC 3339 (section 5.6): date, "T", time, optional fraction (digits beyond six are
 * dropped), "Z" or a numeric offset, which is taken off. A leap second counts as the next one.
 * False, and nothing written, for any other text. */
bool clock_parse(const char *text, int64_t *ret_time_us) MUST_CHECK;

#endif

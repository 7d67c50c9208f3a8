/*
 * number: numbers and durations as a person writes them: decimal, without exponents.
 *
 * Threads: any.
 */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include "common/macros.h"

#include <stdbool.h>

/* Reads "12.5", and tells what follows it, such as "ms". Hexadecimals, exponents and "inf", which
 * strtod takes, are refused. False when `text` does not begin with a number. */
bool number_read(const char *text, double *ret_number, const char **ret_rest) MUST_CHECK;

typedef enum NumberUnit {
    NUMBER_MS,
    NUMBER_SECONDS,
    NUMBER_MINUTES,
    NUMBER_HOURS,
    NUMBER_DAYS
} NumberUnit;

/* Reads "250ms", "1.5s", "10m", "2h" or "3d", in units up to `longest`. */
bool number_read_duration(const char *text, NumberUnit longest, double *ret_ms) MUST_CHECK;

#endif

/*
 * digits: whole numbers as decimal text, without printf, which takes ten times as long.
 *
 * Threads: any.
 */
#ifndef COMMON_DIGITS_H
#define COMMON_DIGITS_H

#include <stdint.h>

enum {
    DIGITS_BYTES = 21, /* "-9223372036854775808" */
};

/* Writes the number into the buffer and returns its first digit or sign, which is anywhere in it.
 */
const char *digits_of_int64(int64_t number, char buffer[DIGITS_BYTES]);

#endif

#include "common/digits.h"

const char *
digits_of_int64(int64_t number, char buffer[DIGITS_BYTES])
{
    char *at = buffer + DIGITS_BYTES - 1;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    *at = '\0';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        *--at = '-';
    return at;
}

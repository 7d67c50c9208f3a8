#include "common/number.h"

#include <math.h>
#include <string.h>

#define DIGITS "0123456789"

bool
number_read(const char *text, double *ret_number, const char **ret_rest)
{
    const char *const digits = text[0] == '-' ? text + 1 : text;
    size_t length = strspn(digits, DIGITS);
    if (length == 0)
        return false;
    if (digits[length] == '.') {
        const size_t fraction = strspn(digits + length + 1, DIGITS);
        if (fraction == 0)
            return false;
        length += 1 + fraction;
    }
    const char *rest = digits + length;
    char *end = NULL;
    const double number = strtod(text, &end);
    if (end != rest || !isfinite(number))
        return false;
    *ret_number = number;
    *ret_rest = rest;
    return true;
}

bool
number_read_duration(const char *text, NumberUnit longest, double *ret_ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {
        [NUMBER_MS] = {"ms", 1},        [NUMBER_SECONDS] = {"s", 1e3},
        [NUMBER_MINUTES] = {"m", 60e3}, [NUMBER_HOURS] = {"h", 3600e3},
        [NUMBER_DAYS] = {"d", 86400e3},
    };
    const char *rest;
    double number;
    if (!number_read(text, &number, &rest))
        return false;
    for (NumberUnit unit = NUMBER_MS; unit <= longest; unit++) {
        if (strcmp(rest, units[unit].name) == 0) {
            *ret_ms = number * units[unit].ms;
            return true;
        }
    }
    return false;
}

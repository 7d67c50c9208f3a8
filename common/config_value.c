#include "common/config_value.h"

#include <math.h>
#include <string.h>

#define DIGITS "0123456789"

/* Splits "12.5ms" into number and unit. strtod alone would take hexadecimals, exponents and "inf",
 * which nobody means in a configuration. */
static bool
read_number(const char *text, double *ret_number, const char **ret_rest)
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
    *ret_rest = digits + length;
    *ret_number = strtod(text, NULL);
    return isfinite(*ret_number);
}

static bool
read_duration_ms(const char *text, double *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const char *rest;
    double number;
    if (!read_number(text, &number, &rest))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(rest, units[i].unit) == 0) {
            *ret_ms = number * units[i].ms;
            return true;
        }
    }
    *ret_ms = 0;
    return strcmp(text, "0") == 0;
}

/* The index of `text` among "a|b|c", or -1. */
static int
word_index(const char *words, const char *text)
{
    const size_t length = strlen(text);
    int index = 0;
    for (const char *at = words; at != NULL; index++) {
        const size_t word_length = strcspn(at, "|");
        if (word_length == length && strncmp(at, text, length) == 0)
            return index;
        at = at[word_length] == '|' ? at + word_length + 1 : NULL;
    }
    return -1;
}

static bool
in_set(char character, const char *set)
{
    for (; set[0] != '\0'; set++) {
        if (set[0] == character)
            return true;
        if (set[1] == '-' && set[2] != '\0') {
            if (character >= set[0] && character <= set[2])
                return true;
            set += 2;
        }
    }
    return false;
}

size_t
config_value_span(const char *text, const char *set)
{
    size_t length = 0;
    while (text[length] != '\0' && in_set(text[length], set))
        length++;
    return length;
}

static ConfigOutcome
set_string(char **field, const ConfigOption *option, const char *text)
{
    const size_t length = strlen(text);
    if ((double)length < option->min || (double)length > option->max)
        return CONFIG_OUTCOME_REFUSED;
    if (option->words != NULL && config_value_span(text, option->words) != length)
        return CONFIG_OUTCOME_REFUSED;
    char *copy = strdup(text);
    if (copy == NULL)
        return CONFIG_OUTCOME_NO_MEMORY;
    free(*field);
    *field = copy;
    return CONFIG_OUTCOME_SET;
}

static bool
read_in_range(const ConfigOption *option, const char *text, double *ret_number)
{
    const char *rest = "";
    const bool read = option->type == CONFIG_DURATION ? read_duration_ms(text, ret_number)
                                                      : read_number(text, ret_number, &rest);
    return read && rest[0] == '\0' && *ret_number >= option->min && *ret_number <= option->max;
}

static bool
set_whole(int *field, const ConfigOption *option, const char *text)
{
    double number;
    if (!read_in_range(option, text, &number) || number != floor(number))
        return false;
    *field = (int)number;
    return true;
}

static bool
set_word(int *field, const char *words, const char *text)
{
    const int index = word_index(words, text);
    if (index < 0)
        return false;
    *field = index;
    return true;
}

static bool
set_boolean(bool *field, const char *text)
{
    int index;
    if (!set_word(&index, "false|true|no|yes|off|on|0|1", text))
        return false;
    *field = index % 2 == 1;
    return true;
}

static ConfigOutcome
outcome(bool accepted)
{
    return accepted ? CONFIG_OUTCOME_SET : CONFIG_OUTCOME_REFUSED;
}

ConfigOutcome
config_value_set(void *field, const ConfigOption *option, const char *text)
{
    switch (option->type) {
    case CONFIG_STRING:
        return set_string(field, option, text);
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
        return outcome(set_whole(field, option, text));
    case CONFIG_REAL: {
        double number;
        if (!read_in_range(option, text, &number))
            return CONFIG_OUTCOME_REFUSED;
        *(double *)field = number;
        return CONFIG_OUTCOME_SET;
    }
    case CONFIG_BOOLEAN:
        return outcome(set_boolean(field, text));
    case CONFIG_ENUM:
        return outcome(set_word(field, option->words, text));
    }
    return CONFIG_OUTCOME_REFUSED;
}

static void
describe_ms(double ms, char *text, size_t size)
{
    if (ms >= 3600000 && fmod(ms, 3600000) == 0)
        (void)snprintf(text, size, "%gh", ms / 3600000);
    else if (ms >= 60000 && fmod(ms, 60000) == 0)
        (void)snprintf(text, size, "%gm", ms / 60000);
    else if (ms >= 1000 && fmod(ms, 1000) == 0)
        (void)snprintf(text, size, "%gs", ms / 1000);
    else
        (void)snprintf(text, size, "%gms", ms);
}

static void
describe_string(const ConfigOption *option, char *text, size_t size)
{
    char least[32] = "at most";
    if (option->min > 0)
        (void)snprintf(least, sizeof(least), "%g to", option->min);
    (void)snprintf(text, size, "%s %g characters%s%s", least, option->max,
                   option->words != NULL ? " of " : "", option->words != NULL ? option->words : "");
}

void
config_describe(const ConfigOption *option, char *text, size_t size)
{
    char least[32];
    char most[32];
    switch (option->type) {
    case CONFIG_STRING:
        describe_string(option, text, size);
        return;
    case CONFIG_INTEGER:
        (void)snprintf(text, size, "a whole number from %.0f to %.0f", option->min, option->max);
        return;
    case CONFIG_REAL:
        (void)snprintf(text, size, "a number from %.10g to %.10g", option->min, option->max);
        return;
    case CONFIG_BOOLEAN:
        (void)snprintf(text, size, "true or false");
        return;
    case CONFIG_DURATION:
        describe_ms(option->min, least, sizeof(least));
        describe_ms(option->max, most, sizeof(most));
        (void)snprintf(text, size, "a duration (ms, s, m, h) from %s to %s", least, most);
        return;
    case CONFIG_ENUM:
        (void)snprintf(text, size, strchr(option->words, '|') != NULL ? "one of %s" : "only %s",
                       option->words);
        return;
    }
}

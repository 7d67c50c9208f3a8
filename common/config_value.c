#include "common/config_value.h"

#include "common/number.h"
#include "common/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing needs no unit. */
static bool
read_duration_ms(const char *text, double *ret_ms)
{
    if (number_read_duration(text, NUMBER_HOURS, ret_ms))
        return true;
    *ret_ms = 0;
    return strcmp(text, "0") == 0;
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
                                                      : number_read(text, ret_number, &rest);
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
    const int index = words_index(words, text);
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
    case CONFIG_RETIRED:
        *(bool *)field = true;
        return CONFIG_OUTCOME_SET;
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
    case CONFIG_RETIRED:
        (void)snprintf(text, size, "anything, without effect");
        return;
    }
}

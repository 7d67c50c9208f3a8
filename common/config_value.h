/*
 * config_value: the text of one option becomes a value of its type. For the files of config alone.
 *
 * Owns:      nothing; a string goes into the caller's field, which then owns it.
 * Threads:   any, one field at a time.
 * Invariant: a field changes only when the whole text has passed.
 */
#ifndef COMMON_CONFIG_VALUE_H
#define COMMON_CONFIG_VALUE_H

#include "common/config_option.h"
#include "common/macros.h"

typedef enum ConfigOutcome {
    CONFIG_OUTCOME_SET,
    CONFIG_OUTCOME_REFUSED, /* not a value of this option; config_describe says what is */
    CONFIG_OUTCOME_NO_MEMORY,
} ConfigOutcome;

/* Writes `text` into `field`, which has the type of the option and holds a valid value or zeros. */
ConfigOutcome config_value_set(void *field, const ConfigOption *option,
                               const char *text) MUST_CHECK;

/* "a whole number from 1 to 64" and so on, into `text`. */
void config_describe(const ConfigOption *option, char *text, size_t size);

/* The length of the part of `text` whose characters are all in `set`, such as "A-Za-z0-9._-" (a '-'
 * that is meant stands last). */
size_t config_value_span(const char *text, const char *set);

#endif

/*
 * config_option: one row of a table of options.
 */
#ifndef COMMON_CONFIG_OPTION_H
#define COMMON_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ConfigType {
    CONFIG_STRING,   /* char *, owned */
    CONFIG_INTEGER,  /* int */
    CONFIG_REAL,     /* double */
    CONFIG_BOOLEAN,  /* bool */
    CONFIG_DURATION, /* int, milliseconds; written as a number with ms, s, m or h */
    CONFIG_ENUM,     /* int, the index of the word in `words` */
    CONFIG_RETIRED,  /* bool, whether it was given; any value will do, and none has an effect */
} ConfigType;

typedef struct ConfigOption {
    const char *section;
    const char *key;
    ConfigType type;
    size_t offset;       /* of the field in the caller's struct */
    double min;          /* of numbers; durations in milliseconds; strings: shortest */
    double max;          /* strings: longest */
    const char *initial; /* default, in the form of the file */
    const char *words;   /* CONFIG_ENUM: "debug|info|warn|error"; CONFIG_STRING: the characters it
                            may have, "A-Za-z0-9._-", or NULL for any */
    bool secret;         /* never printed */
    const char *help;    /* one line; of a retired option: why it has no effect */
} ConfigOption;

#endif

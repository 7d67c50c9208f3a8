/*
 * config: options declared in one table, read from defaults, an INI file, the environment and the
 * command line.
 *
 * Owns:      nothing but the strings it puts into the caller's struct, freed by config_done.
 * Threads:   one at a time, before the others start.
 * Invariant: a value in the struct has passed its option's range; a later source wins over an
 * earlier one.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include "common/config_option.h"
#include "common/error.h"

#include <stdio.h>

/* Options beyond the table, as name and value, in the order in which they were first set; a later
 * value of the same name replaces the earlier. */
typedef struct ConfigPairs {
    char **names;
    char **values;
    size_t count;
} ConfigPairs;

/* A section whose unknown keys pass through, if `check` takes name and value; else it fails with
 * what is said after the name: "cannot be set: …". */
typedef struct ConfigPassThrough {
    const char *section;
    ConfigPairs *pairs;
    bool (*check)(const char *name, const char *value, Error *err);
} ConfigPassThrough;

/* What config_read_environment saw. */
typedef struct ConfigSeen {
    size_t variables;        /* how many set an option */
    ConfigPairs passed_over; /* Kubernetes' service links; the values are not kept */
} ConfigSeen;

typedef struct Config {
    const ConfigOption *options;
    size_t option_count;
    void *values; /* the caller's struct */
    ConfigPassThrough pass;
    const char *environment_prefix;   /* "CLEANUP_" */
    const char *environment_reserved; /* a prefix that is left alone, or NULL */
    ConfigSeen *seen;                 /* the caller's, or NULL */
} Config;

/* Sets every option to its default. */
bool config_set_defaults(const Config *config, Error *err) MUST_CHECK;

/* Sets one option by "section" and "key"; one newline at the end of the value is not part of it,
 * any other control character is refused. Fails with ERROR_REJECT and a sentence that names the
 * option, what was given (not of a secret) and what it takes. `origin` says where it stood. */
bool config_set(const Config *config, const char *section, const char *key, const char *value,
                const char *origin, Error *err) MUST_CHECK;

/* Sets "section.key=value"; fails like config_set, and never quotes what may be a secret. */
bool config_set_assignment(const Config *config, const char *assignment, Error *err) MUST_CHECK;

/* Reads an INI file: [section], key = value, comments from ";" or "#" at the start of a line or
 * from " ;" within one. Fails with ERROR_REJECT, naming file and line, when it cannot be read, is
 * not of this form, holds a key twice, or holds what config_set refuses; what stands above the
 * fault may have been set. */
bool config_read_file(const Config *config, const char *path, Error *err) MUST_CHECK;

/* `environment` as environ: PREFIX_SECTION_KEY=value, "_" standing for "." in the section that
 * passes through. A name with the prefix that is no option fails like config_set, save those that
 * Kubernetes sets for a service whose name begins like the prefix. */
bool config_read_environment(const Config *config, char *const *environment, Error *err) MUST_CHECK;

/* Calls `tell` for every retired option that was given. */
typedef void (*ConfigTell)(void *state, const ConfigOption *option);
void config_each_retired(const Config *config, ConfigTell tell, void *state);

/* Frees the strings of the struct and the pairs; good after any failure above. */
void config_done(const Config *config);

/* The table as text, without what is retired: for --help, as a commented INI file, as a Markdown
 * table. */
void config_print_help(const Config *config, FILE *out);
void config_print_sample(const Config *config, FILE *out);
void config_print_markdown(const Config *config, FILE *out);

#endif

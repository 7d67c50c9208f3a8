#include "common/config.h"

#include "common/config_value.h"

#include <ctype.h>
#include <string.h>

#define NAME_CHARACTERS "A-Za-z0-9._-"

static void *
field_of(const Config *config, const ConfigOption *option)
{
    return (char *)config->values + option->offset;
}

static bool
reject_value(const ConfigOption *option, const char *value, const char *origin, Error *err)
{
    char takes[128];
    config_describe(option, takes, sizeof(takes));
    if (option->secret)
        return error_set(err, REASON_CONFIG, "%s: %s.%s takes %s", origin, option->section,
                         option->key, takes);
    return error_set(err, REASON_CONFIG, "%s: %s.%s is \"%.80s\", but takes %s", origin,
                     option->section, option->key, value, takes);
}

static bool
set_option(const Config *config, const ConfigOption *option, const char *value, const char *origin,
           Error *err)
{
    switch (config_value_set(field_of(config, option), option, value)) {
    case CONFIG_OUTCOME_SET:
        return true;
    case CONFIG_OUTCOME_REFUSED:
        return reject_value(option, value, origin, err);
    case CONFIG_OUTCOME_NO_MEMORY:
        break;
    }
    return error_out_of_memory(err);
}

static const ConfigOption *
find_option(const Config *config, const char *section, const char *key)
{
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        if (strcmp(option->section, section) == 0 && strcmp(option->key, key) == 0)
            return option;
    }
    return NULL;
}

static bool
is_section(const Config *config, const char *section)
{
    for (size_t i = 0; i < config->option_count; i++) {
        if (strcmp(config->options[i].section, section) == 0)
            return true;
    }
    return false;
}

static bool
passes_through(const Config *config, const char *section)
{
    return config->pass.section != NULL && strcmp(config->pass.section, section) == 0;
}

/* The value of that name, NULL when there is none. */
static char **
find_pair(const ConfigPairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->names[i], name) == 0)
            return &pairs->values[i];
    }
    return NULL;
}

static bool
grow(char ***list, size_t count)
{
    char **grown = realloc(*list, (count + 1) * sizeof(*grown));
    if (grown == NULL)
        return false;
    *list = grown;
    return true;
}

static bool
put_pair(ConfigPairs *pairs, const char *name, const char *value, Error *err)
{
    CLEANUP(autofree) char *value_copy = strdup(value);
    if (value_copy == NULL)
        return error_out_of_memory(err);
    char **earlier = find_pair(pairs, name);
    if (earlier == NULL) {
        if (!grow(&pairs->names, pairs->count) || !grow(&pairs->values, pairs->count))
            return error_out_of_memory(err);
        char *name_copy = strdup(name);
        if (name_copy == NULL)
            return error_out_of_memory(err);
        earlier = &pairs->values[pairs->count];
        *earlier = NULL;
        pairs->names[pairs->count++] = name_copy;
    }
    free(*earlier);
    *earlier = value_copy;
    value_copy = NULL;
    return true;
}

static bool
set_pair(const ConfigPassThrough *pass, const char *key, const char *value, const char *origin,
         Error *err)
{
    /* What follows a character that no name has may be part of a secret. */
    const size_t length = config_value_span(key, NAME_CHARACTERS);
    if (length == 0 || key[length] != '\0')
        return error_set(err, REASON_CONFIG,
                         "%s: the names of [%s] consist of letters, digits, \".\", \"_\" and "
                         "\"-\", which ends after \"%.*s\"",
                         origin, pass->section, (int)length, key);
    const char *reason = pass->refuse(key);
    if (reason != NULL)
        return error_set(err, REASON_CONFIG, "%s: %s.%s cannot be set: %s", origin, pass->section,
                         key, reason);
    return put_pair(pass->pairs, key, value, err);
}

bool
config_set(const Config *config, const char *section, const char *key, const char *value,
           const char *origin, Error *err)
{
    const ConfigOption *option = find_option(config, section, key);
    if (option != NULL)
        return set_option(config, option, value, origin, err);
    if (passes_through(config, section))
        return set_pair(&config->pass, key, value, origin, err);
    if (!is_section(config, section))
        return error_set(err, REASON_CONFIG, "%s: there is no section [%s]", origin, section);
    return error_set(err, REASON_CONFIG, "%s: there is no option %s.%s", origin, section, key);
}

bool
config_set_defaults(const Config *config, Error *err)
{
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        if (!set_option(config, option, option->initial, "default", err))
            return false;
    }
    return true;
}

bool
config_set_assignment(const Config *config, const char *assignment, Error *err)
{
    const size_t name_length = config_value_span(assignment, NAME_CHARACTERS);
    const size_t section_length = strcspn(assignment, ".");
    if (assignment[name_length] != '=' || section_length >= name_length)
        /* Only the name: the rest may be a secret. */
        return error_set(err, REASON_CONFIG, "-o takes section.key=value, which \"%.*s…\" is not",
                         (int)name_length, assignment);
    CLEANUP(autofree) char *section = strndup(assignment, section_length);
    CLEANUP(autofree)
    char *key = strndup(assignment + section_length + 1, name_length - section_length - 1);
    if (section == NULL || key == NULL)
        return error_out_of_memory(err);
    return config_set(config, section, key, assignment + name_length + 1, "command line", err);
}

/* "KAFKA_BOOTSTRAP_SERVERS" → section "kafka", key "bootstrap.servers". `name` is written to. */
static bool
set_from_variable(const Config *config, char *name, const char *value, const char *origin,
                  Error *err)
{
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    char *key = strchr(name, '_');
    if (key == NULL)
        return error_set(err, REASON_CONFIG, "%s: there is no such option", origin);
    *key++ = '\0';
    for (char *at = key; passes_through(config, name) && *at != '\0'; at++)
        *at = *at == '_' ? '.' : *at;
    return config_set(config, name, key, value, origin, err);
}

static bool
read_variable(const Config *config, const char *variable, size_t name_length, Error *err)
{
    const size_t prefix_length = strlen(config->environment_prefix);
    CLEANUP(autofree) char *full_name = strndup(variable, name_length);
    if (full_name == NULL)
        return error_out_of_memory(err);
    char origin[160];
    (void)snprintf(origin, sizeof(origin), "environment %s", full_name);
    return set_from_variable(config, full_name + prefix_length, variable + name_length + 1, origin,
                             err);
}

static bool
starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool
config_read_environment(const Config *config, char *const *environment, Error *err)
{
    const char *reserved = config->environment_reserved;
    for (; *environment != NULL; environment++) {
        const char *variable = *environment;
        const char *equals = strchr(variable, '=');
        if (equals == NULL || !starts_with(variable, config->environment_prefix) ||
            (reserved != NULL && starts_with(variable, reserved)))
            continue;
        if (!read_variable(config, variable, (size_t)(equals - variable), err))
            return false;
    }
    return true;
}

void
config_done(const Config *config)
{
    for (size_t i = 0; i < config->option_count; i++) {
        if (config->options[i].type != CONFIG_STRING)
            continue;
        char **field = field_of(config, &config->options[i]);
        free(*field);
        *field = NULL;
    }
    ConfigPairs *pairs = config->pass.pairs;
    if (pairs == NULL)
        return;
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->names[i]);
        free(pairs->values[i]);
    }
    free(pairs->names);
    free(pairs->values);
    *pairs = (ConfigPairs){0};
}

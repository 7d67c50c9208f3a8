#include "common/config.h"

#include "common/strbuf.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <string.h>

static void *
field_of(const Config *config, const ConfigOption *option)
{
    return (char *)config->values + option->offset;
}

/* Splits "12.5ms" into number and unit; false when there is no number. */
static bool
read_number(const char *text, double *ret_number, const char **ret_rest)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    const double number = strtod(text, &end);
    if (errno != 0 || !isfinite(number) || text[strspn(text, "0123456789.")] != *end)
        return false;
    *ret_number = number;
    *ret_rest = end;
    return true;
}

static bool
read_duration_ms(const char *text, double *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const char *rest;
    if (!read_number(text, ret_ms, &rest))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(rest, units[i].unit) == 0) {
            *ret_ms *= units[i].ms;
            return true;
        }
    }
    return strcmp(text, "0") == 0;
}

/* The index of `text` among "a|b|c", or -1. */
static int
word_index(const char *words, const char *text)
{
    const size_t length = strlen(text);
    int index = 0;
    for (const char *at = words; at != NULL; index++) {
        const char *end = strchr(at, '|');
        const size_t word_length = end != NULL ? (size_t)(end - at) : strlen(at);
        if (word_length == length && strncmp(at, text, length) == 0)
            return index;
        at = end != NULL ? end + 1 : NULL;
    }
    return -1;
}

static bool
set_string(char **field, const ConfigOption *option, const char *value)
{
    const size_t length = strlen(value);
    if ((double)length < option->min || (double)length > option->max)
        return false;
    char *copy = strdup(value);
    if (copy == NULL)
        return false;
    free(*field);
    *field = copy;
    return true;
}

static bool
set_number(void *field, const ConfigOption *option, const char *value)
{
    double number;
    const char *rest = "";
    const bool read = option->type == CONFIG_DURATION ? read_duration_ms(value, &number)
                                                      : read_number(value, &number, &rest);
    if (!read || rest[0] != '\0' || number < option->min || number > option->max)
        return false;
    if (option->type == CONFIG_REAL) {
        *(double *)field = number;
        return true;
    }
    if (number != floor(number))
        return false;
    *(int *)field = (int)number;
    return true;
}

static bool
set_boolean(bool *field, const char *value)
{
    const int index = word_index("false|true|no|yes|off|on|0|1", value);
    if (index < 0)
        return false;
    *field = index % 2 == 1;
    return true;
}

static bool
set_value(void *field, const ConfigOption *option, const char *value)
{
    switch (option->type) {
    case CONFIG_STRING:
        return set_string(field, option, value);
    case CONFIG_INTEGER:
    case CONFIG_REAL:
    case CONFIG_DURATION:
        return set_number(field, option, value);
    case CONFIG_BOOLEAN:
        return set_boolean(field, value);
    case CONFIG_ENUM: {
        const int index = word_index(option->words, value);
        if (index >= 0)
            *(int *)field = index;
        return index >= 0;
    }
    }
    return false;
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

void
config_describe(const ConfigOption *option, char *text, size_t size)
{
    char least[32];
    char most[32];
    switch (option->type) {
    case CONFIG_STRING:
        (void)snprintf(text, size, "text of %g to %g characters", option->min, option->max);
        return;
    case CONFIG_INTEGER:
        (void)snprintf(text, size, "a whole number from %.0f to %.0f", option->min, option->max);
        return;
    case CONFIG_REAL:
        (void)snprintf(text, size, "a number from %g to %g", option->min, option->max);
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
        (void)snprintf(text, size, "one of %s", option->words);
        return;
    }
}

static bool
reject_value(const ConfigOption *option, const char *value, const char *origin, Error *err)
{
    char takes[128];
    config_describe(option, takes, sizeof(takes));
    if (option->secret)
        return error_set(err, ERROR_REJECT, "config", "%s: %s.%s takes %s", origin, option->section,
                         option->key, takes);
    return error_set(err, ERROR_REJECT, "config", "%s: %s.%s is \"%.80s\", but takes %s", origin,
                     option->section, option->key, value, takes);
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
replace_pair(ConfigPairs *pairs, const char *name, const char *value, bool *ret_found)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->names[i], name) != 0)
            continue;
        char *copy = strdup(value);
        *ret_found = true;
        if (copy == NULL)
            return false;
        free(pairs->values[i]);
        pairs->values[i] = copy;
        return true;
    }
    return true;
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
add_pair(ConfigPairs *pairs, const char *name, const char *value, Error *err)
{
    bool found = false;
    if (!replace_pair(pairs, name, value, &found))
        return error_out_of_memory(err);
    if (found)
        return true;
    if (!grow(&pairs->names, pairs->count) || !grow(&pairs->values, pairs->count))
        return error_out_of_memory(err);
    char *name_copy = strdup(name);
    char *value_copy = strdup(value);
    if (name_copy == NULL || value_copy == NULL) {
        free(name_copy);
        free(value_copy);
        return error_out_of_memory(err);
    }
    pairs->names[pairs->count] = name_copy;
    pairs->values[pairs->count++] = value_copy;
    return true;
}

static bool
set_unlisted(const Config *config, const char *section, const char *key, const char *value,
             const char *origin, Error *err)
{
    const ConfigPassThrough *pass = &config->pass;
    if (pass->section != NULL && strcmp(pass->section, section) == 0) {
        const char *reason = pass->refuse(key);
        if (reason != NULL)
            return error_set(err, ERROR_REJECT, "config", "%s: %s.%s cannot be set: %s", origin,
                             section, key, reason);
        return add_pair(pass->pairs, key, value, err);
    }
    if (!is_section(config, section))
        return error_set(err, ERROR_REJECT, "config", "%s: there is no section [%s]", origin,
                         section);
    return error_set(err, ERROR_REJECT, "config",
                     "%s: there is no option %s.%s; --help lists them all", origin, section, key);
}

bool
config_set(const Config *config, const char *section, const char *key, const char *value,
           const char *origin, Error *err)
{
    const ConfigOption *option = find_option(config, section, key);
    if (option == NULL)
        return set_unlisted(config, section, key, value, origin, err);
    if (!set_value(field_of(config, option), option, value))
        return reject_value(option, value, origin, err);
    return true;
}

bool
config_set_defaults(const Config *config, Error *err)
{
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        if (!set_value(field_of(config, option), option, option->initial))
            return reject_value(option, option->initial, "default", err);
    }
    return true;
}

bool
config_set_assignment(const Config *config, const char *assignment, Error *err)
{
    const char *equals = strchr(assignment, '=');
    const char *dot = strchr(assignment, '.');
    if (equals == NULL || dot == NULL || dot > equals)
        return error_set(err, ERROR_REJECT, "config", "-o takes section.key=value, not \"%.80s\"",
                         assignment);
    CLEANUP(autofree) char *section = strndup(assignment, (size_t)(dot - assignment));
    CLEANUP(autofree) char *key = strndup(dot + 1, (size_t)(equals - dot - 1));
    if (section == NULL || key == NULL)
        return error_out_of_memory(err);
    return config_set(config, section, key, equals + 1, "command line", err);
}

typedef struct FileReader {
    const Config *config;
    const char *path;
    Error *err;
    bool failed;
} FileReader;

static int
read_entry(void *user, const char *section, const char *name, const char *value)
{
    FileReader *reader = user;
    if (reader->failed)
        return 1;
    reader->failed = !config_set(reader->config, section, name, value, reader->path, reader->err);
    return 1;
}

bool
config_read_file(const Config *config, const char *path, Error *err)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return error_set(err, ERROR_REJECT, "config", "cannot read %s: %s", path, strerror(errno));
    FileReader reader = {config, path, err, false};
    const int line = ini_parse_file(file, read_entry, &reader);
    (void)fclose(file);
    if (reader.failed)
        return false;
    if (line != 0)
        return error_set(err, ERROR_REJECT, "config",
                         "%s: line %d is neither [section], key = value nor a comment", path, line);
    return true;
}

static void
lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* "KAFKA_BOOTSTRAP_SERVERS" → section "kafka", key "bootstrap.servers". */
static bool
set_from_variable(const Config *config, const char *name, const char *value, Error *err)
{
    char origin[160];
    (void)snprintf(origin, sizeof(origin), "environment %s%s", config->environment_prefix, name);
    CLEANUP(autofree) char *section = strdup(name);
    if (section == NULL)
        return error_out_of_memory(err);
    lower(section);
    char *key = strchr(section, '_');
    if (key == NULL)
        return error_set(err, ERROR_REJECT, "config", "%s: there is no such option", origin);
    *key++ = '\0';
    if (config->pass.section != NULL && strcmp(config->pass.section, section) == 0) {
        for (char *at = key; *at != '\0'; at++)
            *at = *at == '_' ? '.' : *at;
    }
    return config_set(config, section, key, value, origin, err);
}

bool
config_read_environment(const Config *config, char *const *environment, Error *err)
{
    const size_t prefix = strlen(config->environment_prefix);
    const char *reserved = config->environment_reserved;
    for (; *environment != NULL; environment++) {
        const char *variable = *environment;
        const char *equals = strchr(variable, '=');
        if (equals == NULL || strncmp(variable, config->environment_prefix, prefix) != 0)
            continue;
        if (reserved != NULL && strncmp(variable, reserved, strlen(reserved)) == 0)
            continue;
        CLEANUP(autofree)
        char *name = strndup(variable + prefix, (size_t)(equals - variable) - prefix);
        if (name == NULL)
            return error_out_of_memory(err);
        if (!set_from_variable(config, name, equals + 1, err))
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

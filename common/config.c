#include "common/config.h"

#include "common/config_value.h"
#include "common/nearest.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

#define NAME_CHARACTERS "A-Za-z0-9._-"
/* What Kubernetes sets for each service of the namespace, after its name, beside …_PORT. */
#define SERVICE_LINK                                                                               \
    "_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|"                                                 \
    "_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$"

enum { HINT_BYTES = 160 };

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
    Error reason;
    if (!pass->check(key, value, &reason))
        return error_set(err, REASON_CONFIG, "%s: %s.%s %s", origin, pass->section, key,
                         reason.text);
    return put_pair(pass->pairs, key, value, err);
}

/* The option that `given` is probably meant to be, by its full name or by its key alone. */
static const ConfigOption *
find_near(const Config *config, const char *given, bool by_key)
{
    const ConfigOption *near = NULL;
    Nearest nearest;
    nearest_begin(&nearest, given);
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        char name[HINT_BYTES];
        (void)snprintf(name, sizeof(name), "%s%s%s", by_key ? "" : option->section,
                       by_key ? "" : ".", option->key);
        if (nearest_offer(&nearest, name, option->key))
            near = option;
    }
    return near;
}

/* "; did you mean section.key?", or nothing; `section` is "" where none was given. */
static const char *
hint(const Config *config, const char *section, const char *key, char text[HINT_BYTES])
{
    char given[HINT_BYTES];
    (void)snprintf(given, sizeof(given), "%s.%s", section, key);
    const ConfigOption *near = section[0] != '\0' ? find_near(config, given, false) : NULL;
    if (near == NULL)
        near = find_near(config, key, true);
    text[0] = '\0';
    if (near != NULL)
        (void)snprintf(text, HINT_BYTES, "; did you mean %s.%s?", near->section, near->key);
    return text;
}

static bool
set_clean(const Config *config, const char *section, const char *key, const char *value,
          const char *origin, Error *err)
{
    const ConfigOption *option = find_option(config, section, key);
    if (option != NULL)
        return set_option(config, option, value, origin, err);
    if (passes_through(config, section))
        return set_pair(&config->pass, key, value, origin, err);
    char near[HINT_BYTES];
    if (!is_section(config, section))
        return error_set(err, REASON_CONFIG, "%s: there is no section [%s]%s", origin, section,
                         hint(config, section, key, near));
    return error_set(err, REASON_CONFIG, "%s: there is no option %s.%s%s", origin, section, key,
                     hint(config, section, key, near));
}

/* Of a value without the newline with which a file ends, and so a secret that was read from one. */
static size_t
length_without_newline(const char *value)
{
    size_t length = strlen(value);
    if (length > 0 && value[length - 1] == '\n')
        length--;
    if (length > 0 && value[length] == '\n' && value[length - 1] == '\r')
        length--;
    return length;
}

bool
config_set(const Config *config, const char *section, const char *key, const char *value,
           const char *origin, Error *err)
{
    CLEANUP(autofree) char *clean = strndup(value, length_without_newline(value));
    if (clean == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; clean[i] != '\0'; i++) {
        if (iscntrl((unsigned char)clean[i]))
            return error_set(
                err, REASON_CONFIG,
                "%s: %s.%s holds the control character 0x%02x, as character %zu of %zu", origin,
                section, key, (unsigned char)clean[i], i + 1, strlen(clean));
    }
    return set_clean(config, section, key, clean, origin, err);
}

bool
config_set_defaults(const Config *config, Error *err)
{
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        if (option->type == CONFIG_RETIRED)
            *(bool *)field_of(config, option) = false;
        else if (!set_option(config, option, option->initial, "default", err))
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
    char near[HINT_BYTES];
    char *key = strchr(name, '_');
    if (key == NULL)
        return error_set(err, REASON_CONFIG, "%s: there is no such option%s", origin,
                         hint(config, "", name, near));
    *key++ = '\0';
    for (char *at = key; passes_through(config, name) && *at != '\0'; at++)
        *at = *at == '_' ? '.' : *at;
    return config_set(config, name, key, value, origin, err);
}

/* A service of the namespace may be named so that its variables begin like the worker's. The one
 * that could be a mistaken option, …_PORT, holds an address: tcp://10.0.0.1:80. */
static bool
is_service_link(const char *name, const char *value)
{
    static const char port[] = "_PORT";
    const size_t length = strlen(name);
    regex_t link;
    if (regcomp(&link, SERVICE_LINK, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    const bool matches = regexec(&link, name, 0, NULL, 0) == 0;
    regfree(&link);
    return matches || (length > strlen(port) && strcmp(name + length - strlen(port), port) == 0 &&
                       strstr(value, "://") != NULL);
}

static bool
read_variable(const Config *config, const char *variable, size_t name_length, Error *err)
{
    const size_t prefix_length = strlen(config->environment_prefix);
    CLEANUP(autofree) char *full_name = strndup(variable, name_length);
    if (full_name == NULL)
        return error_out_of_memory(err);
    const char *value = variable + name_length + 1;
    if (is_service_link(full_name, value))
        return config->seen == NULL || put_pair(&config->seen->passed_over, full_name, "", err);
    if (config->seen != NULL)
        config->seen->variables++;
    char origin[160];
    (void)snprintf(origin, sizeof(origin), "environment %s", full_name);
    return set_from_variable(config, full_name + prefix_length, value, origin, err);
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

static void
free_pairs(ConfigPairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->names[i]);
        free(pairs->values[i]);
    }
    free(pairs->names);
    free(pairs->values);
    *pairs = (ConfigPairs){0};
}

void
config_each_retired(const Config *config, ConfigTell tell, void *state)
{
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        if (option->type == CONFIG_RETIRED && *(const bool *)field_of(config, option))
            tell(state, option);
    }
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
    if (config->pass.pairs != NULL)
        free_pairs(config->pass.pairs);
    if (config->seen != NULL)
        free_pairs(&config->seen->passed_over);
}

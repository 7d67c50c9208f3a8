/* The option table as text: one source for --help, the sample file and the documents. */
#include "common/config.h"
#include "common/config_value.h"

#include <string.h>

/* Whether `section`, which is then that of the option, was another one. */
static bool
enters_section(const ConfigOption *option, const char **section)
{
    const bool same = *section != NULL && strcmp(*section, option->section) == 0;
    *section = option->section;
    return !same;
}

void
config_print_help(const Config *config, FILE *out)
{
    const char *section = NULL;
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        char takes[128];
        if (option->type == CONFIG_RETIRED)
            continue;
        config_describe(option, takes, sizeof(takes));
        const bool first = section == NULL;
        if (enters_section(option, &section))
            (void)fprintf(out, "%s[%s]\n", first ? "" : "\n", option->section);
        (void)fprintf(out, "  %s =%s%s\n      %s; takes %s\n", option->key,
                      option->initial[0] != '\0' ? " " : "", option->initial, option->help, takes);
    }
}

void
config_print_sample(const Config *config, FILE *out)
{
    const char *section = NULL;
    (void)fprintf(
        out, "; Every option with its default, commented out.\n"
             "; A comment begins with ; or # at the start of a line, and with ; after a space\n"
             "; within one: a value that holds that, or a line of more than 198 characters,\n"
             "; goes into the environment.\n");
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        char takes[128];
        if (option->type == CONFIG_RETIRED)
            continue;
        config_describe(option, takes, sizeof(takes));
        if (enters_section(option, &section))
            (void)fprintf(out, "\n[%s]\n", option->section);
        (void)fprintf(out, "; %s; takes %s\n;%s =%s%s\n", option->help, takes, option->key,
                      option->initial[0] != '\0' ? " " : "", option->initial);
    }
}

/* A pipe would end the cell. */
static void
print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        (void)fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

void
config_print_markdown(const Config *config, FILE *out)
{
    (void)fprintf(out, "| option | default | takes | what it is |\n|---|---|---|---|\n");
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        char takes[128];
        if (option->type == CONFIG_RETIRED)
            continue;
        config_describe(option, takes, sizeof(takes));
        (void)fprintf(out, "| `%s.%s` | ", option->section, option->key);
        if (option->initial[0] != '\0')
            (void)fprintf(out, "`%s` ", option->initial);
        (void)fprintf(out, "| ");
        print_cell(out, takes);
        (void)fprintf(out, " | ");
        print_cell(out, option->help);
        (void)fprintf(out, " |\n");
    }
}

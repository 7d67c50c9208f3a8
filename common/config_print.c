/* The option table as text: one source for --help, the sample file and the documents. */
#include "common/config.h"

#include <string.h>

static bool
starts_section(const Config *config, size_t i)
{
    return i == 0 || strcmp(config->options[i].section, config->options[i - 1].section) != 0;
}

void
config_print_help(const Config *config, FILE *out)
{
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        char takes[128];
        config_describe(option, takes, sizeof(takes));
        if (starts_section(config, i))
            (void)fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "", option->section);
        (void)fprintf(out, "  %s =%s%s\n      %s; takes %s\n", option->key,
                      option->initial[0] != '\0' ? " " : "", option->initial, option->help, takes);
    }
}

void
config_print_sample(const Config *config, FILE *out)
{
    (void)fprintf(
        out, "; Every option with its default, commented out.\n"
             "; A comment begins with ; or # at the start of a line, and with ; after a space\n"
             "; within one: a value that holds that, or a line of more than 198 characters,\n"
             "; goes into the environment.\n");
    for (size_t i = 0; i < config->option_count; i++) {
        const ConfigOption *option = &config->options[i];
        char takes[128];
        config_describe(option, takes, sizeof(takes));
        if (starts_section(config, i))
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

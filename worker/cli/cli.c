#include "worker/cli/cli.h"

#include "common/log.h"
#include "common/number.h"
#include "common/strbuf.h"
#include "common/words.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    LONG_OPTIONS_MAX = 24,
    KEY_CONFIG = 256,
    KEY_FORMAT,
    KEY_OWN, /* the subcommand's own options count from here */
};

/* Some thirty years: times of day stay in range. */
#define DURATION_MAX_MS 1e12

static const CliOption common_options[] = {
    {"config FILE", NULL, "an INI file"},
    {"-o section.key=value", NULL, "set one option; over file and environment"},
    {"-b BROKERS", NULL, "short for -o kafka.bootstrap.servers=BROKERS"},
    {"-X property=value", NULL, "short for -o kafka.property=value"},
    {"-v, --verbose", NULL, "log more, to stderr"},
    {"-h, --help", NULL, "this text"},
};

static void
print_option(const char *name, const char *argument, const char *help)
{
    char text[48];
    (void)snprintf(text, sizeof(text), "%s%s%s%s", name[0] == '-' ? "" : "--", name,
                   argument != NULL ? " " : "", argument != NULL ? argument : "");
    (void)printf("  %-26s %s\n", text, help);
}

static void
print_help(const CliSpec *spec)
{
    (void)printf("Usage: cleanup-worker %s [options]%s%s\n\n%s\n\nOptions:\n", spec->name,
                 spec->arguments[0] != '\0' ? " " : "", spec->arguments, spec->about);
    for (size_t i = 0; i < spec->option_count; i++)
        print_option(spec->options[i].name, spec->options[i].argument, spec->options[i].help);
    if (spec->formats != NULL)
        print_option("format", spec->formats, "form of the output");
    for (size_t i = 0; i < ARRAY_LEN(common_options); i++)
        print_option(common_options[i].name, NULL, common_options[i].help);
    if (!spec->lists_settings) {
        (void)puts("\n`cleanup-worker options` lists what -o takes.");
        return;
    }
    (void)puts("");
    settings_print_help(stdout);
}

static void
fill_long_options(const CliSpec *spec, struct option *ret_options)
{
    size_t count = 0;
    ret_options[count++] = (struct option){"config", required_argument, NULL, KEY_CONFIG};
    ret_options[count++] = (struct option){"verbose", no_argument, NULL, 'v'};
    ret_options[count++] = (struct option){"help", no_argument, NULL, 'h'};
    if (spec->formats != NULL)
        ret_options[count++] = (struct option){"format", required_argument, NULL, KEY_FORMAT};
    for (size_t i = 0; i < spec->option_count && count < LONG_OPTIONS_MAX - 1; i++)
        ret_options[count++] =
            (struct option){spec->options[i].name,
                            spec->options[i].argument != NULL ? required_argument : no_argument,
                            NULL, KEY_OWN + (int)i};
    ret_options[count] = (struct option){NULL, 0, NULL, 0};
}

static bool
add_assignment(CliLine *line, const char *before, const char *text, Error *err)
{
    char **grown =
        realloc(line->assignments, (line->assignment_count + 1) * sizeof(*line->assignments));
    if (grown == NULL)
        return error_out_of_memory(err);
    line->assignments = grown;
    const size_t size = strlen(before) + strlen(text) + 1;
    char *assignment = malloc(size);
    if (assignment == NULL)
        return error_out_of_memory(err);
    (void)snprintf(assignment, size, "%s%s", before, text);
    line->assignments[line->assignment_count++] = assignment;
    return true;
}

static bool
take_format(const CliSpec *spec, CliLine *line, const char *value, Error *err)
{
    if (spec->formats != NULL && words_index(spec->formats, value) >= 0) {
        line->format = value;
        return true;
    }
    return error_set(err, REASON_USAGE, "--format takes %s, not \"%s\"", spec->formats, value);
}

static bool
take_option(const CliSpec *spec, CliLine *line, int key, Error *err)
{
    switch (key) {
    case 'o':
        return add_assignment(line, "", optarg, err);
    case 'b':
        return add_assignment(line, "kafka.bootstrap.servers=", optarg, err);
    case 'X':
        return add_assignment(line, "kafka.", optarg, err);
    case 'v':
        line->verbose = true;
        return true;
    case KEY_CONFIG:
        line->config_path = optarg;
        return true;
    case KEY_FORMAT:
        return take_format(spec, line, optarg, err);
    default: /* not an enum of ours: getopt's characters */
        return spec->take(spec->state, (size_t)(key - KEY_OWN), optarg, err);
    }
}

static int
complain_of_option(const CliSpec *spec, int key, char **argv)
{
    const char *const given = argv[optind - 1];
    if (key == ':')
        return cli_fail_usage(spec->name, "%s needs a value", given);
    if (optopt > 0 && optopt < 256)
        return cli_fail_usage(spec->name, "there is no option -%c", optopt);
    return cli_fail_usage(spec->name, "there is no option %s", given);
}

bool
cli_parse(const CliSpec *spec, int argc, char **argv, CliLine *ret_line, int *ret_exit)
{
    struct option long_options[LONG_OPTIONS_MAX];
    fill_long_options(spec, long_options);
    *ret_line = (CliLine){0};
    opterr = 0;
    for (;;) {
        const int key = getopt_long(argc, argv, ":o:b:X:vh", long_options, NULL);
        Error err;
        if (key == -1)
            break;
        if (key == 'h') {
            print_help(spec);
            *ret_exit = CLI_DONE;
            return false;
        }
        if (key == '?' || key == ':') {
            *ret_exit = complain_of_option(spec, key, argv);
            return false;
        }
        if (!take_option(spec, ret_line, key, &err)) {
            *ret_exit = cli_fail_usage(spec->name, "%s", err.text);
            return false;
        }
    }
    ret_line->operands = argv + optind;
    ret_line->operand_count = (size_t)(argc - optind);
    if (spec->arguments[0] == '\0' && ret_line->operand_count > 0) {
        *ret_exit = cli_fail_usage(spec->name, "\"%s\" is one argument too many", argv[optind]);
        return false;
    }
    return true;
}

void
cli_line_done(CliLine *line)
{
    for (size_t i = 0; i < line->assignment_count; i++)
        free(line->assignments[i]);
    free(line->assignments);
    *line = (CliLine){0};
}

static void
warn_of_retired(void *state, const ConfigOption *option)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof(name), "%s.%s", option->section, option->key);
    log_warn("an option has no effect any more; take it out of the configuration",
             LOG_STR("option", name), LOG_STR("reason", option->help));
}

static void
log_passed_over(const ConfigPairs *variables)
{
    StrBuf names = {0};
    for (size_t i = 0; i < variables->count; i++)
        strbuf_add_format(&names, "%s%s", i > 0 ? " " : "", variables->names[i]);
    if (variables->count > 0)
        log_debug("Kubernetes' variables of services are passed over",
                  LOG_STR("variables", strbuf_text(&names)));
    strbuf_done(&names);
}

bool
cli_load_settings(const CliSpec *spec, const CliLine *line, Settings **ret_settings, int *ret_exit)
{
    const SettingsSources sources = {
        .config_path = line->config_path,
        .environment = environ,
        .assignments = (const char *const *)line->assignments,
        .assignment_count = line->assignment_count,
    };
    Error err;
    if (!settings_load(&sources, ret_settings, &err)) {
        *ret_exit = cli_fail_usage(spec->name, "%s", err.text);
        return false;
    }
    LogLevel level = (LogLevel)(*ret_settings)->log.level;
    if (line->verbose)
        level = LOG_DEBUG;
    else if (spec->log == CLI_LOG_TOOL && level < LOG_WARN)
        level = LOG_WARN;
    log_init(level, (LogFormat)(*ret_settings)->log.format);
    settings_each_retired(*ret_settings, warn_of_retired, NULL);
    log_passed_over(&(*ret_settings)->seen.passed_over);
    return true;
}

int
cli_run(const CliSpec *spec, int argc, char **argv)
{
    CLEANUP(cli_line_done) CliLine line;
    CLEANUP(settings_freep) Settings *settings = NULL;
    int exit_code = CLI_DONE;
    if (!cli_parse(spec, argc, argv, &line, &exit_code) ||
        !cli_load_settings(spec, &line, &settings, &exit_code))
        return exit_code;
    return spec->run(spec, &line, settings);
}

bool
cli_wants_json(const CliLine *line)
{
    return line->format != NULL && strcasecmp(line->format, "json") == 0;
}

int
cli_fail(const char *name, const Error *err)
{
    (void)fflush(stdout);
    if (err->reason == REASON_INTERRUPTED)
        return CLI_DONE;
    (void)fprintf(stderr, "cleanup-worker %s: %s\n", name, err->text);
    if (err->reason == REASON_KAFKA_CONFIG)
        return CLI_USAGE;
    /* PostgreSQL answered: an object is missing or unfit, or we lack a privilege. */
    const bool answered = err->scope == ERROR_SCOPE_TARGET;
    return err->kind == ERROR_HOLD && !answered ? CLI_UNREACHABLE : CLI_FAILED;
}

int
cli_fail_usage(const char *name, const char *format, ...)
{
    va_list arguments;
    (void)fflush(stdout);
    (void)fprintf(stderr, "cleanup-worker %s: ", name);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "\nTry `cleanup-worker %s --help`.\n", name);
    return CLI_USAGE;
}

bool
cli_read_duration(const char *text, int64_t *ret_ms)
{
    double ms = 0;
    if (text[0] == '-' || !number_read_duration(text, NUMBER_DAYS, &ms) || ms > DURATION_MAX_MS)
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

bool
cli_read_integer(const char *text, long min, long max, long *ret_number)
{
    char *end = NULL;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

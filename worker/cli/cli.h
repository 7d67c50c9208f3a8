/*
 * cli: what the subcommands share: their command line, exit codes and complaints.
 *
 * Owns:      a CliLine owns the assignments it collected.
 * Threads:   the main thread.
 * Invariant: people's output goes to stdout, complaints and the log to stderr.
 */
#ifndef WORKER_CLI_CLI_H
#define WORKER_CLI_CLI_H

#include "worker/options.h"

#include <stdio.h>

typedef enum CliExit {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,       /* wrong usage or configuration */
    CLI_UNREACHABLE = 3, /* Kafka or PostgreSQL cannot be reached, or refuses the login */
} CliExit;

/* A long option of one subcommand. */
typedef struct CliOption {
    const char *name;
    const char *argument; /* "ID"; NULL for a switch */
    const char *help;
} CliOption;

/* Takes the option at `index` of the subcommand's table; `value` is NULL for a switch. Fails with a
 * sentence. */
typedef bool (*CliTake)(void *state, size_t index, const char *value, Error *err);

typedef enum CliLog { CLI_LOG_SERVER, CLI_LOG_TOOL } CliLog;

typedef struct CliSpec CliSpec;
typedef struct CliLine CliLine;

/* What the subcommand does; returns the exit code. */
typedef int (*CliRun)(const CliSpec *spec, const CliLine *line, const Settings *settings);

struct CliSpec {
    const char *name;      /* of the subcommand */
    const char *arguments; /* "TASK [key=value…]"; "" = none */
    const char *about;     /* what --help says first */
    const char *formats;   /* what --format takes, "text|json"; NULL: there is no --format */
    const CliOption *options;
    size_t option_count;
    bool lists_settings; /* --help ends with the table of settings */
    CliTake take;
    CliLog log;
    CliRun run; /* NULL where cli_run is not used */
    void *state;
};

struct CliLine {
    const char *config_path;
    const char *format; /* one of the spec's words, or NULL */
    bool verbose;
    char **assignments; /* "section.key=value" */
    size_t assignment_count;
    char **operands; /* within argv */
    size_t operand_count;
};

/* The whole of a subcommand: reads the command line, loads the settings and runs it. */
int cli_run(const CliSpec *spec, int argc, char **argv) MUST_CHECK;

/* Reads the command line. False: *ret_exit is what to exit with; help or complaint has been
 * printed. End a CliLine with cli_line_done either way. */
bool cli_parse(const CliSpec *spec, int argc, char **argv, CliLine *ret_line,
               int *ret_exit) MUST_CHECK;
void cli_line_done(CliLine *line);

/* Loads the settings from file, environment and command line, and sets up the log: a server's as
 * the settings say, a tool's from WARN (DEBUG with --verbose). Each retired option that was given
 * is warned of, once. False: complained, *ret_exit is what to exit with. */
bool cli_load_settings(const CliSpec *spec, const CliLine *line, Settings **ret_settings,
                       int *ret_exit) MUST_CHECK;

/* Whether --format json was given. */
bool cli_wants_json(const CliLine *line);

/* Prints "cleanup-worker NAME: <text>" to stderr and returns the exit code that the error stands
 * for. Whoever interrupts the program knows why it ends: that is no failure. */
int cli_fail(const char *name, const Error *err);

/* A complaint about usage; returns CLI_USAGE. */
int cli_fail_usage(const char *name, const char *format, ...) PRINTF_LIKE(2, 3);

/* "10m", "60s", "250ms", "2h". */
bool cli_read_duration(const char *text, int64_t *ret_ms) MUST_CHECK;

/* A whole number from min to max. */
bool cli_read_integer(const char *text, long min, long max, long *ret_number) MUST_CHECK;

#endif

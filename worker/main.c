/* The table of subcommands; each lives in a file of its own in worker/cli. */
#include "worker/cli/commands.h"

#include "worker/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct Subcommand {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
} Subcommand;

static const Subcommand subcommands[] = {
    {"run", "execute commands until SIGTERM", command_run},
    {"check", "say what is amiss in configuration, Kafka and database, and what mends it",
     command_check},
    {"migrate", "create or upgrade the worker's own schema", command_migrate},
    {"send", "put a command on the topic, and wait for its result if you like", command_send},
    {"watch", "follow the results", command_watch},
    {"options", "print every option, as a sample file or as a table", command_options},
    {"dev-broker", "an in-memory broker for trying things out; not for production",
     command_dev_broker},
};

static int
usage(FILE *out, int exit_code)
{
    (void)fputs("Usage: cleanup-worker COMMAND [options]\n\nCommands:\n", out);
    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++)
        (void)fprintf(out, "  %-12s %s\n", subcommands[i].name, subcommands[i].help);
    (void)fputs("\n`cleanup-worker COMMAND --help` says more; `cleanup-worker --version`.\n", out);
    return exit_code;
}

/* A supervisor may have closed them. The first sockets would get their numbers then, and lines of
 * the log would go to a server. */
static bool
fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

/* What could not be printed was not done: the disk is full, say. */
static int
finish(int exit_code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return exit_code;
    (void)fprintf(stderr, "cleanup-worker: the output could not be written\n");
    return exit_code == CLI_DONE ? CLI_FAILED : exit_code;
}

static int
run_command(int argc, char **argv)
{
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return usage(stdout, CLI_DONE);
    if (strcmp(name, "--version") == 0) {
        (void)puts("cleanup-worker " CLEANUP_WORKER_VERSION);
        return CLI_DONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++) {
        if (strcmp(name, subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "cleanup-worker: there is no command \"%s\"\n", name);
    return usage(stderr, CLI_USAGE);
}

int
main(int argc, char **argv)
{
    if (!fill_standard_streams())
        return CLI_FAILED;
    return argc < 2 ? usage(stderr, CLI_USAGE) : finish(run_command(argc, argv));
}

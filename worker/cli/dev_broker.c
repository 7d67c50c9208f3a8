#include "common/kafka/dev_broker.h"

#include "worker/cli/cli.h"
#include "worker/cli/commands.h"
#include "worker/cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

typedef struct Arguments {
    long partitions;
    const char *bootstrap_file;
} Arguments;

enum { OPTION_PARTITIONS, OPTION_BOOTSTRAP_FILE };

static const CliOption options[] = {
    [OPTION_PARTITIONS] = {"partitions", "N", "partitions of each topic (6)"},
    [OPTION_BOOTSTRAP_FILE] = {"bootstrap-file", "FILE",
                               "write the address there too, once it serves"},
};

static bool
take(void *state, size_t index, const char *value, Error *err)
{
    Arguments *arguments = state;
    if (index == OPTION_BOOTSTRAP_FILE) {
        arguments->bootstrap_file = value;
        return true;
    }
    return cli_read_integer(value, 1, 100, &arguments->partitions) ||
           error_set(err, REASON_USAGE, "--partitions takes 1 to 100, not \"%s\"", value);
}

/* Written under another name first, so that who waits for the file never reads half of it. */
static bool
write_address(const char *path, const char *address, Error *err)
{
    const size_t size = strlen(path) + sizeof(".new");
    CLEANUP(autofree) char *draft = malloc(size);
    if (draft == NULL)
        return error_out_of_memory(err);
    (void)snprintf(draft, size, "%s.new", path);
    FILE *file = fopen(draft, "w");
    bool written = file != NULL && fprintf(file, "%s\n", address) > 0;
    if (file != NULL)
        written = fclose(file) == 0 && written;
    if (!written || rename(draft, path) != 0)
        return error_set(err, REASON_FILE, "write %s: %s", path, strerror(errno));
    return true;
}

static bool
serve(const Settings *settings, const Arguments *arguments, Error *err)
{
    const char *const topics[] = {settings->topics.commands, settings->topics.results,
                                  settings->topics.dead_letters};
    CLEANUP(dev_broker_stopp) DevBroker *broker = NULL;
    const int signal_fd = signals_open(err);
    if (signal_fd < 0)
        return false;
    const bool started =
        dev_broker_start((int)arguments->partitions, topics, ARRAY_LEN(topics), &broker, err) &&
        (arguments->bootstrap_file == NULL ||
         write_address(arguments->bootstrap_file, dev_broker_bootstraps(broker), err));
    if (started) {
        (void)printf("An in-memory broker for trying things out, not for production.\n"
                     "bootstrap servers: %s\n",
                     dev_broker_bootstraps(broker));
        (void)fflush(stdout);
        struct pollfd signalled = {.fd = signal_fd, .events = POLLIN, .revents = 0};
        while (poll(&signalled, 1, -1) < 0 && errno == EINTR) {
        }
    }
    (void)close(signal_fd);
    return started;
}

int
command_dev_broker(int argc, char **argv)
{
    Arguments arguments = {.partitions = 6, .bootstrap_file = NULL};
    const CliSpec spec = {
        .name = "dev-broker",
        .arguments = "",
        .about = "Serves an in-memory broker on loopback until SIGTERM or SIGINT. Not for "
                 "production: nothing it\n"
                 "holds survives.",
        .options = options,
        .option_count = ARRAY_LEN(options),
        .take = take,
        .state = &arguments,
    };
    CLEANUP(cli_line_done) CliLine line;
    CLEANUP(settings_freep) Settings *settings = NULL;
    int exit_code = CLI_DONE;
    Error err;
    if (!cli_parse(&spec, argc, argv, &line, &exit_code) ||
        !cli_load_settings(&spec, &line, CLI_LOG_TOOL, &settings, &exit_code))
        return exit_code;
    return serve(settings, &arguments, &err) ? CLI_DONE : cli_fail(spec.name, &err);
}

#include "worker/cli/cli.h"
#include "worker/cli/client_settings.h"
#include "worker/cli/commands.h"
#include "worker/cli/migrate_topics.h"
#include "worker/repository/schema_repository.h"

typedef struct MigrateArguments {
    bool topics;
    long partitions;
} MigrateArguments;

enum {
    OPTION_TOPICS,
    OPTION_PARTITIONS,
};

static const CliOption options[] = {
    [OPTION_TOPICS] = {"topics", NULL, "also make the topics that are missing"},
    [OPTION_PARTITIONS] = {"partitions", "N", "of topics that are made (6)"},
};

static bool
take(void *state, size_t index, const char *value, Error *err)
{
    MigrateArguments *arguments = state;
    if (index == OPTION_TOPICS) {
        arguments->topics = true;
        return true;
    }
    return cli_read_integer(value, 1, MIGRATE_PARTITIONS_MAX, &arguments->partitions) ||
           error_set(err, REASON_USAGE, "--partitions takes a number from 1 to %d, not \"%s\"",
                     MIGRATE_PARTITIONS_MAX, value);
}

static bool
migrate_schema(const Settings *settings, Error *err)
{
    DatabaseSettings database_settings;
    client_settings_database(settings, &database_settings);
    CLEANUP(database_freep)
    Database *database = database_new(&database_settings, clock_system());
    int before = 0;
    int after = 0;
    if (database == NULL)
        return error_out_of_memory(err);
    if (!schema_migrate(database, &before, &after, err))
        return false;
    if (before == after)
        (void)printf("schema cleanup_worker is at version %d already\n", after);
    else
        (void)printf("schema cleanup_worker: version %d -> %d\n", before, after);
    return true;
}

static int
migrate(const CliSpec *spec, const CliLine *line, const Settings *settings)
{
    const MigrateArguments *arguments = spec->state;
    Error err;
    (void)line;
    if (!settings_need_database(settings, &err))
        return cli_fail_usage(spec->name, "%s", err.text);
    if (!migrate_schema(settings, &err) ||
        (arguments->topics && !migrate_topics(settings, (int)arguments->partitions, &err)))
        return cli_fail(spec->name, &err);
    return CLI_DONE;
}

int
command_migrate(int argc, char **argv)
{
    MigrateArguments arguments = {.partitions = MIGRATE_PARTITIONS};
    const CliSpec spec = {
        .name = "migrate",
        .arguments = "",
        .about = "Creates the worker's own schema cleanup_worker, or upgrades it to this version. "
                 "Safe to run twice.",
        .options = options,
        .option_count = ARRAY_LEN(options),
        .take = take,
        .state = &arguments,
        .log = CLI_LOG_TOOL,
        .run = migrate,
    };
    return cli_run(&spec, argc, argv);
}

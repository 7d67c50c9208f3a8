#include "worker/cli/cli.h"
#include "worker/cli/client_settings.h"
#include "worker/cli/commands.h"
#include "worker/repository/schema_repository.h"

static int
migrate(const CliSpec *spec, const CliLine *line, const Settings *settings)
{
    (void)line;
    DatabaseSettings database_settings;
    client_settings_database(settings, &database_settings);
    CLEANUP(database_freep)
    Database *database = database_new(&database_settings, clock_system());
    int before = 0;
    int after = 0;
    Error err;
    if (database == NULL) {
        (void)error_out_of_memory(&err);
        return cli_fail(spec->name, &err);
    }
    if (!schema_migrate(database, &before, &after, &err))
        return cli_fail(spec->name, &err);
    if (before == after)
        (void)printf("schema cleanup_worker is at version %d already\n", after);
    else
        (void)printf("schema cleanup_worker: version %d -> %d\n", before, after);
    return CLI_DONE;
}

static const CliSpec spec = {
    .name = "migrate",
    .arguments = "",
    .about = "Creates the worker's own schema cleanup_worker, or upgrades it to this version. Safe "
             "to run twice.",
    .log = CLI_LOG_TOOL,
    .run = migrate,
};

int
command_migrate(int argc, char **argv)
{
    return cli_run(&spec, argc, argv);
}

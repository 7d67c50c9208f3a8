#include "worker/cli/cli.h"
#include "worker/cli/client_settings.h"
#include "worker/cli/commands.h"
#include "worker/cli/migrate_database.h"
#include "worker/cli/migrate_topics.h"
#include "worker/repository/schema_repository.h"

typedef struct MigrateArguments {
    bool app_indexes;
    const char *grant_to; /* NULL: nobody */
    bool topics;
    long partitions;
} MigrateArguments;

enum {
    OPTION_APP_INDEXES,
    OPTION_GRANT_TO,
    OPTION_TOPICS,
    OPTION_PARTITIONS,
};

static bool
take(void *state, size_t index, const char *value, Error *err)
{
    MigrateArguments *arguments = state;
    switch (index) {
    case OPTION_APP_INDEXES:
        arguments->app_indexes = true;
        return true;
    case OPTION_GRANT_TO:
        arguments->grant_to = value;
        return true;
    case OPTION_TOPICS:
        arguments->topics = true;
        return true;
    default:
        break;
    }
    return cli_read_integer(value, 1, MIGRATE_PARTITIONS_MAX, &arguments->partitions) ||
           error_set(err, REASON_USAGE, "--partitions takes a number from 1 to %d, not \"%s\"",
                     MIGRATE_PARTITIONS_MAX, value);
}

static bool
migrate_schema(Database *database, Error *err)
{
    int before = 0;
    int after = 0;
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
    CLEANUP(findings_done) Findings left = {0};
    const MigrateArguments *arguments = spec->state;
    DatabaseSettings database_settings;
    Error err = {0};
    (void)line;
    if (!settings_need_database(settings, &err))
        return cli_fail_usage(spec->name, "%s", err.text);
    client_settings_database(settings, &database_settings);
    database_settings.prepared_statements = false; /* each is executed once */
    CLEANUP(database_freep)
    Database *database = database_new(&database_settings, clock_system());
    if (database == NULL) {
        (void)error_out_of_memory(&err);
        return cli_fail(spec->name, &err);
    }
    if (!migrate_schema(database, &err) ||
        (arguments->grant_to != NULL &&
         !migrate_grant(database, arguments->grant_to, &left, &err)) ||
        (arguments->app_indexes && !migrate_indexes(database, &left, &err)) ||
        (arguments->topics && !migrate_topics(settings, (int)arguments->partitions, &err)))
        return cli_fail(spec->name, &err);
    if (left.count == 0)
        return CLI_DONE;
    (void)fprintf(stderr, "cleanup-worker %s: still missing:\n", spec->name);
    findings_print(&left, FINDING_OK, stderr);
    return CLI_FAILED;
}

int
command_migrate(int argc, char **argv)
{
    static const CliOption options[] = {
        [OPTION_APP_INDEXES] = {"app-indexes", NULL,
                                "create the application's missing indexes, too, concurrently"},
        [OPTION_GRANT_TO] = {"grant-to", "ROLE", "give this role what a worker needs, too"},
        [OPTION_TOPICS] = {"topics", NULL, "make the topics that are missing, too"},
        [OPTION_PARTITIONS] = {"partitions", "N", "how many each topic that is made gets (6)"},
    };
    MigrateArguments arguments = {.partitions = MIGRATE_PARTITIONS};
    const CliSpec spec = {
        .name = "migrate",
        .arguments = "",
        .about = "Creates the worker's own schema cleanup_worker, or upgrades it to this version.\n"
                 "Safe to run twice.",
        .options = options,
        .option_count = ARRAY_LEN(options),
        .take = take,
        .log = CLI_LOG_TOOL,
        .run = migrate,
        .state = &arguments,
    };
    return cli_run(&spec, argc, argv);
}

#include "worker/check/check.h"
#include "worker/cli/cli.h"
#include "worker/cli/client_settings.h"
#include "worker/cli/commands.h"

#include <string.h>

typedef struct CheckArguments {
    bool has_level;
    FindingLevel level; /* the only one to print */
} CheckArguments;

static bool
take(void *state, size_t index, const char *value, Error *err)
{
    static const FindingLevel levels[] = {FINDING_OK, FINDING_WARN, FINDING_FAIL};
    CheckArguments *arguments = state;
    (void)index;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (strcmp(value, finding_level_name(levels[i])) == 0) {
            arguments->has_level = true;
            arguments->level = levels[i];
            return true;
        }
    }
    return error_set(err, REASON_USAGE, "--only takes OK, WARN or FAIL, not \"%s\"", value);
}

/* Copies those that are to be printed. */
static bool
select_findings(const Findings *all, const CheckArguments *arguments, Findings *ret_some,
                Error *err)
{
    for (size_t i = 0; i < all->count; i++) {
        if ((!arguments->has_level || all->list[i].level == arguments->level) &&
            !findings_add(ret_some, &all->list[i], err))
            return false;
    }
    return true;
}

static void
print_sum(const Findings *all)
{
    const size_t warnings = findings_count(all, FINDING_WARN);
    const size_t unknown = findings_count(all, FINDING_UNKNOWN);
    (void)printf("\n%zu must be mended before run starts, %zu warning%s, %zu fine",
                 findings_count(all, FINDING_FAIL), warnings, warnings == 1 ? "" : "s",
                 findings_count(all, FINDING_OK));
    if (unknown > 0)
        (void)printf(", %zu not looked at", unknown);
    (void)puts(".\nNothing was changed.");
}

static int
check(const CliSpec *spec, const CliLine *line, const Settings *settings)
{
    CLEANUP(findings_done) Findings all = {0};
    CLEANUP(findings_done) Findings some = {0};
    DatabaseSettings database;
    KafkaSettings kafka;
    Error err = {0};
    client_settings_database(settings, &database);
    database.prepared_statements = false; /* each is executed once */
    client_settings_kafka(settings, &kafka);
    CheckContext context = {.settings = settings, .database = &database, .kafka = &kafka};
    if (!check_walk_all(&context, &all, &err) || !select_findings(&all, spec->state, &some, &err))
        return cli_fail(spec->name, &err);
    if (!cli_wants_json(line)) {
        findings_print(&some, FINDING_OK, stdout);
        print_sum(&all);
    } else if (!findings_print_json(&some, FINDING_OK, stdout)) {
        (void)error_out_of_memory(&err);
        return cli_fail(spec->name, &err);
    }
    if (findings_count(&all, FINDING_FAIL) == 0)
        return CLI_DONE;
    return context.unreachable ? CLI_UNREACHABLE : CLI_FAILED;
}

int
command_check(int argc, char **argv)
{
    static const CliOption options[] = {
        {"only", "OK|WARN|FAIL", "print findings of this level alone"},
    };
    CheckArguments arguments = {0};
    const CliSpec spec = {
        .name = "check",
        .arguments = "",
        .about = "Looks at configuration, Kafka and PostgreSQL as `run` does at its start. Says\n"
                 "of each thing whether it is fine, and else what is amiss and the statement that\n"
                 "mends it. Changes nothing.\n"
                 "\n"
                 "OK: fine. WARN: works, with the consequence that is named. FAIL: must be mended\n"
                 "before `run` starts. ?: could not be looked at.\n"
                 "\n"
                 "Ends with 0 when there is no FAIL, else with 1, or with 3 when Kafka or\n"
                 "PostgreSQL cannot be reached.",
        .formats = "text|json",
        .options = options,
        .option_count = ARRAY_LEN(options),
        .take = take,
        .log = CLI_LOG_TOOL,
        .run = check,
        .state = &arguments,
    };
    return cli_run(&spec, argc, argv);
}

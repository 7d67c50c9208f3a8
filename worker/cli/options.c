#include "worker/cli/cli.h"
#include "worker/cli/commands.h"

#include <strings.h>

static const CliSpec spec = {
    .name = "options",
    .arguments = "",
    .about = "Prints every option: as text, as a commented INI file, or as a Markdown table.",
    .formats = "text|ini|markdown",
};

int
command_options(int argc, char **argv)
{
    CLEANUP(cli_line_done) CliLine line;
    int exit_code = CLI_DONE;
    if (!cli_parse(&spec, argc, argv, &line, &exit_code))
        return exit_code;
    const char *format = line.format != NULL ? line.format : "text";
    if (strcasecmp(format, "ini") == 0)
        settings_print_sample(stdout);
    else if (strcasecmp(format, "markdown") == 0)
        settings_print_table(stdout);
    else
        settings_print_help(stdout);
    return CLI_DONE;
}

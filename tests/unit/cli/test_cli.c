#include "worker/cli/cli.h"

#include "common/log.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORDS_MAX = 20 };

typedef struct Taken {
    size_t count;
    size_t indices[WORDS_MAX];
    const char *values[WORDS_MAX];
} Taken;

static const CliOption own_options[] = {
    {"id", "ID", "an id"},
    {"wait", NULL, "a switch"},
    {"never", NULL, "is refused"},
};

static bool
take(void *state, size_t index, const char *value, Error *err)
{
    Taken *taken = state;
    if (index == 2)
        return error_set(err, REASON_USAGE, "never takes nothing");
    taken->indices[taken->count] = index;
    taken->values[taken->count++] = value;
    return true;
}

static CliSpec
spec_of(Taken *taken)
{
    return (CliSpec){
        .name = "try",
        .arguments = "WORD…",
        .about = "Tries.",
        .formats = "text|json",
        .options = own_options,
        .option_count = ARRAY_LEN(own_options),
        .take = take,
        .state = taken,
    };
}

static int saved_streams[2];
static FILE *captured[2];
static char texts[2][20000];

static void
begin_capture(void)
{
    for (int i = 0; i < 2; i++) {
        captured[i] = tmpfile();
        assert_non_null(captured[i]);
        (void)fflush(NULL);
        saved_streams[i] = dup(i + 1);
        assert_true(dup2(fileno(captured[i]), i + 1) >= 0);
    }
}

/* Afterwards texts[0] is what went to stdout, texts[1] to stderr. */
static void
end_capture(void)
{
    (void)fflush(NULL);
    for (int i = 0; i < 2; i++) {
        assert_true(dup2(saved_streams[i], i + 1) >= 0);
        (void)close(saved_streams[i]);
        rewind(captured[i]);
        texts[i][fread(texts[i], 1, sizeof(texts[i]) - 1, captured[i])] = '\0';
        (void)fclose(captured[i]);
    }
}

static void
assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in %s", part, text);
}

/* Parses `line`, which is split at blanks and lives as long as what comes out. */
static bool
parse(const CliSpec *spec, char *line, CliLine *ret_line, int *ret_exit)
{
    static char *argv[WORDS_MAX + 2];
    static char name[] = "try";
    int argc = 0;
    char *rest = line;
    argv[argc++] = name;
    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(argc <= WORDS_MAX);
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    optind = 0; /* getopt begins anew */
    begin_capture();
    const bool parsed = cli_parse(spec, argc, argv, ret_line, ret_exit);
    end_capture();
    return parsed;
}

static void
test_parse_common_arguments_become_assignments_in_order(void **state)
{
    (void)state;
    Taken taken = {0};
    const CliSpec spec = spec_of(&taken);
    CLEANUP(cli_line_done) CliLine line;
    int code = -1;
    char words[] = "-o a.b=1 -b host:1 -X linger.ms=5 --config f.ini -v --format json -o a.b=2";
    assert_true(parse(&spec, words, &line, &code));
    assert_int_equal(line.assignment_count, 4);
    assert_string_equal(line.assignments[0], "a.b=1");
    assert_string_equal(line.assignments[1], "kafka.bootstrap.servers=host:1");
    assert_string_equal(line.assignments[2], "kafka.linger.ms=5");
    assert_string_equal(line.assignments[3], "a.b=2");
    assert_string_equal(line.config_path, "f.ini");
    assert_string_equal(line.format, "json");
    assert_true(line.verbose);
    assert_int_equal(line.operand_count, 0);
    assert_int_equal(taken.count, 0);
}

static void
test_parse_own_options_go_to_the_subcommand(void **state)
{
    (void)state;
    Taken taken = {0};
    const CliSpec spec = spec_of(&taken);
    CLEANUP(cli_line_done) CliLine line;
    int code = -1;
    char words[] = "one --id x --wait two --id=y";
    assert_true(parse(&spec, words, &line, &code));
    assert_int_equal(taken.count, 3);
    assert_int_equal(taken.indices[0], 0);
    assert_string_equal(taken.values[0], "x");
    assert_int_equal(taken.indices[1], 1);
    assert_null(taken.values[1]);
    assert_string_equal(taken.values[2], "y");
    assert_int_equal(line.operand_count, 2);
    assert_string_equal(line.operands[0], "one");
    assert_string_equal(line.operands[1], "two");
    assert_null(line.format);
    assert_null(line.config_path);
    assert_false(line.verbose);
}

static void
assert_usage(const CliSpec *spec, const char *words, const char *complaint)
{
    char copy[100];
    CLEANUP(cli_line_done) CliLine line;
    int code = -1;
    (void)snprintf(copy, sizeof(copy), "%s", words);
    assert_false(parse(spec, copy, &line, &code));
    assert_int_equal(code, CLI_USAGE);
    assert_says(texts[1], "cleanup-worker try: ");
    assert_says(texts[1], complaint);
    assert_says(texts[1], "Try `cleanup-worker try --help`.\n");
    assert_string_equal(texts[0], "");
}

static void
test_parse_faulty_line_complains_and_is_wrong_usage(void **state)
{
    (void)state;
    Taken taken = {0};
    CliSpec spec = spec_of(&taken);
    assert_usage(&spec, "--nonsense", "there is no option --nonsense");
    assert_usage(&spec, "-q", "there is no option -q");
    assert_usage(&spec, "--id", "--id needs a value");
    assert_usage(&spec, "-o", "-o needs a value");
    assert_usage(&spec, "--format yaml", "--format takes text|json, not \"yaml\"");
    assert_usage(&spec, "--never", "never takes nothing");
    spec.arguments = "";
    assert_usage(&spec, "one", "\"one\" is one argument too many");
    spec.formats = NULL;
    assert_usage(&spec, "--format json", "there is no option --format");
}

static void
test_parse_help_prints_to_stdout_and_is_done(void **state)
{
    (void)state;
    Taken taken = {0};
    CliSpec spec = spec_of(&taken);
    CLEANUP(cli_line_done) CliLine line;
    int code = -1;
    char words[] = "--help --nonsense";
    assert_false(parse(&spec, words, &line, &code));
    assert_int_equal(code, CLI_DONE);
    assert_string_equal(texts[1], "");
    static const char *const parts[] = {"Usage: cleanup-worker try [options] WORD…\n",
                                        "Tries.",
                                        "--id ID",
                                        "--wait",
                                        "--format text|json",
                                        "-o section.key"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        assert_says(texts[0], parts[i]);
    assert_null(strstr(texts[0], "[kafka]"));
    spec.lists_settings = true;
    char again[] = "-h";
    cli_line_done(&line);
    assert_false(parse(&spec, again, &line, &code));
    assert_says(texts[0], "[kafka]");
}

static int
fail_with(const Error *err)
{
    begin_capture();
    const int code = cli_fail("try", err);
    end_capture();
    return code;
}

static void
test_fail_every_kind_of_error_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        ErrorReason reason;
        int exit_code;
    } cases[] = {
        {REASON_TOPIC_MISSING, CLI_FAILED},
        {REASON_NO_RESULT, CLI_FAILED},
        {REASON_OUT_OF_MEMORY, CLI_FAILED},
        {REASON_SCHEMA_UNFIT, CLI_FAILED},
        {REASON_CONNECTION_LOST, CLI_UNREACHABLE},
        {REASON_LOGIN_REFUSED, CLI_UNREACHABLE},
        {REASON_KAFKA_UNREACHABLE, CLI_UNREACHABLE},
        {REASON_KAFKA_REFUSED, CLI_UNREACHABLE},
        {REASON_OBJECT_MISSING, CLI_FAILED},
        {REASON_PRIVILEGE_MISSING, CLI_FAILED},
        {REASON_KAFKA_CONFIG, CLI_USAGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Error err = {0};
        (void)error_set(&err, cases[i].reason, "it broke");
        (void)error_wrap(&err, "do this");
        assert_int_equal(fail_with(&err), cases[i].exit_code);
        assert_string_equal(texts[1], "cleanup-worker try: do this: it broke\n");
        assert_string_equal(texts[0], "");
    }
}

static bool
load(const char *assignment, CliLog log, bool verbose, Settings **ret_settings, int *ret_exit)
{
    char text[100];
    char *assignments[] = {text};
    Taken taken = {0};
    CliSpec spec = spec_of(&taken);
    spec.log = log;
    const CliLine line = {.assignments = assignments, .assignment_count = 1, .verbose = verbose};
    (void)snprintf(text, sizeof(text), "%s", assignment);
    begin_capture();
    const bool loaded = cli_load_settings(&spec, &line, ret_settings, ret_exit);
    end_capture();
    return loaded;
}

static void
test_load_settings_faulty_option_is_wrong_usage(void **state)
{
    (void)state;
    Settings *settings = NULL;
    int code = -1;
    assert_false(load("worker.executors=0", CLI_LOG_TOOL, false, &settings, &code));
    assert_int_equal(code, CLI_USAGE);
    assert_null(settings);
    assert_says(texts[1], "cleanup-worker try: command line: worker.executors is \"0\"");
}

static void
test_load_settings_level_depends_on_who_logs(void **state)
{
    (void)state;
    static const struct {
        const char *assignment;
        CliLog log;
        bool verbose;
        LogLevel least;
    } cases[] = {
        {"log.level=info", CLI_LOG_SERVER, false, LOG_INFO},
        {"log.level=info", CLI_LOG_TOOL, false, LOG_WARN},
        {"log.level=error", CLI_LOG_TOOL, false, LOG_ERROR},
        {"log.level=error", CLI_LOG_TOOL, true, LOG_DEBUG},
        {"log.level=error", CLI_LOG_SERVER, true, LOG_DEBUG},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(settings_freep) Settings *settings = NULL;
        int code = -1;
        assert_true(load(cases[i].assignment, cases[i].log, cases[i].verbose, &settings, &code));
        assert_true(log_enabled(cases[i].least));
        assert_true(cases[i].least == LOG_DEBUG || !log_enabled(cases[i].least - 1));
        assert_string_equal(texts[1], "");
    }
}

static void
test_load_settings_retired_option_warns_once(void **state)
{
    (void)state;
    CLEANUP(settings_freep) Settings *settings = NULL;
    int code = -1;
    assert_true(load("tables.properties=x", CLI_LOG_TOOL, false, &settings, &code));
    const char *warning = strstr(texts[1], "option=tables.properties");
    assert_non_null(warning);
    assert_says(texts[1], "level=warn");
    assert_null(strstr(warning + strlen("option=tables"), "tables.properties"));
}

static void
test_read_duration_takes_units_up_to_days(void **state)
{
    (void)state;
    int64_t ms = -1;
    assert_true(cli_read_duration("250ms", &ms) && ms == 250);
    assert_true(cli_read_duration("1.5s", &ms) && ms == 1500);
    assert_true(cli_read_duration("0s", &ms) && ms == 0);
    assert_true(cli_read_duration("2d", &ms) && ms == INT64_C(172800000));
    assert_true(cli_read_duration("11574d", &ms));
    ms = -1;
    static const char *const bad[] = {"", "10", "s", "-1s", "-0s", "1w", "1 s", "11575d", "1e400d"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(cli_read_duration(bad[i], &ms));
    assert_int_equal(ms, -1);
}

static void
test_read_integer_takes_the_range_alone(void **state)
{
    (void)state;
    long number = -1;
    assert_true(cli_read_integer("1", 1, 100, &number) && number == 1);
    assert_true(cli_read_integer("100", 1, 100, &number) && number == 100);
    number = -1;
    static const char *const bad[] = {"",   "0",  "101", "1.5",
                                      "1x", "x1", "1 0", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(cli_read_integer(bad[i], 1, 100, &number));
    assert_int_equal(number, -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_common_arguments_become_assignments_in_order),
        cmocka_unit_test(test_parse_own_options_go_to_the_subcommand),
        cmocka_unit_test(test_parse_faulty_line_complains_and_is_wrong_usage),
        cmocka_unit_test(test_parse_help_prints_to_stdout_and_is_done),
        cmocka_unit_test(test_fail_every_kind_of_error_has_its_exit_code),
        cmocka_unit_test(test_load_settings_faulty_option_is_wrong_usage),
        cmocka_unit_test(test_load_settings_level_depends_on_who_logs),
        cmocka_unit_test(test_load_settings_retired_option_warns_once),
        cmocka_unit_test(test_read_duration_takes_units_up_to_days),
        cmocka_unit_test(test_read_integer_takes_the_range_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

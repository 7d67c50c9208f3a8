#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Values {
    char *name;
    char *token;
    char *code;
    int count;
    double share;
    bool on;
    bool old;
    int pause_ms;
    int colour;
    ConfigPairs pairs;
} Values;

static const ConfigOption options[] = {
    {"main", "name", CONFIG_STRING, offsetof(Values, name), 1, 20, "n", NULL, false, "a name"},
    {"main", "token", CONFIG_STRING, offsetof(Values, token), 0, 10, "", NULL, true, "a secret"},
    {"main", "code", CONFIG_STRING, offsetof(Values, code), 0, 9, "", "a-f.-", false, "a code"},
    {"main", "count", CONFIG_INTEGER, offsetof(Values, count), -5, 64, "2", NULL, false, "a count"},
    {"main", "share", CONFIG_REAL, offsetof(Values, share), 0, 1000, "0.5", NULL, false, "part"},
    {"main", "on", CONFIG_BOOLEAN, offsetof(Values, on), 0, 0, "true", NULL, false, "switch"},
    {"time", "pause", CONFIG_DURATION, offsetof(Values, pause_ms), 10, 7200000, "25s", NULL, false,
     "a pause"},
    {"time", "colour", CONFIG_ENUM, offsetof(Values, colour), 0, 0, "red", "red|green|blue", false,
     "a colour | or hue"},
    {"main", "old", CONFIG_RETIRED, offsetof(Values, old), 0, 0, NULL, NULL, false, "it is gone"},
    {"open", "known.one", CONFIG_STRING, offsetof(Values, name), 1, 20, "n", NULL, false, "known"},
};

typedef struct Fixture {
    Values values;
    Config config;
    Error err;
    char path[32];
} Fixture;

static bool
check(const char *name, const char *value, Error *err)
{
    (void)value;
    return strcmp(name, "bad.one") != 0 ||
           error_set(err, REASON_CONFIG, "cannot be set: it would break");
}

static int
setup(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL)
        return -1;
    fixture->config = (Config){
        .options = options,
        .option_count = ARRAY_LEN(options) - 1, /* known.one: only where a test adds it */
        .values = &fixture->values,
        .pass = {"open", &fixture->values.pairs, check},
        .environment_prefix = "APP_",
        .environment_reserved = "APP_TEST_",
    };
    (void)snprintf(fixture->path, sizeof(fixture->path), "/tmp/test_config-XXXXXX");
    const int file = mkstemp(fixture->path);
    if (file < 0 || !config_set_defaults(&fixture->config, &fixture->err))
        return -1;
    (void)close(file);
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *fixture = *state;
    (void)unlink(fixture->path);
    config_done(&fixture->config);
    const bool clean = fixture->values.name == NULL && fixture->values.pairs.names == NULL;
    free(fixture);
    return clean ? 0 : -1;
}

static void
assert_says(const Fixture *fixture, const char *part)
{
    assert_int_equal(fixture->err.kind, ERROR_REJECT);
    if (strstr(fixture->err.text, part) == NULL)
        fail_msg("“%s” does not say “%s”", fixture->err.text, part);
}

static void
assert_set(Fixture *fixture, const char *section, const char *key, const char *value)
{
    if (!config_set(&fixture->config, section, key, value, "test", &fixture->err))
        fail_msg("%s", fixture->err.text);
}

static void
assert_refused(Fixture *fixture, const char *key, const char *value)
{
    const char *section = strcmp(key, "pause") == 0 || strcmp(key, "colour") == 0 ? "time" : "main";
    if (config_set(&fixture->config, section, key, value, "test", &fixture->err))
        fail_msg("%s.%s took “%s”", section, key, value);
    assert_says(fixture, key);
    assert_says(fixture, "takes");
}

static void
write_file(Fixture *fixture, const char *bytes, size_t size)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void
assert_file_read(Fixture *fixture, const char *text)
{
    write_file(fixture, text, strlen(text));
    if (!config_read_file(&fixture->config, fixture->path, &fixture->err))
        fail_msg("%s", fixture->err.text);
}

static void
assert_file_refused(Fixture *fixture, const char *text, const char *part)
{
    write_file(fixture, text, strlen(text));
    assert_false(config_read_file(&fixture->config, fixture->path, &fixture->err));
    assert_says(fixture, fixture->path);
    assert_says(fixture, part);
}

static void
test_defaults_every_type_is_set(void **state)
{
    const Fixture *fixture = *state;
    assert_string_equal(fixture->values.name, "n");
    assert_string_equal(fixture->values.token, "");
    assert_int_equal(fixture->values.count, 2);
    assert_true(fixture->values.share == 0.5);
    assert_true(fixture->values.on);
    assert_int_equal(fixture->values.pause_ms, 25000);
    assert_int_equal(fixture->values.colour, 0);
}

static void
test_set_valid_values_are_taken(void **state)
{
    Fixture *fixture = *state;
    assert_set(fixture, "main", "count", "-5");
    assert_int_equal(fixture->values.count, -5);
    assert_set(fixture, "main", "count", "64");
    assert_int_equal(fixture->values.count, 64);
    assert_set(fixture, "main", "share", "12.25");
    assert_true(fixture->values.share == 12.25);
    assert_set(fixture, "main", "on", "no");
    assert_false(fixture->values.on);
    assert_set(fixture, "main", "on", "1");
    assert_true(fixture->values.on);
    assert_set(fixture, "main", "code", "fade-a.b");
    assert_string_equal(fixture->values.code, "fade-a.b");
    assert_set(fixture, "time", "colour", "blue");
    assert_int_equal(fixture->values.colour, 2);
    assert_set(fixture, "time", "colour", "GReen");
    assert_int_equal(fixture->values.colour, 1);
    assert_set(fixture, "main", "on", "OFF");
    assert_false(fixture->values.on);
    assert_set(fixture, "time", "colour", "BLUE");
    assert_int_equal(fixture->values.colour, 2);
}

static void
test_set_durations_become_milliseconds(void **state)
{
    Fixture *fixture = *state;
    static const struct {
        const char *text;
        int ms;
    } cases[] = {
        {"10ms", 10}, {"25s", 25000}, {"3m", 180000}, {"2h", 7200000}, {"1.5s", 1500},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_set(fixture, "time", "pause", cases[i].text);
        assert_int_equal(fixture->values.pause_ms, cases[i].ms);
    }
}

static void
test_set_faulty_values_are_refused_and_change_nothing(void **state)
{
    Fixture *fixture = *state;
    static const char *const counts[] = {
        "",   "-6", "65",    "2.5", "two", "0x10", "1e1",   "1 ",
        " 1", "+1", "1.2.3", "--1", "inf", "nan",  "1e999", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        assert_refused(fixture, "count", counts[i]);
    static const char *const pauses[] = {"",   "25",  "9ms", "3h",   "25 s",  "s",
                                         "1d", "-1s", "1S",  "0x1m", "10.5ms"};
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
        assert_refused(fixture, "pause", pauses[i]);
    static const char *const shares[] = {"", "1000.1", "-0.1", "1.", ".5", "0,5", "1e2"};
    for (size_t i = 0; i < ARRAY_LEN(shares); i++)
        assert_refused(fixture, "share", shares[i]);
    static const char *const colours[] = {"", "re", "redd", "red|green", "yellow"};
    for (size_t i = 0; i < ARRAY_LEN(colours); i++)
        assert_refused(fixture, "colour", colours[i]);
    assert_refused(fixture, "on", "maybe");
    assert_refused(fixture, "name", "");
    assert_refused(fixture, "name", "123456789012345678901");
    assert_refused(fixture, "code", "abcg");
    test_defaults_every_type_is_set(state);
}

static void
test_set_faulty_value_says_option_value_and_range(void **state)
{
    Fixture *fixture = *state;
    assert_refused(fixture, "count", "65");
    assert_string_equal(fixture->err.text,
                        "test: main.count is \"65\", but takes a whole number from -5 to 64");
    assert_refused(fixture, "pause", "1ms");
    assert_says(fixture, "a duration (ms, s, m, h) from 10ms to 2h");
    assert_refused(fixture, "code", "xyz");
    assert_says(fixture, "at most 9 characters of a-f.-");
    assert_refused(fixture, "colour", "x");
    assert_says(fixture, "one of red|green|blue");
}

static void
test_set_faulty_secret_is_not_quoted(void **state)
{
    Fixture *fixture = *state;
    assert_refused(fixture, "token", "hunter2-hunter2");
    assert_null(strstr(fixture->err.text, "hunter2"));
    static const char *const assignments[] = {"main.token:hunter2", "main.token hunter2",
                                              "host=a.b password=hunter2", "open.key hunter2=x"};
    for (size_t i = 0; i < ARRAY_LEN(assignments); i++) {
        assert_false(config_set_assignment(&fixture->config, assignments[i], &fixture->err));
        assert_null(strstr(fixture->err.text, "hunter2"));
    }
    assert_false(config_set(&fixture->config, "open", "key hunter2", "1", "test", &fixture->err));
    assert_says(fixture, "ends after \"key\"");
    assert_null(strstr(fixture->err.text, "hunter2"));
}

static void
test_set_unknown_names_are_refused_by_name(void **state)
{
    Fixture *fixture = *state;
    assert_false(config_set(&fixture->config, "main", "nose", "1", "test", &fixture->err));
    assert_says(fixture, "no option main.nose");
    assert_false(config_set(&fixture->config, "nose", "name", "1", "test", &fixture->err));
    assert_says(fixture, "no section [nose]");
}

static void
test_pass_through_keeps_the_latest_value_of_each_name(void **state)
{
    Fixture *fixture = *state;
    assert_set(fixture, "open", "a.b", "1");
    assert_set(fixture, "open", "c", "");
    assert_set(fixture, "open", "a.b", "3");
    const ConfigPairs *pairs = &fixture->values.pairs;
    assert_int_equal(pairs->count, 2);
    assert_string_equal(pairs->names[0], "a.b");
    assert_string_equal(pairs->values[0], "3");
    assert_string_equal(pairs->names[1], "c");
    assert_string_equal(pairs->values[1], "");
}

static void
test_pass_through_known_option_is_not_a_pair(void **state)
{
    Fixture *fixture = *state;
    fixture->config.option_count = ARRAY_LEN(options);
    assert_set(fixture, "open", "known.one", "k");
    assert_string_equal(fixture->values.name, "k");
    assert_int_equal(fixture->values.pairs.count, 0);
}

static void
test_pass_through_refused_name_says_why(void **state)
{
    Fixture *fixture = *state;
    assert_false(config_set(&fixture->config, "open", "bad.one", "1", "test", &fixture->err));
    assert_string_equal(fixture->err.text, "test: open.bad.one cannot be set: it would break");
    assert_false(config_set(&fixture->config, "open", "a b", "1", "test", &fixture->err));
    assert_says(fixture, "the names of [open]");
    assert_false(config_set(&fixture->config, "open", "", "1", "test", &fixture->err));
    assert_int_equal(fixture->values.pairs.count, 0);
}

static void
test_assignment_splits_at_first_dot_and_first_equals(void **state)
{
    Fixture *fixture = *state;
    assert_true(config_set_assignment(&fixture->config, "open.a.b=c.d=e", &fixture->err));
    assert_string_equal(fixture->values.pairs.names[0], "a.b");
    assert_string_equal(fixture->values.pairs.values[0], "c.d=e");
    static const char *const faulty[] = {"", "=", "main", "main=1", "main.count", "mainx=a.b=1"};
    for (size_t i = 0; i < ARRAY_LEN(faulty); i++) {
        assert_false(config_set_assignment(&fixture->config, faulty[i], &fixture->err));
        assert_says(fixture, "-o takes section.key=value");
    }
}

static void
test_read_file_every_form_is_understood(void **state)
{
    Fixture *fixture = *state;
    assert_file_read(fixture, "\xEF\xBB\xBF; comment\n# comment\n\n[main]\r\nname = a b\r\n"
                              "count=3 ; why\n  \ttoken: x=y;z\n\n[open]\na.b = c = d\n"
                              "[time]\npause = 2m");
    assert_string_equal(fixture->values.name, "a b");
    assert_int_equal(fixture->values.count, 3);
    assert_string_equal(fixture->values.token, "x=y;z");
    assert_string_equal(fixture->values.pairs.values[0], "c = d");
    assert_int_equal(fixture->values.pause_ms, 120000);
}

/* inih takes an indented line for more of the value above. */
static void
test_read_file_indented_lines_are_options_of_their_own(void **state)
{
    Fixture *fixture = *state;
    assert_file_read(fixture, "[main]\n  name = x\n    count = 7\n\tshare = 1\n");
    assert_string_equal(fixture->values.name, "x");
    assert_int_equal(fixture->values.count, 7);
    assert_true(fixture->values.share == 1.0);
}

static void
write_long_line(Fixture *fixture, const char *start, size_t length)
{
    char text[2048] = "[open]\n";
    assert_true(length < 2000);
    const size_t head = strlen(text);
    memset(text + head, 'x', length);
    memcpy(text + head, start, strlen(start));
    text[head + length] = '\n';
    write_file(fixture, text, head + length + 1);
}

/* inih takes what does not fit its buffer for the next line. */
static void
test_read_file_long_line_is_taken_whole_or_refused(void **state)
{
    Fixture *fixture = *state;
    write_long_line(fixture, "a=", 150);
    assert_true(config_read_file(&fixture->config, fixture->path, &fixture->err));
    assert_int_equal(strlen(fixture->values.pairs.values[0]), 148);
    bool refused = false;
    for (size_t length = 190; length < 210; length++) {
        write_long_line(fixture, "a=", length);
        if (config_read_file(&fixture->config, fixture->path, &fixture->err)) {
            assert_false(refused);
            assert_int_equal(strlen(fixture->values.pairs.values[0]), length - 2);
        } else {
            assert_says(fixture, "line 2 is longer than");
            refused = true;
        }
    }
    write_long_line(fixture, "a=", 1500);
    assert_false(config_read_file(&fixture->config, fixture->path, &fixture->err));
    assert_int_equal(fixture->values.pairs.count, 1);
}

static void
test_read_file_long_comment_is_passed_over(void **state)
{
    Fixture *fixture = *state;
    write_long_line(fixture, "; a = ", 1500);
    assert_true(config_read_file(&fixture->config, fixture->path, &fixture->err));
    assert_int_equal(fixture->values.pairs.count, 0);
}

static void
test_read_file_faults_are_named_with_their_line(void **state)
{
    Fixture *fixture = *state;
    assert_file_refused(fixture, "[main]\n\n  count = 65\n", "line 3: main.count is \"65\"");
    assert_file_refused(fixture, "[main]\nnose = 1\n", "line 2: there is no option main.nose");
    assert_file_refused(fixture, "# x\n[nose]\na = 1\n", "line 3: there is no section [nose]");
    assert_file_refused(fixture, "count = 1\n[main]\n", "line 1: an option stands before");
    assert_file_refused(fixture, "[main]\ncount\n", "line 2 is neither");
    assert_file_refused(fixture, "[main\ncount = 1\n", "line 1 is neither");
    assert_file_refused(fixture, "[main]\ncount\ncount = 65\n", "line 2 is neither");
    assert_file_refused(fixture, "[main]\ncount = 65\ncount\n", "line 2: main.count");
    write_file(fixture, "[main]\nna\0me = 1\n", 16);
    assert_false(config_read_file(&fixture->config, fixture->path, &fixture->err));
    assert_says(fixture, "line 2 holds a NUL byte");
}

static void
test_read_file_unreadable_is_named(void **state)
{
    Fixture *fixture = *state;
    assert_false(config_read_file(&fixture->config, "/nonexistent/a.ini", &fixture->err));
    assert_says(fixture, "cannot read /nonexistent/a.ini: No such file");
    assert_false(config_read_file(&fixture->config, "/", &fixture->err));
    assert_says(fixture, "cannot read /: Is a directory");
}

static void
test_environment_names_become_section_and_key(void **state)
{
    Fixture *fixture = *state;
    char other[] = "PATH=/bin";
    char count[] = "APP_MAIN_COUNT=9";
    char property[] = "APP_OPEN_LONG_NAME_MS=a=b";
    char reserved[] = "APP_TEST_WHATEVER=1";
    char odd[] = "APP_NO_EQUALS";
    char *const environment[] = {other, count, property, reserved, odd, NULL};
    assert_true(config_read_environment(&fixture->config, environment, &fixture->err));
    assert_int_equal(fixture->values.count, 9);
    assert_int_equal(fixture->values.pairs.count, 1);
    assert_string_equal(fixture->values.pairs.names[0], "long.name.ms");
    assert_string_equal(fixture->values.pairs.values[0], "a=b");
}

static void
test_environment_unknown_name_is_refused(void **state)
{
    Fixture *fixture = *state;
    char variables[][32] = {"APP_MAIN_NOSE=1", "APP_NOSE=1",  "APP_=1",
                            "APP_MAIN_COUNT=", "APP_OPEN_=1", "APP_OPEN_BAD_ONE=1"};
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        char *const environment[] = {variables[i], NULL};
        assert_false(config_read_environment(&fixture->config, environment, &fixture->err));
        *strchr(variables[i], '=') = '\0';
        assert_says(fixture, variables[i]);
    }
}

static char *
print_to_text(const Fixture *fixture, void (*print)(const Config *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(&fixture->config, out);
    assert_int_equal(fclose(out), 0);
    char *copy = strdup(text); /* gcc takes what fclose has set for the address of `text` */
    free(text);
    return copy;
}

static void
test_print_every_form_has_every_option(void **state)
{
    const Fixture *fixture = *state;
    void (*const prints[])(const Config *, FILE *) = {config_print_help, config_print_sample,
                                                      config_print_markdown};
    for (size_t i = 0; i < ARRAY_LEN(prints); i++) {
        CLEANUP(autofree) char *text = print_to_text(fixture, prints[i]);
        for (size_t k = 0; k < fixture->config.option_count; k++) {
            if (options[k].type != CONFIG_RETIRED)
                assert_non_null(strstr(text, options[k].key));
        }
        assert_null(strstr(text, "it is gone"));
    }
}

static void
test_print_sections_are_headed_once(void **state)
{
    const Fixture *fixture = *state;
    CLEANUP(autofree) char *text = print_to_text(fixture, config_print_sample);
    const char *main_section = strstr(text, "[main]");
    assert_non_null(main_section);
    assert_null(strstr(main_section + 1, "[main]"));
    assert_non_null(strstr(main_section, "[time]"));
}

static void
count_told(void *state, const ConfigOption *option)
{
    assert_string_equal(option->key, "old");
    ++*(int *)state;
}

static void
test_retired_option_given_twice_is_told_once(void **state)
{
    Fixture *fixture = *state;
    int told = 0;
    config_each_retired(&fixture->config, count_told, &told);
    assert_int_equal(told, 0);
    assert_set(fixture, "main", "old", "anything = [at] all");
    assert_set(fixture, "main", "old", "");
    config_each_retired(&fixture->config, count_told, &told);
    assert_int_equal(told, 1);
    if (!config_set_defaults(&fixture->config, &fixture->err))
        fail_msg("%s", fixture->err.text);
    told = 0;
    config_each_retired(&fixture->config, count_told, &told);
    assert_int_equal(told, 0);
}

static void
test_print_markdown_pipe_is_escaped(void **state)
{
    const Fixture *fixture = *state;
    CLEANUP(autofree) char *text = print_to_text(fixture, config_print_markdown);
    assert_non_null(strstr(
        text, "| `time.colour` | `red` | one of red\\|green\\|blue | a colour \\| or hue |"));
    assert_non_null(strstr(text, "| `main.token` | | at most 10 characters | a secret |"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults_every_type_is_set),
        TEST(test_set_valid_values_are_taken),
        TEST(test_set_durations_become_milliseconds),
        TEST(test_set_faulty_values_are_refused_and_change_nothing),
        TEST(test_set_faulty_value_says_option_value_and_range),
        TEST(test_set_faulty_secret_is_not_quoted),
        TEST(test_set_unknown_names_are_refused_by_name),
        TEST(test_pass_through_keeps_the_latest_value_of_each_name),
        TEST(test_pass_through_known_option_is_not_a_pair),
        TEST(test_pass_through_refused_name_says_why),
        TEST(test_assignment_splits_at_first_dot_and_first_equals),
        TEST(test_read_file_every_form_is_understood),
        TEST(test_read_file_indented_lines_are_options_of_their_own),
        TEST(test_read_file_long_line_is_taken_whole_or_refused),
        TEST(test_read_file_long_comment_is_passed_over),
        TEST(test_read_file_faults_are_named_with_their_line),
        TEST(test_read_file_unreadable_is_named),
        TEST(test_environment_names_become_section_and_key),
        TEST(test_environment_unknown_name_is_refused),
        TEST(test_print_every_form_has_every_option),
        TEST(test_print_markdown_pipe_is_escaped),
        TEST(test_print_sections_are_headed_once),
        TEST(test_retired_option_given_twice_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What people and their tools get wrong in a configuration, and what is said about it. */
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
    int count;
    ConfigPairs pairs;
} Values;

static const ConfigOption options[] = {
    {"main", "name", CONFIG_STRING, offsetof(Values, name), 0, 20, "n", NULL, false, "a name"},
    {"main", "token", CONFIG_STRING, offsetof(Values, token), 0, 20, "", NULL, true, "a secret"},
    {"main", "max_count", CONFIG_INTEGER, offsetof(Values, count), 0, 64, "2", NULL, false, "most"},
};

typedef struct Fixture {
    Values values;
    ConfigSeen seen;
    Config config;
    Error err;
    char path[32];
} Fixture;

static bool
check(const char *name, const char *value, Error *err)
{
    return strcmp(value, "bad") != 0 || error_set(err, REASON_CONFIG, "of %s is bad", name);
}

static int
setup(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL)
        return -1;
    fixture->config = (Config){
        .options = options,
        .option_count = ARRAY_LEN(options),
        .values = &fixture->values,
        .pass = {"open", &fixture->values.pairs, check},
        .environment_prefix = "APP_",
        .seen = &fixture->seen,
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
    const bool clean =
        fixture->values.pairs.names == NULL && fixture->seen.passed_over.names == NULL;
    free(fixture);
    return clean ? 0 : -1;
}

static bool
set(Fixture *fixture, const char *key, const char *value)
{
    return config_set(&fixture->config, "main", key, value, "test", &fixture->err);
}

static bool
read_variable(Fixture *fixture, char *variable)
{
    char *const environment[] = {variable, NULL};
    return config_read_environment(&fixture->config, environment, &fixture->err);
}

static bool
read_text(Fixture *fixture, const char *text)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return config_read_file(&fixture->config, fixture->path, &fixture->err);
}

static void
assert_says(const Fixture *fixture, const char *part)
{
    assert_int_equal(fixture->err.kind, ERROR_REJECT);
    if (strstr(fixture->err.text, part) == NULL)
        fail_msg("“%s” does not say “%s”", fixture->err.text, part);
}

static void
test_set_value_with_one_newline_at_its_end_loses_it(void **state)
{
    Fixture *fixture = *state;
    assert_true(set(fixture, "token", "hunter2\n"));
    assert_string_equal(fixture->values.token, "hunter2");
    assert_true(set(fixture, "token", "hunter3\r\n"));
    assert_string_equal(fixture->values.token, "hunter3");
    assert_true(set(fixture, "max_count", "7\n"));
    assert_int_equal(fixture->values.count, 7);
    assert_true(set(fixture, "name", "\n"));
    assert_string_equal(fixture->values.name, "");
    char variable[] = "APP_OPEN_PASSWORD=secret\n";
    assert_true(read_variable(fixture, variable));
    assert_string_equal(fixture->values.pairs.values[0], "secret");
}

static void
test_set_value_with_another_control_character_names_the_option(void **state)
{
    Fixture *fixture = *state;
    static const char *const values[] = {"hunter2\n\n", "hun\nter2",   "hunter2\r",
                                         "\thunter2",   "hun\x7fter2", "\r\n\n"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        assert_false(set(fixture, "token", values[i]));
        assert_says(fixture, "test: main.token holds the control character 0x");
        assert_null(strstr(fixture->err.text, "hun"));
    }
    assert_string_equal(fixture->values.token, "");
    assert_false(config_set(&fixture->config, "open", "a.b", "x\ty", "test", &fixture->err));
    assert_says(fixture, "open.a.b holds the control character 0x09, as character 2 of 3");
    assert_true(set(fixture, "name", "Zürich"));
}

static void
test_set_name_that_is_nearly_an_option_names_it(void **state)
{
    Fixture *fixture = *state;
    assert_false(set(fixture, "max_coutn", "1"));
    assert_says(fixture, "there is no option main.max_coutn; did you mean main.max_count?");
    assert_false(config_set(&fixture->config, "man", "name", "1", "test", &fixture->err));
    assert_says(fixture, "there is no section [man]; did you mean main.name?");
    assert_false(config_set(&fixture->config, "elsewhere", "token", "1", "test", &fixture->err));
    assert_says(fixture, "did you mean main.token?");
    assert_false(set(fixture, "nonsense", "1"));
    assert_null(strstr(fixture->err.text, "did you mean"));
}

static void
test_environment_name_that_is_nearly_an_option_names_it(void **state)
{
    Fixture *fixture = *state;
    char wrong[] = "APP_MAIN_MAX_COUNTS=1";
    assert_false(read_variable(fixture, wrong));
    assert_says(fixture, "APP_MAIN_MAX_COUNTS: there is no option main.max_counts; did you mean "
                         "main.max_count?");
    char short_one[] = "APP_TOKEN=1";
    assert_false(read_variable(fixture, short_one));
    assert_says(fixture, "APP_TOKEN: there is no such option; did you mean main.token?");
}

static void
test_environment_service_links_are_passed_over(void **state)
{
    Fixture *fixture = *state;
    static const char *const links[] = {
        "APP_SERVICE_HOST=10.0.0.1",
        "APP_MAIN_SERVICE_HOST=10.0.0.1",
        "APP_MAIN_SERVICE_PORT=80",
        "APP_MAIN_SERVICE_PORT_HTTP_METRICS=80",
        "APP_MAIN_PORT=tcp://10.0.0.1:80",
        "APP_OPEN_PORT=udp://10.0.0.1:80",
        "APP_MAIN_PORT_80_TCP=tcp://10.0.0.1:80",
        "APP_MAIN_PORT_80_TCP_PROTO=tcp",
        "APP_MAIN_PORT_80_TCP_PORT=80",
        "APP_MAIN_PORT_53_UDP_ADDR=10.0.0.1",
    };
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        char variable[64];
        (void)snprintf(variable, sizeof(variable), "%s", links[i]);
        if (!read_variable(fixture, variable))
            fail_msg("%s", fixture->err.text);
        *strchr(variable, '=') = '\0';
        assert_int_equal(fixture->seen.passed_over.count, i + 1);
        assert_string_equal(fixture->seen.passed_over.names[i], variable);
    }
    assert_int_equal(fixture->seen.variables, 0);
    assert_int_equal(fixture->values.pairs.count, 0);
}

static void
test_environment_names_like_a_service_link_are_refused(void **state)
{
    Fixture *fixture = *state;
    static const char *const others[] = {
        "APP_MAIN_PORT=80",
        "APP_MAIN_PORTS=tcp://10.0.0.1:80",
        "APP_MAIN_PORT_HTTP=80",
        "APP_MAIN_PORT_80=80",
        "APP_MAIN_PORT_80_TCP_NAME=x",
        "APP_MAIN_SERVICE=x",
        "APP_MAIN_SERVICE_HOSTS=x",
        "APP_ENABLED=true",
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char variable[64];
        (void)snprintf(variable, sizeof(variable), "%s", others[i]);
        assert_false(read_variable(fixture, variable));
        *strchr(variable, '=') = '\0';
        assert_says(fixture, variable);
    }
    assert_int_equal(fixture->seen.passed_over.count, 0);
}

static void
test_environment_variables_that_set_an_option_are_counted(void **state)
{
    Fixture *fixture = *state;
    char count[] = "APP_MAIN_MAX_COUNT=3";
    char pair[] = "APP_OPEN_A_B=1";
    assert_true(read_variable(fixture, count));
    assert_true(read_variable(fixture, pair));
    assert_int_equal(fixture->seen.variables, 2);
}

static void
test_read_file_key_given_twice_names_both_lines(void **state)
{
    Fixture *fixture = *state;
    assert_false(read_text(fixture, "[main]\nname = a\n\nmax_count = 1\n[open]\nname = b\n"
                                    "[main]\nname = c\n"));
    assert_says(fixture, "main.name stands in line 2 and again in line 8");
    assert_false(read_text(fixture, "[open]\na.b = 1\na.b = 1\n"));
    assert_says(fixture, "open.a.b stands in line 2 and again in line 3");
    assert_true(read_text(fixture, "[main]\nname = a\n[open]\nname = b\n; name = c\n"));
}

static void
test_pass_through_value_that_is_refused_is_named(void **state)
{
    Fixture *fixture = *state;
    assert_false(config_set(&fixture->config, "open", "a.b", "bad", "test", &fixture->err));
    assert_string_equal(fixture->err.text, "test: open.a.b of a.b is bad");
    assert_int_equal(fixture->values.pairs.count, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_set_value_with_one_newline_at_its_end_loses_it),
        TEST(test_set_value_with_another_control_character_names_the_option),
        TEST(test_set_name_that_is_nearly_an_option_names_it),
        TEST(test_environment_name_that_is_nearly_an_option_names_it),
        TEST(test_environment_service_links_are_passed_over),
        TEST(test_environment_names_like_a_service_link_are_refused),
        TEST(test_environment_variables_that_set_an_option_are_counted),
        TEST(test_read_file_key_given_twice_names_both_lines),
        TEST(test_pass_through_value_that_is_refused_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

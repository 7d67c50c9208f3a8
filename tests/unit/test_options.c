#include "worker/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 200000);
    assert_non_null(text);
    assert_true(fread(text, 1, 199999, file) > 0);
    (void)fclose(file);
    return text;
}

static char *
print_to_text(void (*print)(FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out);
    (void)fclose(out);
    return text;
}

static Settings *
load(const char *const *assignments, size_t count, char *const *environment, const char *path)
{
    const SettingsSources sources = {path, environment, assignments, count};
    Settings *settings = NULL;
    Error err = {0};
    if (!settings_load(&sources, &settings, &err))
        fail_msg("%s", err.text);
    return settings;
}

static void
assert_refused(const char *assignment, const char *part)
{
    const char *const assignments[] = {assignment};
    const SettingsSources sources = {.assignments = assignments, .assignment_count = 1};
    Settings *settings = NULL;
    Error err = {0};
    assert_false(settings_load(&sources, &settings, &err));
    assert_null(settings);
    assert_int_equal(err.kind, ERROR_REJECT);
    if (strstr(err.text, part) == NULL)
        fail_msg("“%s” does not say “%s”", err.text, part);
}

static void
test_load_nothing_given_takes_defaults(void **state)
{
    (void)state;
    CLEANUP(settings_freep) Settings *settings = load(NULL, 0, NULL, NULL);
    assert_int_equal(settings->worker.executors, 2);
    assert_int_equal(settings->worker.shutdown_grace_ms, 25000);
    assert_int_equal(settings->worker.progress_interval_ms, 5000);
    assert_string_equal(settings->tables.image_sent, "\"imageSent\"");
    assert_true(strlen(settings->worker.id) > 9);
    assert_true(settings->limits.min_inactive_hours == 1.0);
}

/* What deploy/OPERATIONS.md promises: work goes on within 2 s of PostgreSQL's return, and jitter
 * only shortens.
 */
static void
test_load_default_hold_looks_once_a_second(void **state)
{
    (void)state;
    CLEANUP(settings_freep) Settings *settings = load(NULL, 0, NULL, NULL);
    assert_in_range(settings->worker.hold_backoff_max_ms, 1, 1000);
}

static void
test_load_later_source_wins(void **state)
{
    (void)state;
    char path[] = "/tmp/options-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    static const char text[] =
        "[worker]\nexecutors = 3\nmax_attempts = 7\nlock_wait = 2s\n[kafka]\nlinger.ms = 1\n";
    assert_int_equal(write(file, text, sizeof(text) - 1), sizeof(text) - 1);
    (void)close(file);
    char variable[] = "CLEANUP_WORKER_MAX_ATTEMPTS=8";
    char servers[] = "CLEANUP_KAFKA_BOOTSTRAP_SERVERS=a:1";
    char property[] = "CLEANUP_KAFKA_SOCKET_TIMEOUT_MS=9000";
    char *const environment[] = {variable, servers, property, NULL};
    const char *const assignments[] = {"worker.lock_wait=3s", "kafka.linger.ms=2"};
    CLEANUP(settings_freep) Settings *settings = load(assignments, 2, environment, path);
    (void)unlink(path);
    assert_int_equal(settings->worker.executors, 3);
    assert_int_equal(settings->worker.max_attempts, 8);
    assert_int_equal(settings->worker.lock_wait_ms, 3000);
    assert_string_equal(settings->kafka.bootstrap_servers, "a:1");
    assert_int_equal(settings->kafka.properties.count, 2);
    assert_string_equal(settings->kafka.properties.names[0], "linger.ms");
    assert_string_equal(settings->kafka.properties.values[0], "2");
    assert_string_equal(settings->kafka.properties.names[1], "socket.timeout.ms");
}

static void
test_load_faulty_option_is_named(void **state)
{
    (void)state;
    assert_refused("worker.executors=0",
                   "worker.executors is \"0\", but takes a whole number from 1 to 64");
    assert_refused("worker.executors=2.5", "worker.executors");
    assert_refused("worker.executors=two", "worker.executors");
    assert_refused("worker.lock_wait=5", "takes a duration");
    assert_refused("worker.lock_wait=61s", "0ms to 1m");
    assert_refused("worker.progress_interval=11m", "0ms to 10m");
    assert_refused("worker.nonsense=1", "no option worker.nonsense");
    assert_refused("nonsense.key=1", "no section [nonsense]");
    assert_refused("worker.delivery=at_most_once", "takes one of exactly_once|at_least_once");
    assert_refused("log.level=loud", "debug|info|warn|error");
    assert_refused("worker.executor=3", "did you mean worker.executors?");
    assert_refused("kafka.enable.auto.commit=true", "kafka.enable.auto.commit cannot be set");
    assert_refused("kafka.acks=1", "kafka.acks cannot be set");
    assert_refused("worker.id=a b", "worker.id is \"a b\", but takes at most 128 characters of");
    assert_refused("topics.results=a/b", "topics.results");
    assert_refused("http.listen=localhost:8080", "no section [http]");
    assert_refused("no-assignment", "section.key=value");
}

static void
test_load_property_that_cannot_be_set_says_where_it_stood(void **state)
{
    (void)state;
    assert_refused("kafka.delivery.report.only.error=true",
                   "command line: kafka.delivery.report.only.error cannot be set: ");
    assert_refused("kafka.max.poll.interval.ms=5000",
                   "command line: kafka.max.poll.interval.ms is \"5000\", but takes 10000 to");
    assert_refused("kafka.bootstrap.server=a:1", "did you mean bootstrap.servers?");
}

static void
test_load_address_that_is_none_is_named(void **state)
{
    (void)state;
    assert_refused("kafka.bootstrap.servers=http://x:9092",
                   "kafka.bootstrap.servers holds \"http://x:9092\"");
    assert_refused("kafka.bootstrap.servers=x:70000", "kafka.bootstrap.servers holds");
    assert_refused("postgres.dsn=nonsense", "postgres.dsn: libpq cannot read it: missing \"=\"");
}

static void
test_need_database_nothing_given_names_the_option(void **state)
{
    (void)state;
    assert_int_equal(setenv("PGHOST", "", 1), 0);
    static const char *const others[] = {"PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER",
                                         "PGSERVICE"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(unsetenv(others[i]), 0);
    CLEANUP(settings_freep) Settings *settings = load(NULL, 0, NULL, NULL);
    Error err = {0};
    assert_false(settings_need_database(settings, &err));
    assert_non_null(strstr(err.text, "postgres.dsn is empty"));
    assert_int_equal(setenv("PGHOST", "db", 1), 0);
    assert_true(settings_need_database(settings, &err));
    assert_int_equal(unsetenv("PGHOST"), 0);
    const char *const assignments[] = {"postgres.dsn=dbname=app"};
    CLEANUP(settings_freep) Settings *given = load(assignments, 1, NULL, NULL);
    assert_true(settings_need_database(given, &err));
}

static void
count_retired(void *state, const ConfigOption *option)
{
    assert_string_equal(option->section, "tables");
    assert_string_equal(option->key, "properties");
    assert_true(strlen(option->help) > 0);
    ++*(int *)state;
}

/* How often a configuration with these sources is told of a retired option. */
static int
count_told(const char *const *assignments, size_t count, char *const *environment, const char *path)
{
    int told = 0;
    CLEANUP(settings_freep) Settings *settings = load(assignments, count, environment, path);
    settings_each_retired(settings, count_retired, &told);
    return told;
}

static void
test_load_retired_option_is_told_once_and_no_error(void **state)
{
    (void)state;
    char path[] = "/tmp/options-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    static const char text[] = "[tables]\nproperties = properties\nusers = people\n";
    assert_int_equal(write(file, text, sizeof(text) - 1), sizeof(text) - 1);
    (void)close(file);
    char variable[] = "CLEANUP_TABLES_PROPERTIES=properties";
    char *const environment[] = {variable, NULL};
    const char *const assignments[] = {"tables.properties=a", "tables.properties=b"};
    assert_int_equal(count_told(NULL, 0, NULL, NULL), 0);
    assert_int_equal(count_told(NULL, 0, NULL, path), 1);
    assert_int_equal(count_told(NULL, 0, environment, NULL), 1);
    assert_int_equal(count_told(assignments, 1, NULL, NULL), 1);
    assert_int_equal(count_told(assignments, 2, environment, path), 1);
    (void)unlink(path);
}

static void
test_print_says_nothing_of_retired_options(void **state)
{
    (void)state;
    static void (*const prints[])(FILE *) = {settings_print_help, settings_print_sample,
                                             settings_print_table};
    for (size_t i = 0; i < ARRAY_LEN(prints); i++) {
        CLEANUP(autofree) char *text = print_to_text(prints[i]);
        assert_null(strstr(text, "properties ="));
        assert_null(strstr(text, "tables.properties"));
    }
}

static void
test_load_options_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    assert_refused("topics.results=cleanup.commands", "three different topics");
    assert_refused("topics.dead_letters=cleanup.commands", "three different topics");
    assert_refused("topics.dead_letters=cleanup.results", "three different topics");
    assert_refused("worker.retry_backoff=11s", "worker.retry_backoff_max, which is 10000 ms");
}

static void
test_load_faulty_dsn_is_not_quoted(void **state)
{
    (void)state;
    CLEANUP(autofree) char *assignment = calloc(1, 5000);
    assert_non_null(assignment);
    (void)snprintf(assignment, 5000, "postgres.dsn=password=hunter2 %04200d", 0);
    const char *const assignments[] = {assignment};
    const SettingsSources sources = {.assignments = assignments, .assignment_count = 1};
    Settings *settings = NULL;
    Error err = {0};
    assert_false(settings_load(&sources, &settings, &err));
    assert_non_null(strstr(err.text, "postgres.dsn takes at most 4000 characters"));
    assert_null(strstr(err.text, "hunter2"));
}

static void
test_load_made_up_ids_differ_and_are_valid(void **state)
{
    (void)state;
    CLEANUP(settings_freep) Settings *first = load(NULL, 0, NULL, NULL);
    CLEANUP(settings_freep) Settings *second = load(NULL, 0, NULL, NULL);
    assert_string_not_equal(first->worker.id, second->worker.id);
    char assignment[200];
    (void)snprintf(assignment, sizeof(assignment), "worker.id=%s", first->worker.id);
    const char *const assignments[] = {assignment};
    CLEANUP(settings_freep) Settings *given = load(assignments, 1, NULL, NULL);
    assert_string_equal(given->worker.id, first->worker.id);
}

static void
test_load_unknown_environment_is_refused_but_the_tests_own(void **state)
{
    (void)state;
    char unknown[] = "CLEANUP_WORKER_NONSENSE=1";
    char *const bad[] = {unknown, NULL};
    const SettingsSources sources = {.environment = bad};
    Settings *settings = NULL;
    Error err = {0};
    assert_false(settings_load(&sources, &settings, &err));
    assert_non_null(strstr(err.text, "CLEANUP_WORKER_NONSENSE"));
    char reserved[] = "CLEANUP_TEST_ANYTHING=1";
    char *const good[] = {reserved, NULL};
    CLEANUP(settings_freep) Settings *loaded = load(NULL, 0, good, NULL);
    assert_non_null(loaded);
}

static void
test_load_unreadable_file_is_named(void **state)
{
    (void)state;
    const SettingsSources sources = {.config_path = "/nonexistent/cleanup.ini"};
    Settings *settings = NULL;
    Error err = {0};
    assert_false(settings_load(&sources, &settings, &err));
    assert_non_null(strstr(err.text, "/nonexistent/cleanup.ini"));
}

static void
test_sample_file_is_the_table(void **state)
{
    (void)state;
    CLEANUP(autofree) char *file = read_file(SOURCE_DIR "/deploy/cleanup-worker.ini");
    CLEANUP(autofree) char *printed = print_to_text(settings_print_sample);
    assert_string_equal(file, printed);
    CLEANUP(settings_freep)
    Settings *settings = load(NULL, 0, NULL, SOURCE_DIR "/deploy/cleanup-worker.ini");
    assert_int_equal(settings->worker.executors, 2);
}

/* Every line that is commented out must be good as it stands. */
static void
test_sample_file_uncommented_loads_the_defaults(void **state)
{
    (void)state;
    CLEANUP(autofree) char *text = print_to_text(settings_print_sample);
    size_t uncommented = 0;
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (line[0] == ';' && line[1] != ' ') {
            line[0] = ' ';
            uncommented++;
        }
    }
    assert_true(uncommented > 30);
    char path[] = "/tmp/options-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    (void)close(file);
    CLEANUP(settings_freep) Settings *settings = load(NULL, 0, NULL, path);
    (void)unlink(path);
    assert_int_equal(settings->worker.shutdown_grace_ms, 25000);
    assert_string_equal(settings->tables.video_sent, "\"videoSent\"");
    assert_string_equal(settings->postgres.dsn, "");
    assert_int_equal(settings->kafka.properties.count, 0);
}

static void
test_document_table_is_the_table(void **state)
{
    (void)state;
    CLEANUP(autofree) char *document = read_file(SOURCE_DIR "/deploy/CONFIGURATION.md");
    CLEANUP(autofree) char *printed = print_to_text(settings_print_table);
    char *begin = strstr(document, "<!-- options -->\n");
    char *end = strstr(document, "<!-- /options -->");
    assert_non_null(begin);
    assert_non_null(end);
    *end = '\0';
    assert_string_equal(begin + strlen("<!-- options -->\n"), printed);
}

static void
test_help_names_every_option(void **state)
{
    (void)state;
    CLEANUP(autofree) char *help = print_to_text(settings_print_help);
    assert_non_null(strstr(help, "lock_wait = 5s"));
    assert_non_null(strstr(help, "session_references"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_nothing_given_takes_defaults),
        cmocka_unit_test(test_load_default_hold_looks_once_a_second),
        cmocka_unit_test(test_load_later_source_wins),
        cmocka_unit_test(test_load_faulty_option_is_named),
        cmocka_unit_test(test_load_property_that_cannot_be_set_says_where_it_stood),
        cmocka_unit_test(test_load_address_that_is_none_is_named),
        cmocka_unit_test(test_need_database_nothing_given_names_the_option),
        cmocka_unit_test(test_load_retired_option_is_told_once_and_no_error),
        cmocka_unit_test(test_print_says_nothing_of_retired_options),
        cmocka_unit_test(test_load_options_that_contradict_each_other_are_refused),
        cmocka_unit_test(test_load_faulty_dsn_is_not_quoted),
        cmocka_unit_test(test_load_made_up_ids_differ_and_are_valid),
        cmocka_unit_test(test_load_unknown_environment_is_refused_but_the_tests_own),
        cmocka_unit_test(test_load_unreadable_file_is_named),
        cmocka_unit_test(test_sample_file_is_the_table),
        cmocka_unit_test(test_sample_file_uncommented_loads_the_defaults),
        cmocka_unit_test(test_document_table_is_the_table),
        cmocka_unit_test(test_help_names_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "worker/check/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
walk(const Settings *settings, Findings *ret_findings)
{
    CheckContext context = {.settings = settings};
    Error err;
    assert_true(check_walk_configuration(&context, ret_findings, &err));
    assert_true(ret_findings->count > 0);
    assert_string_equal(ret_findings->list[0].subject, "configuration");
}

static void
test_walk_configuration_names_its_sources(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    char dsn[] = "dbname=app";
    Settings settings = {.postgres = {.dsn = dsn}};
    settings.config_path = "/etc/cleanup-worker.ini";
    settings.seen.variables = 3;
    walk(&settings, &findings);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.list[0].level, FINDING_OK);
    assert_string_equal(findings.list[0].what, "/etc/cleanup-worker.ini, 3 variables");
}

static void
test_walk_configuration_without_a_database_fails(void **state)
{
    (void)state;
    static const char *const names[] = {"PGHOST",     "PGHOSTADDR", "PGPORT",
                                        "PGDATABASE", "PGUSER",     "PGSERVICE"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
    CLEANUP(findings_done) Findings findings = {0};
    char dsn[] = "";
    Settings settings = {.postgres = {.dsn = dsn}};
    settings.seen.variables = 1;
    walk(&settings, &findings);
    assert_int_equal(findings.count, 2);
    assert_string_equal(findings.list[0].what, "no file, 1 variable");
    assert_int_equal(findings.list[1].level, FINDING_FAIL);
    assert_string_equal(findings.list[1].code, "database_not_named");
    CheckContext context = {.settings = &settings};
    Error err;
    assert_true(check_walk_database(&context, &findings, &err));
    assert_int_equal(findings.count, 2); /* no other server was tried */
}

static void
test_walk_configuration_property_of_a_newer_librdkafka_is_unknown(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    char dsn[] = "dbname=app";
    char known[] = "linger.ms";
    char newer[] = "brand.new";
    char *names[] = {known, newer};
    char *values[] = {known, newer};
    Settings settings = {.postgres = {.dsn = dsn}};
    settings.kafka.properties = (ConfigPairs){names, values, 2};
    walk(&settings, &findings);
    assert_int_equal(findings.count, 2);
    assert_int_equal(findings.list[1].level, FINDING_UNKNOWN);
    assert_non_null(strstr(findings.list[1].what, "kafka.brand.new"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_configuration_names_its_sources),
        cmocka_unit_test(test_walk_configuration_without_a_database_fails),
        cmocka_unit_test(test_walk_configuration_property_of_a_newer_librdkafka_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

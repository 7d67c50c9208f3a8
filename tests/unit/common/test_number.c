#include "common/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_read_takes_decimals_and_leaves_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number;
        const char *rest;
    } cases[] = {
        {"0", 0, ""},           {"12", 12, ""}, {"-3", -3, ""},
        {"12.5ms", 12.5, "ms"}, {"007", 7, ""}, {"1.5.2", 1.5, ".2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double number = -1;
        const char *rest = NULL;
        assert_true(number_read(cases[i].text, &number, &rest));
        assert_true(number == cases[i].number);
        assert_string_equal(rest, cases[i].rest);
    }
}

static void
test_read_refuses_what_begins_otherwise(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-",   ".5", "1.",  "+1",  " 1",
                                      "inf", "nan", "ms", "1e3", "0x10"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        double number = 7;
        const char *rest = "kept";
        assert_false(number_read(bad[i], &number, &rest));
        assert_true(number == 7);
        assert_string_equal(rest, "kept");
    }
    char long_number[400];
    memset(long_number, '9', sizeof(long_number) - 1);
    long_number[sizeof(long_number) - 1] = '\0';
    double number = 7;
    const char *rest = NULL;
    assert_false(number_read(long_number, &number, &rest));
}

static void
test_read_duration_counts_in_milliseconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double ms;
    } cases[] = {{"250ms", 250},  {"1.5s", 1500},    {"10m", 600000},
                 {"2h", 7200000}, {"3d", 259200000}, {"-1s", -1000}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double ms = 0;
        assert_true(number_read_duration(cases[i].text, NUMBER_DAYS, &ms));
        assert_true(ms == cases[i].ms);
    }
}

static void
test_read_duration_refuses_other_units(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "5", "5 s", "5S", "5sec", "s", "1e3s", "0x10s", "1.s"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        double ms = 7;
        assert_false(number_read_duration(bad[i], NUMBER_DAYS, &ms));
        assert_true(ms == 7);
    }
    double ms = 7;
    assert_false(number_read_duration("3d", NUMBER_HOURS, &ms));
    assert_true(number_read_duration("3h", NUMBER_HOURS, &ms));
    assert_false(number_read_duration("3h", NUMBER_MINUTES, &ms));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_takes_decimals_and_leaves_the_rest),
        cmocka_unit_test(test_read_refuses_what_begins_otherwise),
        cmocka_unit_test(test_read_duration_counts_in_milliseconds),
        cmocka_unit_test(test_read_duration_refuses_other_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

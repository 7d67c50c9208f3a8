#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void
test_format_then_parse_gives_the_same_time(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 1, 1763863200123456, -1, 253402300799999999};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char text[CLOCK_TEXT_BYTES];
        int64_t parsed;
        clock_format(times[i], text);
        assert_true(clock_parse(text, &parsed));
        assert_int_equal(parsed, times[i]);
    }
}

/* The C library leaves the zeros of early years out. */
static void
test_format_writes_four_digits_of_the_year(void **state)
{
    (void)state;
    int64_t time_us;
    char text[CLOCK_TEXT_BYTES];
    assert_true(clock_parse("0501-02-03T04:05:06.000007Z", &time_us));
    clock_format(time_us, text);
    assert_string_equal(text, "0501-02-03T04:05:06.000007Z");
}

static void
test_format_of_every_day_is_what_the_c_library_says(void **state)
{
    (void)state;
    enum { SECONDS_PER_DAY = 24 * 3600 };
    const int64_t last_day = 2932896; /* 9999-12-31 */
    for (int64_t day = -719162; day <= last_day; day++) {
        const int64_t seconds = day * SECONDS_PER_DAY + (day + 719162) % SECONDS_PER_DAY;
        const time_t time = (time_t)seconds;
        struct tm parts;
        char expected[CLOCK_TEXT_BYTES + 1];
        char text[CLOCK_TEXT_BYTES];
        assert_non_null(gmtime_r(&time, &parts));
        assert_true(
            strftime(expected + 1, sizeof(expected) - 1, "%Y-%m-%dT%H:%M:%S.000000Z", &parts) > 0);
        clock_format(seconds * CLOCK_US_PER_SECOND, text);
        const char *year = parts.tm_year + 1900 < 1000 ? strchr(text, '-') : text;
        assert_string_equal(year, year == text ? expected + 1 : strchr(expected + 1, '-'));
    }
}

static void
test_parse_leap_second_counts_as_the_next(void **state)
{
    (void)state;
    int64_t leap;
    int64_t next;
    assert_true(clock_parse("2016-12-31T23:59:60Z", &leap));
    assert_true(clock_parse("2017-01-01T00:00:00Z", &next));
    assert_int_equal(leap, next);
}

static int64_t
fixed_now(void *state)
{
    return *(const int64_t *)state;
}

static void
test_now_asks_the_clock_that_was_passed_in(void **state)
{
    (void)state;
    int64_t now = 42;
    const Clock clock = {fixed_now, fixed_now, &now};
    assert_int_equal(clock_now_us(&clock), 42);
    assert_int_equal(clock_monotonic_ms(&clock), 42);
    assert_true(clock_now_us(clock_system()) > INT64_C(1700000000000000));
}

static void
test_parse_offset_is_taken_off(void **state)
{
    (void)state;
    int64_t utc;
    int64_t local;
    assert_true(clock_parse("2026-11-23T02:00:00Z", &utc));
    assert_true(clock_parse("2026-11-23T04:30:00.0+02:30", &local));
    assert_int_equal(utc, local);
    assert_true(clock_parse("2026-11-23t02:00:00.123456789z", &local));
    assert_int_equal(local - utc, 123456);
}

static void
test_parse_other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const faulty[] = {
        "",
        "2026-11-23",
        "2026-11-23T02:00:00",
        "2026-11-23 02:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T02:00:00.Z",
        "2026-11-23T02:00:00+2:00",
        "2026-11-23T02:00:00Zx",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+00:01",
        "2026-11-23T02:00:00+24:00",
        "2026-11-23T02:60:00Z",
        "2026-00-23T02:00:00Z",
        "2026-11-31T02:00:00Z",
        " 2026-11-23T02:00:00Z",
    };
    int64_t parsed = 7;
    for (size_t i = 0; i < ARRAY_LEN(faulty); i++)
        assert_false(clock_parse(faulty[i], &parsed));
    assert_int_equal(parsed, 7);
    assert_true(clock_parse("2024-02-29T00:00:00Z", &parsed));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_then_parse_gives_the_same_time),
        cmocka_unit_test(test_format_writes_four_digits_of_the_year),
        cmocka_unit_test(test_format_of_every_day_is_what_the_c_library_says),
        cmocka_unit_test(test_parse_leap_second_counts_as_the_next),
        cmocka_unit_test(test_now_asks_the_clock_that_was_passed_in),
        cmocka_unit_test(test_parse_offset_is_taken_off),
        cmocka_unit_test(test_parse_other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

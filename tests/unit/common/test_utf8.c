#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_is_valid_takes_what_rfc_3629_takes(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "plain",
        "\xC2\x80",
        "\xE0\xA0\x80",
        "\xED\x9F\xBF",
        "\xEE\x80\x80",
        "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF",
        "\xEF\xBB\xBFx",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(utf8_is_valid(good[i], strlen(good[i])));
    assert_true(utf8_is_valid("a\0b", 3));
}

static void
test_is_valid_refuses_what_rfc_3629_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "x\xC3",            /* ends too early */
        "\x80",             /* begins too late */
        "\xC3x",            /* not continued */
        "\xC1\xBF",         /* longer than need be */
        "\xE0\x9F\xBF",     /* so is this */
        "\xF0\x8F\xBF\xBF", /* and this */
        "\xED\xA0\x80",     /* a surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
}

static void
test_span_ends_before_the_first_fault(void **state)
{
    (void)state;
    assert_int_equal(utf8_span("ab\xC3\xA4\xFFz", 6), 4);
    assert_int_equal(utf8_span("\xE2\x80", 2), 0);
    assert_int_equal(utf8_span("abc", 3), 3);
}

/* Plain text is looked at eight bytes at a time. */
static void
test_span_finds_a_fault_at_any_place(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 20; length++) {
        for (size_t fault = 0; fault < length; fault++) {
            char text[20];
            memset(text, 'a', sizeof(text));
            text[fault] = '\xFF';
            assert_int_equal(utf8_span(text, length), fault);
        }
    }
}

static void
test_cut_never_ends_inside_a_character(void **state)
{
    (void)state;
    const char *const text = "a\xC3\xA4\xE2\x80\xA6\xF0\x9F\x98\x80z";
    const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t most = 0; most < ARRAY_LEN(cuts); most++)
        assert_int_equal(utf8_cut(text, strlen(text), most), cuts[most]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_valid_takes_what_rfc_3629_takes),
        cmocka_unit_test(test_is_valid_refuses_what_rfc_3629_refuses),
        cmocka_unit_test(test_span_ends_before_the_first_fault),
        cmocka_unit_test(test_span_finds_a_fault_at_any_place),
        cmocka_unit_test(test_cut_never_ends_inside_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

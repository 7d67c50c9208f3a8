#include "common/macros.h"
#include "common/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_distance_counts_each_change_once(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        size_t distance;
    } cases[] = {
        {"", "", 0},         {"", "abc", 3},           {"abc", "", 3},   {"abc", "abc", 0},
        {"abc", "ABC", 0},   {"abc", "abd", 1},        {"abc", "ab", 1}, {"abc", "xabc", 1},
        {"abcd", "abdc", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}, {"limti", "limit", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(nearest_distance(cases[i].from, cases[i].to), cases[i].distance);
        assert_int_equal(nearest_distance(cases[i].to, cases[i].from), cases[i].distance);
    }
}

static void
test_distance_of_a_long_word_is_infinite(void **state)
{
    (void)state;
    char longest[65] = {0};
    memset(longest, 'a', 63);
    assert_int_equal(nearest_distance(longest, longest), 0);
    longest[63] = 'a';
    assert_true(nearest_distance(longest, "a") == SIZE_MAX);
    assert_true(nearest_distance("a", longest) == SIZE_MAX);
}

static const char *
hint_of(const char *given, char text[64])
{
    static const char *const words[] = {"executors", "max_attempts", "limit", "ids"};
    Nearest nearest;
    nearest_begin(&nearest, given);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        (void)nearest_offer(&nearest, words[i], words[i]);
    return nearest_hint(&nearest, text, 64);
}

static void
test_hint_names_the_nearest_word(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(hint_of("exectuor", text), "; did you mean executors?");
    assert_string_equal(hint_of("max-attempts", text), "; did you mean max_attempts?");
    assert_string_equal(hint_of("LIMITS", text), "; did you mean limit?");
    assert_string_equal(hint_of("id", text), "; did you mean ids?");
}

static void
test_hint_of_a_word_like_none_is_empty(void **state)
{
    (void)state;
    char text[64] = "x";
    assert_string_equal(hint_of("nonsense", text), "");
    assert_string_equal(hint_of("", text), "");
    assert_string_equal(hint_of("x", text), "");
}

static void
test_offer_keeps_the_first_of_two_that_are_as_near(void **state)
{
    (void)state;
    Nearest nearest;
    nearest_begin(&nearest, "cat");
    assert_true(nearest_offer(&nearest, "car", "first"));
    assert_false(nearest_offer(&nearest, "cap", "second"));
    assert_string_equal(nearest.word, "first");
    assert_true(nearest_offer(&nearest, "cat", "third"));
    assert_string_equal(nearest.word, "third");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance_counts_each_change_once),
        cmocka_unit_test(test_distance_of_a_long_word_is_infinite),
        cmocka_unit_test(test_hint_names_the_nearest_word),
        cmocka_unit_test(test_hint_of_a_word_like_none_is_empty),
        cmocka_unit_test(test_offer_keeps_the_first_of_two_that_are_as_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_add_parts_are_joined(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf text = {0};
    assert_string_equal(strbuf_text(&text), "");
    strbuf_add_text(&text, "a");
    strbuf_add_char(&text, 'b');
    strbuf_add(&text, "cde", 1);
    strbuf_add_format(&text, "%d%s", 4, "e");
    assert_string_equal(strbuf_text(&text), "abc4e");
    assert_int_equal(text.length, 5);
}

static void
test_add_more_than_capacity_grows(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf text = {0};
    for (int i = 0; i < 5000; i++)
        strbuf_add_format(&text, "%04d", i);
    assert_false(text.failed);
    assert_int_equal(text.length, 20000);
    assert_memory_equal(text.data + 4 * 4321, "4321", 4);
    assert_int_equal(strlen(text.data), 20000);
}

static void
test_add_bytes_may_hold_nul(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf text = {0};
    strbuf_add(&text, "a\0b", 3);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.data, "a\0b", 4);
}

static void
test_cut_takes_back_what_was_added(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf text = {0};
    strbuf_cut(&text, 0);
    strbuf_add_text(&text, "kept, not this");
    strbuf_cut(&text, 4);
    strbuf_cut(&text, 9);
    assert_string_equal(strbuf_text(&text), "kept");
    assert_int_equal(text.length, 4);
}

static void
test_take_hands_over_and_empties(void **state)
{
    (void)state;
    StrBuf text = {0};
    strbuf_add_text(&text, "kept");
    CLEANUP(autofree) char *taken = strbuf_take(&text);
    assert_string_equal(taken, "kept");
    assert_null(text.data);
    assert_int_equal(text.length, 0);
    CLEANUP(autofree) char *nothing = strbuf_take(&text);
    assert_string_equal(nothing, "");
}

static void
test_clear_keeps_memory(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf text = {0};
    strbuf_clear(&text);
    assert_string_equal(strbuf_text(&text), "");
    strbuf_add_text(&text, "gone");
    const char *before = text.data;
    strbuf_clear(&text);
    assert_string_equal(strbuf_text(&text), "");
    strbuf_add_text(&text, "new");
    assert_ptr_equal(text.data, before);
    assert_string_equal(strbuf_text(&text), "new");
}

static void
test_take_after_failure_gives_null(void **state)
{
    (void)state;
    StrBuf text = {0};
    strbuf_add_text(&text, "some");
    text.failed = true;
    strbuf_add_text(&text, "more");
    assert_string_equal(strbuf_text(&text), "some");
    assert_null(strbuf_take(&text));
    assert_null(text.data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_parts_are_joined),
        cmocka_unit_test(test_add_more_than_capacity_grows),
        cmocka_unit_test(test_add_bytes_may_hold_nul),
        cmocka_unit_test(test_cut_takes_back_what_was_added),
        cmocka_unit_test(test_take_hands_over_and_empties),
        cmocka_unit_test(test_clear_keeps_memory),
        cmocka_unit_test(test_take_after_failure_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

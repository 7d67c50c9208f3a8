#include "common/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_wrap_keeps_detail_and_prefixes_text(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(
        error_set_sqlstate(&err, ERROR_RETRY, "database_error", "40P01", "deadlock %d", 1));
    assert_false(error_wrap(&err, "batch %d", 2));
    assert_string_equal(err.text, "batch 2: deadlock 1");
    assert_string_equal(err.detail, "deadlock 1");
    assert_string_equal(err.sqlstate, "40P01");
}

static void
test_set_too_long_is_marked_between_characters(void **state)
{
    (void)state;
    char text[2 * ERROR_TEXT_BYTES];
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "é", 2);
    Error err = {0};
    assert_false(error_set(&err, ERROR_REJECT, "x", "%s", text));
    const size_t length = strlen(err.text);
    assert_true(length < ERROR_TEXT_BYTES);
    assert_string_equal(err.text + length - 3, "…");
    assert_int_equal((length - 3) % 2, 0);
}

static void
test_set_short_text_is_kept_whole(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(error_set(&err, ERROR_HOLD, "code", "%s %d", "text", 1));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.code, "code");
    assert_string_equal(err.text, "text 1");
    assert_string_equal(err.sqlstate, "");
    assert_false(error_set_sqlstate(&err, ERROR_RETRY, "code", NULL, "x"));
    assert_string_equal(err.sqlstate, "");
    error_clear(&err);
    assert_int_equal(err.kind, ERROR_NONE);
    assert_string_equal(err.text, "");
}

static void
test_kind_name_is_known_for_every_kind(void **state)
{
    (void)state;
    Error err = {0};
    assert_string_equal(error_kind_name(err.kind), "none");
    assert_string_equal(error_kind_name(ERROR_REJECT), "reject");
    assert_string_equal(error_kind_name(ERROR_RETRY), "retry");
    assert_string_equal(error_kind_name(ERROR_HOLD), "hold");
    assert_false(error_out_of_memory(&err));
    assert_string_equal(error_kind_name(err.kind), "fatal");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrap_keeps_detail_and_prefixes_text),
        cmocka_unit_test(test_set_short_text_is_kept_whole),
        cmocka_unit_test(test_kind_name_is_known_for_every_kind),
        cmocka_unit_test(test_set_too_long_is_marked_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

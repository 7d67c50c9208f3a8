#include "worker/repository/database.h"
#include "worker/repository/json_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_keep_beyond_the_limit_is_cut(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf json = {0};
    char text[1001];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    JsonList list = json_list_open(&json, NULL);
    size_t before;
    do {
        before = json.length;
        json_add_text(&json, NULL, text);
    } while (json_list_keep(&list, before));
    assert_int_equal(json.length, before);
    json_close_array(&json);
    assert_int_equal(list.count, DATABASE_LIST_BYTES_MAX / (sizeof(text) + 2));
    assert_true(json.length <= DATABASE_LIST_BYTES_MAX + 2);
    assert_string_equal(json.data + json.length - 4, "xx\"]");
}

static void
test_add_digits_keeps_them_and_turns_nan_into_null(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf json = {0};
    json_open_object(&json, NULL);
    json_add_digits(&json, "cost", "12345678901234567.10");
    json_add_digits(&json, "nan", "NaN");
    json_add_digits(&json, "none", NULL);
    json_close_object(&json);
    assert_string_equal(strbuf_text(&json),
                        "{\"cost\":12345678901234567.10,\"nan\":null,\"none\":null}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_beyond_the_limit_is_cut),
        cmocka_unit_test(test_add_digits_keeps_them_and_turns_nan_into_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

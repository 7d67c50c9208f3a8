#include "common/pg/pg_array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_end_without_elements_gives_empty_array(void **state)
{
    (void)state;
    CLEANUP(pg_array_done) PgArray array = {0};
    assert_string_equal(pg_array_end(&array), "{}");
}

static void
test_add_texts_quotes_and_escapes_them(void **state)
{
    (void)state;
    CLEANUP(pg_array_done) PgArray array = {0};
    pg_array_add(&array, "plain");
    pg_array_add(&array, "");
    pg_array_add(&array, "a\"b\\c,{d}");
    pg_array_add(&array, "NULL");
    pg_array_add(&array, NULL);
    assert_string_equal(pg_array_end(&array), "{\"plain\",\"\",\"a\\\"b\\\\c,{d}\",\"NULL\",NULL}");
}

static void
test_add_numbers_and_flags_writes_them_bare(void **state)
{
    (void)state;
    CLEANUP(pg_array_done) PgArray array = {0};
    pg_array_add_int64(&array, INT64_MIN);
    pg_array_add_int64(&array, 0);
    pg_array_add_bool(&array, true);
    pg_array_add_bool(&array, false);
    assert_string_equal(pg_array_end(&array), "{-9223372036854775808,0,t,f}");
}

static void
test_of_texts_gives_all_in_order(void **state)
{
    (void)state;
    CLEANUP(pg_array_done) PgArray array = {0};
    Error err = {0};
    const char *const texts[] = {"b", "a"};
    const char *text = NULL;
    assert_true(pg_array_of_texts(&array, texts, ARRAY_LEN(texts), &text, &err));
    assert_string_equal(text, "{\"b\",\"a\"}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_without_elements_gives_empty_array),
        cmocka_unit_test(test_add_texts_quotes_and_escapes_them),
        cmocka_unit_test(test_add_numbers_and_flags_writes_them_bare),
        cmocka_unit_test(test_of_texts_gives_all_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "worker/repository/database.h"
#include "worker/repository/json_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_add_beyond_the_limit_is_cut(void **state)
{
    (void)state;
    CLEANUP(json_list_done) JsonList list = {0};
    char text[1001];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_true(json_list_init(&list));
    for (int i = 0; i < 1000; i++)
        assert_true(json_list_add(&list, cJSON_CreateString(text)));
    char *printed = cJSON_PrintUnformatted(list.array);
    assert_true(list.full);
    assert_int_equal(cJSON_GetArraySize(list.array), (int)list.count);
    assert_true(list.count > 400 && list.count < 1000);
    assert_true(strlen(printed) <= DATABASE_LIST_BYTES_MAX + 2);
    cJSON_free(printed);
}

static void
test_add_digits_keeps_them_and_turns_nan_into_null(void **state)
{
    (void)state;
    CLEANUP(json_freep) cJSON *object = cJSON_CreateObject();
    assert_true(json_add_digits(object, "cost", "12345678901234567.10"));
    assert_true(json_add_digits(object, "nan", "NaN"));
    assert_true(json_add_digits(object, "none", NULL));
    assert_true(json_add_text(object, "text", NULL));
    char *printed = cJSON_PrintUnformatted(object);
    assert_string_equal(printed,
                        "{\"cost\":12345678901234567.10,\"nan\":null,\"none\":null,\"text\":null}");
    cJSON_free(printed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_beyond_the_limit_is_cut),
        cmocka_unit_test(test_add_digits_keeps_them_and_turns_nan_into_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

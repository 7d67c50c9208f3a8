#include "common/json.h"
#include "common/strbuf.h"
#include "worker/message/error_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 200000);
    assert_non_null(text);
    assert_true(fread(text, 1, 199999, file) > 0);
    (void)fclose(file);
    return text;
}

static void
test_contract_lists_exactly_the_codes(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf table = {0};
    strbuf_add_text(&table, "<!-- error-codes -->\n| code | meaning |\n|---|---|\n");
    for (int code = 0; code < ERROR_CODE_COUNT; code++)
        strbuf_add_format(&table, "| `%s` | %s |\n", error_code_name((ErrorCode)code),
                          error_code_help((ErrorCode)code));
    strbuf_add_text(&table, "<!-- /error-codes -->");
    CLEANUP(autofree) char *contract = read_file(SOURCE_DIR "/deploy/schemas/CONTRACT.md");
    assert_non_null(strstr(contract, strbuf_text(&table)));
}

static void
test_schema_lists_exactly_the_codes(void **state)
{
    (void)state;
    static const char *const path[] = {"properties", "error", "anyOf"};
    CLEANUP(autofree) char *text = read_file(SOURCE_DIR "/deploy/schemas/result.schema.json");
    CLEANUP(json_deletep) cJSON *schema = cJSON_Parse(text);
    const cJSON *at = schema;
    for (size_t i = 0; i < ARRAY_LEN(path); i++)
        at = cJSON_GetObjectItemCaseSensitive(at, path[i]);
    at = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(at, 0), "properties");
    at = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(at, "code"), "enum");
    assert_int_equal(cJSON_GetArraySize(at), ERROR_CODE_COUNT);
    for (int code = 0; code < ERROR_CODE_COUNT; code++)
        assert_string_equal(cJSON_GetArrayItem(at, code)->valuestring,
                            error_code_name((ErrorCode)code));
}

static void
test_find_stored_name_gives_its_code(void **state)
{
    (void)state;
    for (int code = 0; code < ERROR_CODE_COUNT; code++)
        assert_int_equal(error_code_find(error_code_name((ErrorCode)code), ERROR_CODE_COUNT), code);
    assert_int_equal(error_code_find("", ERROR_CODE_DATABASE_ERROR), ERROR_CODE_DATABASE_ERROR);
    assert_int_equal(error_code_find("connection_lost", ERROR_CODE_DATABASE_ERROR),
                     ERROR_CODE_DATABASE_ERROR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract_lists_exactly_the_codes),
        cmocka_unit_test(test_schema_lists_exactly_the_codes),
        cmocka_unit_test(test_find_stored_name_gives_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/json.h"
#include "common/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_commas_come_between_members_and_elements(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf json = {0};
    json_open_object(&json, NULL);
    json_open_array(&json, "empty");
    json_close_array(&json);
    json_open_array(&json, "list");
    json_add_int64(&json, NULL, 1);
    json_open_object(&json, NULL);
    json_close_object(&json);
    json_add_text(&json, NULL, "{");
    json_add_bool(&json, NULL, true);
    json_close_array(&json);
    json_open_object(&json, "inner");
    json_add_text(&json, "none", NULL);
    json_add_raw(&json, "raw", "1.50");
    json_close_object(&json);
    json_close_object(&json);
    assert_string_equal(strbuf_text(&json), "{\"empty\":[],\"list\":[1,{},\"{\",true],"
                                            "\"inner\":{\"none\":null,\"raw\":1.50}}");
}

static void
test_numbers_keep_every_digit(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf json = {0};
    json_open_array(&json, NULL);
    json_add_int64(&json, NULL, 0);
    json_add_int64(&json, NULL, INT64_MAX);
    json_add_int64(&json, NULL, INT64_MIN);
    json_close_array(&json);
    assert_string_equal(strbuf_text(&json), "[0,9223372036854775807,-9223372036854775808]");
}

static void
test_tenths_have_a_point_only_when_needed(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf json = {0};
    const int64_t tenths[] = {0, 1, 10, 3105, -5, -10, -15};
    json_open_array(&json, NULL);
    for (size_t i = 0; i < ARRAY_LEN(tenths); i++)
        json_add_tenths(&json, NULL, tenths[i]);
    json_close_array(&json);
    assert_string_equal(strbuf_text(&json), "[0,0.1,1,310.5,-0.5,-1,-1.5]");
}

static void
test_time_is_rfc_3339(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf json = {0};
    json_add_time(&json, "at", 1000001);
    assert_string_equal(strbuf_text(&json), "\"at\":\"1970-01-01T00:00:01.000001Z\"");
}

/* Every character, alone and between others, as cJSON writes it and as it reads back. */
static void
test_text_is_escaped_as_cjson_does(void **state)
{
    (void)state;
    for (int character = 1; character < 128; character++) {
        const char text[] = {'a', (char)character, 'b', (char)character, '\0'};
        CLEANUP(strbuf_done) StrBuf json = {0};
        CLEANUP(json_deletep) cJSON *item = cJSON_CreateString(text);
        CLEANUP(autofree) char *expected = cJSON_PrintUnformatted(item);
        json_add_text(&json, NULL, text);
        assert_string_equal(strbuf_text(&json), expected);
        CLEANUP(json_deletep) cJSON *back = cJSON_Parse(strbuf_text(&json));
        assert_string_equal(cJSON_GetStringValue(back), text);
    }
}

/* Plain text is looked at eight bytes at a time. */
static void
test_text_is_escaped_at_any_place(void **state)
{
    (void)state;
    static const struct {
        char character;
        const char *escaped;
    } cases[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {0x1f, "\\u001f"}, {0x20, " "},
                 {'!', "!"},    {0x7f, "\x7f"}, {'[', "["},    {']', "]"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t place = 0; place < 20; place++) {
            CLEANUP(strbuf_done) StrBuf json = {0};
            char text[] = "aaaaaaaaaaaaaaaaaaaa";
            char expected[64];
            text[place] = cases[i].character;
            assert_true(snprintf(expected, sizeof(expected), "\"%.*s%s%s\"", (int)place,
                                 "aaaaaaaaaaaaaaaaaaaa", cases[i].escaped, text + place + 1) > 0);
            json_quote(&json, text);
            assert_string_equal(strbuf_text(&json), expected);
        }
    }
}

static void
test_text_beyond_ascii_is_kept(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf json = {0};
    json_add_text(&json, NULL, "Zürich \xf0\x9f\x8f\xa0");
    assert_string_equal(strbuf_text(&json), "\"Zürich \xf0\x9f\x8f\xa0\"");
}

static void
test_quote_bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
        {"\xE6\x97\xA5", "\"\xE6\x97\xA5\""},
        {"\xE6\x97", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xC0\x80\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\"\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(strbuf_done) StrBuf json = {0};
        json_quote(&json, texts[i][0]);
        assert_string_equal(strbuf_text(&json), texts[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quote_bytes_that_are_no_utf8_become_replacement_characters),
        cmocka_unit_test(test_commas_come_between_members_and_elements),
        cmocka_unit_test(test_numbers_keep_every_digit),
        cmocka_unit_test(test_tenths_have_a_point_only_when_needed),
        cmocka_unit_test(test_time_is_rfc_3339),
        cmocka_unit_test(test_text_is_escaped_as_cjson_does),
        cmocka_unit_test(test_text_is_escaped_at_any_place),
        cmocka_unit_test(test_text_beyond_ascii_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

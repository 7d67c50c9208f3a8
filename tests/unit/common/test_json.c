#include "common/json.h"
#include "common/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    DEPTH = 16,
};

typedef struct FaultCase {
    const char *text;
    JsonFault fault;
} FaultCase;

static JsonFault
fault_of(const char *bytes, size_t size)
{
    cJSON *root = NULL;
    size_t position;
    const JsonFault fault = json_parse(bytes, size, DEPTH, &root, &position);
    assert_true((fault == JSON_FAULT_NONE) == (root != NULL));
    cJSON_Delete(root);
    return fault;
}

static void
assert_faults(const FaultCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const JsonFault fault = fault_of(cases[i].text, strlen(cases[i].text));
        if (fault != cases[i].fault)
            fail_msg("%s: fault %d, wanted %d", cases[i].text, (int)fault, (int)cases[i].fault);
    }
}

static void
test_parse_valid_texts_are_taken(void **state)
{
    (void)state;
    static const char *const valid[] = {
        "0",
        "-0",
        "-0.5e-3",
        "1E+2",
        "\"\"",
        "true",
        "null",
        " \t\r\n[ ] \n",
        "{ }",
        "[1,2,[3]]",
        "{\"a\":{\"a\":1},\"A\":2}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83d\\uDE00\"",
        "\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\"",
        "\"\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"",
        "\"\xEF\xBB\xBF\"",
        "123456789012345678901234567890123456789012345678901234567890123",
    };
    for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
        if (fault_of(valid[i], strlen(valid[i])) != JSON_FAULT_NONE)
            fail_msg("%s was refused", valid[i]);
    }
}

static void
test_parse_other_syntax_is_refused(void **state)
{
    (void)state;
    static const FaultCase cases[] = {
        {"", JSON_FAULT_SYNTAX},
        {"   ", JSON_FAULT_SYNTAX},
        {"[", JSON_FAULT_SYNTAX},
        {"[1", JSON_FAULT_SYNTAX},
        {"[1,", JSON_FAULT_SYNTAX},
        {"[1,]", JSON_FAULT_SYNTAX},
        {"[,1]", JSON_FAULT_SYNTAX},
        {"[1 2]", JSON_FAULT_SYNTAX},
        {"[1}", JSON_FAULT_SYNTAX},
        {"{\"a\":1,}", JSON_FAULT_SYNTAX},
        {"{\"a\"}", JSON_FAULT_SYNTAX},
        {"{\"a\":}", JSON_FAULT_SYNTAX},
        {"{a:1}", JSON_FAULT_SYNTAX},
        {"{1:1}", JSON_FAULT_SYNTAX},
        {"'a'", JSON_FAULT_SYNTAX},
        {"1 // c", JSON_FAULT_SYNTAX},
        {"/**/1", JSON_FAULT_SYNTAX},
        {"1 1", JSON_FAULT_SYNTAX},
        {"\x0B"
         "1",
         JSON_FAULT_SYNTAX},
        {"\x0C"
         "1",
         JSON_FAULT_SYNTAX},
        {"\xC2\xA0"
         "1",
         JSON_FAULT_SYNTAX},
        {"True", JSON_FAULT_SYNTAX},
        {"nul", JSON_FAULT_SYNTAX},
        {"nulll", JSON_FAULT_SYNTAX},
    };
    assert_faults(cases, ARRAY_LEN(cases));
}

static void
test_parse_other_numbers_are_refused(void **state)
{
    (void)state;
    static const FaultCase cases[] = {
        {"01", JSON_FAULT_SYNTAX},       {"-01", JSON_FAULT_SYNTAX},  {"+1", JSON_FAULT_SYNTAX},
        {"1.", JSON_FAULT_SYNTAX},       {".5", JSON_FAULT_SYNTAX},   {"-", JSON_FAULT_SYNTAX},
        {"1e", JSON_FAULT_SYNTAX},       {"1e+", JSON_FAULT_SYNTAX},  {"1e+-1", JSON_FAULT_SYNTAX},
        {"0x10", JSON_FAULT_SYNTAX},     {"1,5", JSON_FAULT_SYNTAX},  {"NaN", JSON_FAULT_SYNTAX},
        {"Infinity", JSON_FAULT_SYNTAX}, {"-inf", JSON_FAULT_SYNTAX}, {"1e400", JSON_FAULT_SYNTAX},
        {"[-1e400]", JSON_FAULT_SYNTAX}, {"1f", JSON_FAULT_SYNTAX},
    };
    assert_faults(cases, ARRAY_LEN(cases));
}

/* Several releases of cJSON end a number after 63 bytes and then fail. */
static void
test_parse_number_too_long_is_a_fault_of_the_text(void **state)
{
    (void)state;
    char text[JSON_NUMBER_MAX_BYTES + 3] = "[";
    memset(text + 1, '1', JSON_NUMBER_MAX_BYTES);
    text[JSON_NUMBER_MAX_BYTES + 1] = ']';
    assert_int_equal(fault_of(text, JSON_NUMBER_MAX_BYTES + 2), JSON_FAULT_NONE);
    text[JSON_NUMBER_MAX_BYTES + 1] = '1';
    text[JSON_NUMBER_MAX_BYTES + 2] = ']';
    assert_int_equal(fault_of(text, sizeof(text)), JSON_FAULT_SYNTAX);
}

static void
test_parse_other_strings_are_refused(void **state)
{
    (void)state;
    static const FaultCase cases[] = {
        {"\"", JSON_FAULT_SYNTAX},
        {"\"\\", JSON_FAULT_SYNTAX},
        {"\"\\\"", JSON_FAULT_SYNTAX},
        {"\"\n\"", JSON_FAULT_SYNTAX},
        {"\"\x1F\"", JSON_FAULT_SYNTAX},
        {"\"\\a\"", JSON_FAULT_SYNTAX},
        {"\"\\U0041\"", JSON_FAULT_SYNTAX},
        {"\"\\u004\"", JSON_FAULT_SYNTAX},
        {"\"\\u004g\"", JSON_FAULT_SYNTAX},
        {"\"\\u0000\"", JSON_FAULT_SYNTAX},
        {"\"\\uD800\"", JSON_FAULT_SYNTAX},
        {"\"\\uDBFFx\"", JSON_FAULT_SYNTAX},
        {"\"\\uD800\\n\"", JSON_FAULT_SYNTAX},
        {"\"\\uD800\\uD800\"", JSON_FAULT_SYNTAX},
        {"\"\\uDC00\\uD800\"", JSON_FAULT_SYNTAX},
    };
    assert_faults(cases, ARRAY_LEN(cases));
}

static void
test_parse_other_encodings_are_refused(void **state)
{
    (void)state;
    static const FaultCase cases[] = {
        {"\xEF\xBB\xBF{}", JSON_FAULT_UTF8},
        {"\"\x80\"", JSON_FAULT_UTF8},
        {"\"\xC0\x80\"", JSON_FAULT_UTF8},
        {"\"\xC1\xBF\"", JSON_FAULT_UTF8},
        {"\"\xC3\"", JSON_FAULT_UTF8},
        {"\"\xC3", JSON_FAULT_UTF8},
        {"\"\xE0\x9F\xBF\"", JSON_FAULT_UTF8},
        {"\"\xE2\x82\"", JSON_FAULT_UTF8},
        {"\"\xED\xA0\x80\"", JSON_FAULT_UTF8},
        {"\"\xF0\x8F\xBF\xBF\"", JSON_FAULT_UTF8},
        {"\"\xF4\x90\x80\x80\"", JSON_FAULT_UTF8},
        {"\"\xF5\x80\x80\x80\"", JSON_FAULT_UTF8},
        {"\xFF\xFE{", JSON_FAULT_UTF8},
    };
    assert_faults(cases, ARRAY_LEN(cases));
    static const char utf16[] = {'{', '\0', '}', '\0'};
    assert_int_equal(fault_of(utf16, sizeof(utf16)), JSON_FAULT_SYNTAX);
}

static void
test_parse_key_named_twice_is_refused(void **state)
{
    (void)state;
    static const FaultCase cases[] = {
        {"{\"a\":1,\"b\":2,\"a\":1}", JSON_FAULT_DUPLICATE_KEY},
        {"{\"a\":1,\"\\u0061\":2}", JSON_FAULT_DUPLICATE_KEY},
        {"[{\"x\":{\"\":1,\"\":1}}]", JSON_FAULT_DUPLICATE_KEY},
        {"{\"\\/\":1,\"/\":2}", JSON_FAULT_DUPLICATE_KEY},
        {"[{\"a\":1},{\"a\":1}]", JSON_FAULT_NONE},
    };
    assert_faults(cases, ARRAY_LEN(cases));
}

static void
test_parse_depth_is_limited(void **state)
{
    (void)state;
    char text[2 * (DEPTH + 1)];
    memset(text, '[', DEPTH + 1);
    memset(text + DEPTH + 1, ']', DEPTH + 1);
    assert_int_equal(fault_of(text + 1, 2 * (size_t)DEPTH), JSON_FAULT_NONE);
    assert_int_equal(fault_of(text, sizeof(text)), JSON_FAULT_DEPTH);
}

static void
test_parse_reads_no_byte_beyond_size(void **state)
{
    (void)state;
    assert_int_equal(fault_of("12x", 2), JSON_FAULT_NONE);
    assert_int_equal(fault_of("true", 3), JSON_FAULT_SYNTAX);
    assert_int_equal(fault_of("\"\\u00e9\"", 5), JSON_FAULT_SYNTAX);
    assert_int_equal(fault_of("1\0", 2), JSON_FAULT_SYNTAX);
    /* On the heap, so that an address sanitizer sees a byte too many. */
    CLEANUP(autofree) char *exact = malloc(2);
    assert_non_null(exact);
    memcpy(exact, "[]", 2);
    assert_int_equal(fault_of(exact, 2), JSON_FAULT_NONE);
    assert_int_equal(fault_of(exact, 1), JSON_FAULT_SYNTAX);
}

static void
test_parse_fault_tells_position_and_leaves_output(void **state)
{
    (void)state;
    cJSON *root = (cJSON *)(uintptr_t)16;
    size_t position = 0;
    assert_int_equal(json_parse("{\"a\":?}", 7, DEPTH, &root, &position), JSON_FAULT_SYNTAX);
    assert_int_equal(position, 5);
    assert_int_equal(json_parse("{\"\xFF\"}", 5, DEPTH, &root, &position), JSON_FAULT_UTF8);
    assert_int_equal(position, 2);
    assert_true(root == (cJSON *)(uintptr_t)16);
}

static void
test_parse_thousands_of_keys_are_compared(void **state)
{
    (void)state;
    CLEANUP(strbuf_done) StrBuf text = {0};
    strbuf_add_char(&text, '{');
    for (int i = 0; i < 5000; i++)
        strbuf_add_format(&text, "\"%d\":0,", i);
    const size_t length = text.length;
    strbuf_add_text(&text, "\"x\":0}");
    assert_int_equal(fault_of(text.data, text.length), JSON_FAULT_NONE);
    memcpy(text.data + length, "\"7\"", 3);
    assert_int_equal(fault_of(text.data, text.length), JSON_FAULT_DUPLICATE_KEY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_valid_texts_are_taken),
        cmocka_unit_test(test_parse_other_syntax_is_refused),
        cmocka_unit_test(test_parse_other_numbers_are_refused),
        cmocka_unit_test(test_parse_number_too_long_is_a_fault_of_the_text),
        cmocka_unit_test(test_parse_other_strings_are_refused),
        cmocka_unit_test(test_parse_other_encodings_are_refused),
        cmocka_unit_test(test_parse_key_named_twice_is_refused),
        cmocka_unit_test(test_parse_depth_is_limited),
        cmocka_unit_test(test_parse_reads_no_byte_beyond_size),
        cmocka_unit_test(test_parse_fault_tells_position_and_leaves_output),
        cmocka_unit_test(test_parse_thousands_of_keys_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

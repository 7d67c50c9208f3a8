/* Values that are no commands, but hold one: their rejections say in what. The codes are those of
 * any other value of the kind. */
#include "tests/unit/message/parsing.h"
#include "worker/message/wrapping.h"

#define COMMAND "{\"task\":\"scheduled_cleanup\"}"

static void
assert_bytes_rejected(const char *bytes, size_t size, ErrorCode code, const char *part)
{
    Record record = record_of("");
    record.value = (Bytes){bytes, size};
    assert_record_rejected(&record, code, part);
}

#define ASSERT_REJECTED(text, code, part)                                                          \
    assert_bytes_rejected((text), sizeof(text) - 1, (code), (part))

static void
test_parse_framing_of_a_registry_is_named(void **state)
{
    (void)state;
    static const char part[] = "; it begins as a schema registry's serializer does";
    ASSERT_REJECTED("\0\0\0\0\7" COMMAND, ERROR_CODE_INVALID_JSON, part);
    ASSERT_REJECTED("\0\0\x01\xF4\x9A" COMMAND, ERROR_CODE_INVALID_UTF8, part);
    ASSERT_REJECTED("\0\0\0\0\7\x22scheduled_cleanup", ERROR_CODE_INVALID_JSON, part);
    ASSERT_REJECTED("\0\0\0\0\x01\x02", ERROR_CODE_INVALID_JSON, part);
}

static void
test_parse_utf16_is_named(void **state)
{
    (void)state;
    ASSERT_REJECTED("{\0}\0", ERROR_CODE_INVALID_JSON, "; it looks like UTF-16: send UTF-8");
    ASSERT_REJECTED("\0{\0}", ERROR_CODE_INVALID_JSON, "; it looks like UTF-16: send UTF-8");
    ASSERT_REJECTED("\xFF\xFE{\0}\0", ERROR_CODE_INVALID_UTF8, "; it begins as UTF-16: send UTF-8");
    ASSERT_REJECTED("\xFE\xFF\0{\0}", ERROR_CODE_INVALID_UTF8, "; it begins as UTF-16: send UTF-8");
}

static void
test_parse_serialized_objects_are_named(void **state)
{
    (void)state;
    ASSERT_REJECTED("{'task': 'scheduled_cleanup'}", ERROR_CODE_INVALID_JSON, "a dict of Python");
    ASSERT_REJECTED("b'" COMMAND "'", ERROR_CODE_INVALID_JSON, "bytes printed by Python");
    ASSERT_REJECTED("\x80\x04\x95}", ERROR_CODE_INVALID_UTF8, "a pickle of Python");
    ASSERT_REJECTED("\xAC\xED\0\5t", ERROR_CODE_INVALID_UTF8, "a serialized Java object");
    ASSERT_REJECTED("\x1F\x8B\x08", ERROR_CODE_INVALID_UTF8, "begins as gzip");
}

static void
test_parse_json_encoded_twice_is_named(void **state)
{
    (void)state;
    static const char part[] = "; it is a string that holds JSON: it was encoded twice";
    const RecordHeader structured[] = {HEADER("content-type", "application/cloudevents+json")};
    Record event = record_with("\"{\\\"specversion\\\":\\\"1.0\\\"}\"", structured, 1);
    ASSERT_REJECTED("\"{\\\"task\\\":\\\"scheduled_cleanup\\\"}\"", ERROR_CODE_NOT_AN_OBJECT, part);
    ASSERT_REJECTED("\" \\\"{}\\\"\"", ERROR_CODE_NOT_AN_OBJECT, part);
    ASSERT_REJECTED("{\"task\":\"scheduled_cleanup\",\"params\":\"{}\"}", ERROR_CODE_NOT_AN_OBJECT,
                    part);
    assert_record_rejected(&event, ERROR_CODE_NOT_AN_OBJECT, part);
}

static void
test_parse_wrapping_of_connect_is_named(void **state)
{
    (void)state;
    static const char part[] = "; it is in the wrapping of Kafka Connect: set "
                               "value.converter.schemas.enable=false";
    const RecordHeader binary[] = {HEADER("ce_specversion", "1.0"), HEADER("ce_id", "e"),
                                   HEADER("ce_type", "cleanup.command.scheduled_cleanup"),
                                   HEADER("ce_source", "s")};
    Record event = record_with("{\"schema\":null,\"payload\":{}}", binary, ARRAY_LEN(binary));
    ASSERT_REJECTED("{\"schema\":{\"type\":\"struct\"},\"payload\":" COMMAND "}",
                    ERROR_CODE_UNKNOWN_MEMBER, part);
    assert_record_rejected(&event, ERROR_CODE_UNKNOWN_PARAM, part);
}

static void
test_parse_event_without_its_header_is_named(void **state)
{
    (void)state;
    ASSERT_REJECTED("{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\","
                    "\"type\":\"cleanup.command.scheduled_cleanup\"}",
                    ERROR_CODE_UNKNOWN_MEMBER,
                    "; it is a CloudEvent: send it with the header content-type: "
                    "application/cloudevents+json");
}

static void
test_hint_of_what_is_not_known_is_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "hello", "\"hello\"", COMMAND "x"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_string_equal(wrapping_of_bytes(BYTES_TEXT(texts[i])), "");
    assert_string_equal(wrapping_of_bytes((Bytes){"\0\0\0\0\1", 5}), "");
    assert_string_equal(wrapping_of_bytes((Bytes){NULL, 0}), "");
    assert_string_equal(wrapping_of_tree(NULL), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_framing_of_a_registry_is_named),
        cmocka_unit_test(test_parse_utf16_is_named),
        cmocka_unit_test(test_parse_serialized_objects_are_named),
        cmocka_unit_test(test_parse_json_encoded_twice_is_named),
        cmocka_unit_test(test_parse_wrapping_of_connect_is_named),
        cmocka_unit_test(test_parse_event_without_its_header_is_named),
        cmocka_unit_test(test_hint_of_what_is_not_known_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

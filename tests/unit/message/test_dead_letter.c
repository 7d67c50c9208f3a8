#include "worker/message/dead_letter.h"

#include "tests/unit/message/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const DeadLetterReason reason = {"cleanup-workers", 0, "Rejected: no"};

static void
test_record_keeps_the_original_and_says_why(void **state)
{
    (void)state;
    const RecordHeader headers[] = {{"own", BYTES_TEXT("1")},
                                    {"__dlq.errors.message", BYTES_TEXT("older")}};
    const Record original = {.topic = "cleanup.commands",
                             .partition = 3,
                             .offset = 41,
                             .key = BYTES_TEXT("k"),
                             .value = BYTES_TEXT("v"),
                             .headers = headers,
                             .header_count = 2};
    CLEANUP(record_freep) Record *record = dead_letter_record("dead", &original, &reason, 100000);
    assert_non_null(record);
    assert_string_equal(record->topic, "dead");
    assert_string_equal(record->value.data, "v");
    assert_string_equal(record->key.data, "k");
    assert_int_equal(record->header_count, 7);
    assert_header(record, "own", "1");
    assert_header(record, "__dlq.errors.topic", "cleanup.commands");
    assert_header(record, "__dlq.errors.partition", "3");
    assert_header(record, "__dlq.errors.offset", "41");
    assert_header(record, "__dlq.errors.group", "cleanup-workers");
    assert_header(record, "__dlq.errors.delivery.count", "1");
    assert_header(record, "__dlq.errors.message", "Rejected: no");
}

static void
test_record_too_large_is_cut_and_says_so(void **state)
{
    (void)state;
    char value[20000];
    memset(value, 'x', sizeof(value));
    const Record original = {.topic = "t", .value = {value, sizeof(value)}};
    CLEANUP(record_freep) Record *record = dead_letter_record("dead", &original, &reason, 10000);
    assert_non_null(record);
    assert_true(record->value.size < 10000);
    assert_true(record->value.size > 5000);
    assert_header(record, "__dlq.errors.message", "(the record was cut) Rejected: no");
}

static void
test_record_long_reason_stays_utf8(void **state)
{
    (void)state;
    char text[3001];
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i < 3000; i += 3)
        memcpy(text + i, "…", 3);
    const DeadLetterReason long_reason = {"g", 1, text};
    const Record original = {.topic = "t", .value = BYTES_TEXT("v")};
    CLEANUP(record_freep)
    Record *record = dead_letter_record("dead", &original, &long_reason, 100000);
    const RecordHeader *header = record_header(record, "__dlq.errors.message");
    assert_true(header->value.size > 900 && header->value.size < ERROR_TEXT_BYTES);
    assert_int_equal(header->value.size % 3, 0);
    assert_memory_equal(header->value.data, text, header->value.size);
}

static void
test_record_cut_with_a_long_reason_keeps_both(void **state)
{
    (void)state;
    static const char start[] = "(the record was cut) ";
    char value[20000];
    char text[ERROR_TEXT_BYTES];
    memset(value, 'x', sizeof(value));
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    const DeadLetterReason long_reason = {"g", 1, text};
    const Record original = {.topic = "t", .value = {value, sizeof(value)}};
    CLEANUP(record_freep)
    Record *record = dead_letter_record("dead", &original, &long_reason, 10000);
    const RecordHeader *header = record_header(record, "__dlq.errors.message");
    assert_int_equal(header->value.size, ERROR_TEXT_BYTES - 1);
    assert_memory_equal(header->value.data, start, strlen(start));
    assert_memory_equal(header->value.data + strlen(start), text,
                        header->value.size - strlen(start));
}

/* Many small headers once came out larger than the limit. */
static void
test_record_many_headers_stay_below_the_limit(void **state)
{
    (void)state;
    static RecordHeader headers[3000];
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        headers[i] = (RecordHeader){"h", {NULL, 0}};
    const Record original = {.topic = "t",
                             .key = BYTES_TEXT("k"),
                             .value = BYTES_TEXT("v"),
                             .headers = headers,
                             .header_count = ARRAY_LEN(headers)};
    CLEANUP(record_freep) Record *record = dead_letter_record("dead", &original, &reason, 10000);
    assert_non_null(record);
    assert_int_equal(record->header_count, 6);
    assert_string_equal(record->value.data, "v");
    assert_header(record, "__dlq.errors.message", "(the record was cut) Rejected: no");
}

static void
test_record_tombstone_stays_absent(void **state)
{
    (void)state;
    const Record original = {.topic = "t", .value = {NULL, 0}};
    CLEANUP(record_freep) Record *record = dead_letter_record("dead", &original, &reason, 10000);
    assert_non_null(record);
    assert_null(record->key.data);
    assert_null(record->value.data);
    assert_header(record, "__dlq.errors.message", "Rejected: no");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_keeps_the_original_and_says_why),
        cmocka_unit_test(test_record_too_large_is_cut_and_says_so),
        cmocka_unit_test(test_record_many_headers_stay_below_the_limit),
        cmocka_unit_test(test_record_tombstone_stays_absent),
        cmocka_unit_test(test_record_long_reason_stays_utf8),
        cmocka_unit_test(test_record_cut_with_a_long_reason_keeps_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

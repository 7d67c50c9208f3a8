#include "common/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_copy_keeps_every_byte_and_tells_absent_from_empty(void **state)
{
    (void)state;
    static const char value[] = {'a', '\0', 'b'};
    const RecordHeader headers[] = {{"h", {NULL, 0}}, {"h", BYTES_TEXT("second")}};
    const Record source = {.topic = "t",
                           .partition = 1,
                           .offset = 2,
                           .timestamp_ms = 3,
                           .key = {"", 0},
                           .value = {value, sizeof(value)},
                           .headers = headers,
                           .header_count = 2};
    CLEANUP(record_freep) Record *copy = record_copy(&source);
    assert_non_null(copy);
    assert_ptr_not_equal(copy->topic, source.topic);
    assert_string_equal(copy->topic, "t");
    assert_int_equal(copy->offset, 2);
    assert_non_null(copy->key.data);
    assert_int_equal(copy->key.size, 0);
    assert_int_equal(copy->value.size, 3);
    assert_memory_equal(copy->value.data, value, 3);
    assert_null(copy->headers[0].value.data);
    assert_string_equal(record_header(copy, "h")->value.data, "second");
    assert_null(record_header(copy, "H"));
    assert_true(record_size(copy) >= sizeof(*copy) + 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_keeps_every_byte_and_tells_absent_from_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/pg/pg_array.h"

#include "tests/support/test_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* `hex` is what PostgreSQL 15 itself says: SELECT encode(array_send(ARRAY[…]), 'hex'). */
static void
assert_bytes(const PgArray *array, const char *hex)
{
    char empty[PG_ARRAY_EMPTY_BYTES];
    char text[512] = "";
    const char *bytes = NULL;
    size_t size = 0;
    Error err = {0};
    assert_true(pg_array_bytes(array, empty, &bytes, &size, &err));
    assert_true(2 * size < sizeof(text));
    for (size_t i = 0; i < size; i++)
        assert_int_equal(
            snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", (unsigned char)bytes[i]), 2);
    assert_string_equal(text, hex);
}

static void
assert_invalid(const PgArray *array)
{
    char empty[PG_ARRAY_EMPTY_BYTES];
    const char *bytes = NULL;
    size_t size = 0;
    Error err = {0};
    assert_false(pg_array_bytes(array, empty, &bytes, &size, &err));
    assert_int_equal(err.kind, ERROR_REJECT);
}

static void
test_without_elements_is_the_empty_array_of_its_type(void **state)
{
    (void)state;
    const PgArray texts = {0};
    const PgArray uuids = {.element = PG_UUID};
    assert_bytes(&texts, "000000000000000000000019");
    assert_bytes(&uuids, "000000000000000000000b86");
}

static void
test_texts_stand_as_they_are_with_their_lengths(void **state)
{
    (void)state;
    PgArray array = {.bytes.arena = &arena};
    const char *const texts[] = {"a\"b\\c,{d}", "", "NULL"};
    pg_array_add_all(&array, texts, ARRAY_LEN(texts));
    assert_bytes(&array, "0000000100000000000000190000000300000001"
                         "000000096122625c632c7b647d"
                         "00000000"
                         "000000044e554c4c");
}

static void
test_null_has_no_bytes_and_is_flagged(void **state)
{
    (void)state;
    PgArray array = {.bytes.arena = &arena};
    pg_array_add(&array, NULL);
    pg_array_add(&array, "x");
    assert_bytes(&array, "0000000100000001000000190000000200000001"
                         "ffffffff"
                         "0000000178");
}

static void
test_numbers_are_in_network_byte_order(void **state)
{
    (void)state;
    PgArray wide = {.element = PG_INT8, .bytes.arena = &arena};
    PgArray narrow = {.element = PG_INT4, .bytes.arena = &arena};
    pg_array_add_int64(&wide, INT64_MIN);
    pg_array_add_int64(&wide, 258);
    assert_bytes(&wide, "0000000100000000000000140000000200000001"
                        "000000088000000000000000"
                        "000000080000000000000102");
    pg_array_add_int64(&narrow, INT32_MIN);
    pg_array_add_int64(&narrow, INT32_MAX);
    assert_bytes(&narrow, "0000000100000000000000170000000200000001"
                          "0000000480000000"
                          "000000047fffffff");
}

static void
test_flags_are_a_byte(void **state)
{
    (void)state;
    PgArray array = {.element = PG_BOOL, .bytes.arena = &arena};
    pg_array_add_bool(&array, true);
    pg_array_add_bool(&array, false);
    assert_bytes(&array, "0000000100000000000000100000000200000001"
                         "0000000101"
                         "0000000100");
}

static void
test_uuid_in_any_case_is_sixteen_bytes(void **state)
{
    (void)state;
    PgArray array = {.element = PG_UUID, .bytes.arena = &arena};
    pg_array_add(&array, "0d0c5b1e-8a51-4D4E-9c66-1f0f3f6f9a01");
    assert_bytes(&array, "000000010000000000000b860000000100000001"
                         "000000100d0c5b1e8a514d4e9c661f0f3f6f9a01");
}

/* 1 microsecond after 2000, and 1970. */
static void
test_time_counts_from_2000(void **state)
{
    (void)state;
    PgArray array = {.element = PG_TIMESTAMP, .bytes.arena = &arena};
    pg_array_add_time(&array, INT64_C(946684800000001));
    pg_array_add_time(&array, 0);
    assert_bytes(&array, "00000001000000000000045a0000000200000001"
                         "000000080000000000000001"
                         "00000008fffca2fec4c82000");
}

static void
test_what_is_no_element_of_the_type_makes_it_invalid(void **state)
{
    (void)state;
    static const char *const no_uuids[] = {
        "",
        "0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a0",
        "0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a011",
        "0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a0g",
        "0d0c5b1e08a51-4d4e-9c66-1f0f3f6f9a01",
    };
    for (size_t i = 0; i < ARRAY_LEN(no_uuids); i++) {
        PgArray array = {.element = PG_UUID, .bytes.arena = &arena};
        pg_array_add(&array, no_uuids[i]);
        assert_invalid(&array);
    }
    PgArray narrow = {.element = PG_INT4, .bytes.arena = &arena};
    PgArray texts = {.bytes.arena = &arena};
    pg_array_add_int64(&narrow, INT64_C(1) << 31);
    pg_array_add_bool(&texts, true);
    assert_invalid(&narrow);
    assert_invalid(&texts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_elements_is_the_empty_array_of_its_type),
        cmocka_unit_test(test_texts_stand_as_they_are_with_their_lengths),
        cmocka_unit_test(test_null_has_no_bytes_and_is_flagged),
        cmocka_unit_test(test_numbers_are_in_network_byte_order),
        cmocka_unit_test(test_flags_are_a_byte),
        cmocka_unit_test(test_uuid_in_any_case_is_sixteen_bytes),
        cmocka_unit_test(test_time_counts_from_2000),
        cmocka_unit_test(test_what_is_no_element_of_the_type_makes_it_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, test_arena_tear_down);
}

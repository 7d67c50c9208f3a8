#include "common/pg/pg_copy.h"

#include "tests/support/test_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Signature, flags, extension, and the -1 that ends the rows. */
#define HEADER                                                                                     \
    "5047434f50590aff0d0a00"                                                                       \
    "0000000000000000"
#define END "ffff"

static void
assert_bytes(PgCopy *copy, const char *hex)
{
    char text[512] = "";
    const char *bytes = NULL;
    size_t size = 0;
    Error err = {0};
    assert_true(pg_copy_bytes(copy, &bytes, &size, &err));
    assert_true(2 * size < sizeof(text));
    for (size_t i = 0; i < size; i++)
        assert_int_equal(
            snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", (unsigned char)bytes[i]), 2);
    assert_string_equal(text, hex);
}

static void
test_without_rows_is_a_beginning_and_an_end(void **state)
{
    (void)state;
    PgCopy copy = {.bytes.arena = &arena};
    assert_bytes(&copy, HEADER END);
}

/* `hex` is what PostgreSQL 15 itself says: COPY (SELECT …) TO STDOUT (FORMAT binary). */
static void
test_rows_of_every_type_are_as_the_server_writes_them(void **state)
{
    (void)state;
    PgCopy copy = {.bytes.arena = &arena};
    pg_copy_reserve(&copy, 2, 64);
    pg_copy_add_row(&copy, 6);
    pg_copy_add_text(&copy, "a,\"");
    pg_copy_add_int16(&copy, -2);
    pg_copy_add_int32(&copy, 3);
    pg_copy_add_int64(&copy, -4);
    pg_copy_add_bool(&copy, true);
    pg_copy_add_uuid(&copy, "0d0c5b1e-8a51-4d4e-9c66-1F0F3F6F9A01");
    pg_copy_add_row(&copy, 3);
    pg_copy_add_text(&copy, NULL);
    pg_copy_add_uuid(&copy, NULL);
    pg_copy_add_bytes(&copy, "\0x", 2);
    assert_bytes(&copy, HEADER "0006"
                               "00000003612c22"
                               "00000002fffe"
                               "0000000400000003"
                               "00000008fffffffffffffffc"
                               "0000000101"
                               "000000100d0c5b1e8a514d4e9c661f0f3f6f9a01"
                               "0003"
                               "ffffffff"
                               "ffffffff"
                               "000000020078" END);
}

static void
test_what_is_no_uuid_fails_the_rows(void **state)
{
    (void)state;
    PgCopy copy = {.bytes.arena = &arena};
    const char *bytes = NULL;
    size_t size = 0;
    Error err = {0};
    pg_copy_add_row(&copy, 1);
    pg_copy_add_uuid(&copy, "0d0c5b1e");
    assert_false(pg_copy_bytes(&copy, &bytes, &size, &err));
    assert_int_equal(err.kind, ERROR_REJECT);
    assert_null(bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_rows_is_a_beginning_and_an_end),
        cmocka_unit_test(test_rows_of_every_type_are_as_the_server_writes_them),
        cmocka_unit_test(test_what_is_no_uuid_fails_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, test_arena_tear_down);
}

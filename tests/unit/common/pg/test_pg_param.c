#include "common/pg/pg_param.h"

#include "tests/support/test_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_scalars_are_sent_as_text(void **state)
{
    (void)state;
    const PgParam params[] = {
        pg_param_text("some"), pg_param_text(NULL),  pg_param_int64(INT64_MIN),
        pg_param_bool(true),   pg_param_bool(false), pg_param_time(INT64_C(946684800000001)),
    };
    static const char *const texts[] = {
        "some", NULL, "-9223372036854775808", "true", "false", "2000-01-01T00:00:00.000001Z",
    };
    PgWire wire;
    Error err = {0};
    assert_true(pg_wire_fill(&wire, params, ARRAY_LEN(params), &err));
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        assert_int_equal(wire.formats[i], 0);
        if (texts[i] == NULL)
            assert_null(wire.values[i]);
        else
            assert_string_equal(wire.values[i], texts[i]);
    }
}

static void
test_arrays_are_sent_in_binary_with_their_size(void **state)
{
    (void)state;
    PgArray full = {.element = PG_BOOL, .bytes.arena = &arena};
    const PgArray empty = {0};
    const PgParam params[] = {pg_param_array(&full), pg_param_array(&empty)};
    PgWire wire;
    Error err = {0};
    pg_array_add_bool(&full, true);
    assert_true(pg_wire_fill(&wire, params, ARRAY_LEN(params), &err));
    assert_int_equal(wire.formats[0], 1);
    assert_int_equal(wire.lengths[0], 25);
    assert_memory_equal(wire.values[0] + 20, "\0\0\0\1\1", 5);
    assert_int_equal(wire.formats[1], 1);
    assert_int_equal(wire.lengths[1], PG_ARRAY_EMPTY_BYTES);
}

static void
test_invalid_array_fails_the_call(void **state)
{
    (void)state;
    PgArray array = {.element = PG_UUID, .bytes.arena = &arena};
    const PgParam params[] = {pg_param_array(&array)};
    PgWire wire;
    Error err = {0};
    pg_array_add(&array, "no UUID");
    assert_false(pg_wire_fill(&wire, params, ARRAY_LEN(params), &err));
    assert_int_equal(err.kind, ERROR_REJECT);
}

static void
test_too_many_parameters_fail_the_call(void **state)
{
    (void)state;
    PgParam params[PG_PARAMS_MAX + 1] = {0};
    PgWire wire;
    Error err = {0};
    assert_true(pg_wire_fill(&wire, params, PG_PARAMS_MAX, &err));
    assert_false(pg_wire_fill(&wire, params, PG_PARAMS_MAX + 1, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_are_sent_as_text),
        cmocka_unit_test(test_arrays_are_sent_in_binary_with_their_size),
        cmocka_unit_test(test_invalid_array_fails_the_call),
        cmocka_unit_test(test_too_many_parameters_fail_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, test_arena_tear_down);
}

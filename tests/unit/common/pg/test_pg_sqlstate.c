#include "common/pg/pg_sqlstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_classify_known_states_gives_kind_code_and_loss(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        ErrorKind kind;
        const char *code;
        bool lost;
    } cases[] = {
        {"40001", ERROR_RETRY, "database_error", false},
        {"40P01", ERROR_RETRY, "database_error", false},
        {"55P03", ERROR_RETRY, "database_error", false},
        {"23503", ERROR_RETRY, "database_error", false},
        {"23514", ERROR_RETRY, "database_error", false},
        {"P0001", ERROR_RETRY, "database_error", false},
        {"XX000", ERROR_RETRY, "database_error", false},
        {"57014", ERROR_RETRY, "timeout", false},
        {"57P01", ERROR_HOLD, "connection_lost", true},
        {"57P02", ERROR_HOLD, "connection_lost", true},
        {"57P03", ERROR_HOLD, "connection_lost", true},
        {"08006", ERROR_HOLD, "connection_lost", true},
        {"25006", ERROR_HOLD, "connection_lost", true},
        {"25P03", ERROR_HOLD, "connection_lost", true},
        {"53100", ERROR_HOLD, "database_error", false},
        {"28P01", ERROR_HOLD, "database_error", false},
        {"3D000", ERROR_HOLD, "database_error", false},
        {"42501", ERROR_HOLD, "database_error", false},
        {"42P01", ERROR_HOLD, "database_error", false},
        {"22P02", ERROR_REJECT, "database_error", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const PgSqlstate meaning = pg_sqlstate_classify(cases[i].sqlstate);
        assert_int_equal(meaning.kind, cases[i].kind);
        assert_string_equal(meaning.code, cases[i].code);
        assert_int_equal(meaning.lost, cases[i].lost);
    }
}

static void
test_classify_no_sqlstate_is_lost_connection(void **state)
{
    (void)state;
    assert_string_equal(pg_sqlstate_classify(NULL).code, "connection_lost");
    assert_int_equal(pg_sqlstate_classify("").kind, ERROR_HOLD);
    assert_true(pg_sqlstate_classify(NULL).lost);
}

static void
test_classify_unknown_state_is_retried(void **state)
{
    (void)state;
    const PgSqlstate meaning = pg_sqlstate_classify("ZZ999");
    assert_int_equal(meaning.kind, ERROR_RETRY);
    assert_false(meaning.lost);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classify_known_states_gives_kind_code_and_loss),
        cmocka_unit_test(test_classify_no_sqlstate_is_lost_connection),
        cmocka_unit_test(test_classify_unknown_state_is_retried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/pg/pg_dsn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_check_readable_strings_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "host=db.example.org port=5432 dbname=app user=cleanup password='a b'",
        "host=a,b port=5432,5433 dbname=app target_session_attrs=read-write",
        "host=a,b port=5432 sslmode=verify-full",
        "postgresql://cleanup:p%40ss@db:5432/app?sslmode=require",
        "postgres://db,other:5433/app",
        "hostaddr=10.0.0.1 dbname=app",
        "dbname=app",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        Error err;
        if (!pg_dsn_check(good[i], &err))
            fail_msg("%s: %s", good[i], err.text);
    }
}

static void
test_check_unreadable_string_has_the_words_of_libpq_and_no_secret(void **state)
{
    (void)state;
    static const struct {
        const char *dsn;
        const char *says;
    } cases[] = {
        {"hunter2", "missing \"=\" after \"…\""},
        {"password=a hunter2=x", "invalid connection option \"…\""},
        {"password='hunter2", "unterminated quoted string"},
        {"hots=db password=hunter2", "invalid connection option \"hots\"; did you mean host?"},
        {"password=hunter2 \"x\"y\"hunter2\"=1", "invalid connection option \"…\""},
        {"postgresql://u:hunter2%zz@db/app", "invalid percent-encoded token: \"…\""},
        {"postgresql://db/app?sslmod=require", "\"sslmod\"; did you mean sslmode?"},
        {"postgresql://[::1/hunter2", "libpq cannot read it: "},
        {"host=db sslmode=hunter2", "invalid sslmode value: \"…\""},
        {"host=db port=hunter2", "its port is no number from 1 to 65535"},
        {"host=db port=0", "its port is no number"},
        {"host=a,b port=5432,65536", "its port is no number"},
        {"service=hunter2", "definition of service \"…\" not found"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Error err = {0};
        if (pg_dsn_check(cases[i].dsn, &err))
            fail_msg("%s was taken", cases[i].dsn);
        assert_int_equal(err.kind, ERROR_REJECT);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: “%s” does not say “%s”", cases[i].dsn, err.text, cases[i].says);
        if (strstr(err.text, "hunter2") != NULL)
            fail_msg("the secret is told: %s", err.text);
    }
}

static void
test_in_environment_one_variable_is_enough(void **state)
{
    (void)state;
    static const char *const names[] = {"PGHOST",     "PGHOSTADDR", "PGPORT",
                                        "PGDATABASE", "PGUSER",     "PGSERVICE"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
    assert_false(pg_dsn_in_environment());
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(setenv(names[i], "x", 1), 0);
        assert_true(pg_dsn_in_environment());
        assert_int_equal(setenv(names[i], "", 1), 0);
        assert_false(pg_dsn_in_environment());
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_readable_strings_are_taken),
        cmocka_unit_test(test_check_unreadable_string_has_the_words_of_libpq_and_no_secret),
        cmocka_unit_test(test_in_environment_one_variable_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

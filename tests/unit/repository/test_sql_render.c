#include "worker/repository/sql_files.h"
#include "worker/repository/sql_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const SqlVariable variables[] = {
    {"sessions", "\"app\".\"Sessions\""},
    {"users", "app.users"},
    {"messages", "app.messages"},
    {"image_sent", "app.images"},
    {"video_sent", "app.videos"},
    {"bookings", "app.bookings"},
    {"session_is_referenced", "false"},
    {"session_is_older", "s.created_at < :argument"},
    {"message_is_newer", "m.time >= :argument"},
    {"booking_is_older", "b.created_at < :argument"},
    {"session_created_utc", ":argument"},
    {"message_time_utc", ":argument"},
    {"booking_created_utc", ":argument"},
    {"booking_date_utc", ":argument"},
    {"booking_created_type", "timestamp"},
    {"booking_now", "now()"},
    {"booking_is_pending", "b.status = 'Pending'"},
    {"booking_is_expired", "b.status = 'Expired'"},
    {"booking_expired_word", "'Expired'"},
    {"message_is_users", "(m.sender IN ('bot')) IS NOT TRUE"},
    {"twice", "(:argument < a AND b < :argument OR ':argument' = :argument::text)"},
};

static void
assert_rendered(const char *text, const char *expected)
{
    CLEANUP(autofree) char *rendered = NULL;
    Error err = {0};
    assert_true(sql_render(text, variables, ARRAY_LEN(variables), &rendered, &err));
    assert_string_equal(rendered, expected);
}

static void
test_render_variable_becomes_quoted_name(void **state)
{
    (void)state;
    assert_rendered("SELECT FROM :sessions s, :users",
                    "SELECT FROM \"app\".\"Sessions\" s, app.users");
}

static void
test_render_cast_quotes_and_comment_stay(void **state)
{
    (void)state;
    assert_rendered("a::text ':users' \":users\" -- :users\n:users",
                    "a::text ':users' \":users\" -- :users\napp.users");
    assert_rendered("'it''s :users' 12:30", "'it''s :users' 12:30");
}

static void
test_render_argument_stands_wherever_the_value_names_it(void **state)
{
    (void)state;
    assert_rendered("WHERE :twice($1::timestamp) OR x",
                    "WHERE ($1::timestamp < a AND b < $1::timestamp OR "
                    "':argument' = $1::timestamp::text) OR x");
    assert_rendered(":session_is_older(max(f(a, b)))", "s.created_at < max(f(a, b))");
}

static void
test_render_argument_is_not_looked_through(void **state)
{
    (void)state;
    assert_rendered(":session_is_older(:users)", "s.created_at < :users");
}

static void
test_render_value_without_its_argument_is_not_rendered(void **state)
{
    (void)state;
    assert_rendered("FROM :users (a)", "FROM app.users (a)");
    assert_rendered("f(:users)", "f(app.users)");
}

static void
test_render_unknown_variable_is_fatal(void **state)
{
    (void)state;
    char *rendered = NULL;
    Error err = {0};
    assert_false(sql_render("SELECT :nobody", variables, ARRAY_LEN(variables), &rendered, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_non_null(strstr(err.text, "nobody"));
    assert_null(rendered);
}

static void
test_render_every_file_leaves_no_variable(void **state)
{
    (void)state;
    for (int i = 0; i < SQL_COUNT; i++) {
        CLEANUP(autofree) char *rendered = NULL;
        Error err = {0};
        if (!sql_render(sql_files[i].text, variables, ARRAY_LEN(variables), &rendered, &err))
            fail_msg("%s: %s", sql_files[i].name, err.text);
        if (i != SQL_DATABASE_TERMS) /* which makes the values that have an argument */
            assert_null(strstr(rendered, " :"));
    }
}

/* The header of a file is what its reader has: every parameter is named there. */
static void
test_every_file_header_names_each_parameter(void **state)
{
    (void)state;
    for (int i = 0; i < SQL_COUNT; i++) {
        const char *text = sql_files[i].text;
        assert_memory_equal(text, "-- ", 3);
        for (int n = 1; n <= 17; n++) {
            char used[16];
            char named[16];
            (void)snprintf(used, sizeof(used), "$%d", n);
            (void)snprintf(named, sizeof(named), "-- $%d ", n);
            if (strstr(text, used) != NULL && strstr(text, named) == NULL)
                fail_msg("%s does not name %s", sql_files[i].name, used);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render_variable_becomes_quoted_name),
        cmocka_unit_test(test_render_cast_quotes_and_comment_stay),
        cmocka_unit_test(test_render_argument_stands_wherever_the_value_names_it),
        cmocka_unit_test(test_render_argument_is_not_looked_through),
        cmocka_unit_test(test_render_value_without_its_argument_is_not_rendered),
        cmocka_unit_test(test_render_unknown_variable_is_fatal),
        cmocka_unit_test(test_render_every_file_leaves_no_variable),
        cmocka_unit_test(test_every_file_header_names_each_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/pg/pg_sqlstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define RETRY_UNCOUNTED ERROR_RETRY, ERROR_SCOPE_COMMAND, false, "database_error"
#define RETRY_COMMAND ERROR_RETRY, ERROR_SCOPE_COMMAND, true, "database_error"
#define RETRY_ALL ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true, "database_error"
#define HOLD_ALL ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false, "database_error"
#define HOLD_TARGET ERROR_HOLD, ERROR_SCOPE_TARGET, false, "database_error"
#define LOST ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false, "connection_lost"

/* Written by hand from the manual's list of error codes: each class once, and each state of its own
 * meaning. */
static const struct {
    const char *sqlstate;
    ErrorReason reason;
    ErrorKind kind;
    ErrorScope scope;
    bool counts;
    const char *code;
    bool loses;
} cases[] = {
    {"03000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"08006", REASON_CONNECTION_LOST, LOST, true},
    {"08P01", REASON_CONNECTION_LOST, LOST, true},
    {"09000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"0A000", REASON_PLAN_STALE, RETRY_COMMAND, true},
    {"0B000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"0F001", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"0L000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"0P000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"0Z002", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"20000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"21000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"22000", REASON_DATA_INVALID, ERROR_REJECT, ERROR_SCOPE_COMMAND, true, "database_error",
     false},
    {"22P02", REASON_DATA_INVALID, ERROR_REJECT, ERROR_SCOPE_COMMAND, true, "database_error",
     false},
    {"23503", REASON_STILL_REFERENCED, RETRY_COMMAND, false},
    {"23514", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"24000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"25001", REASON_SERVER_STATE, RETRY_ALL, false},
    {"25006", REASON_CONNECTION_LOST, LOST, true},
    {"25P02", REASON_SERVER_STATE, RETRY_ALL, false},
    {"25P03", REASON_CONNECTION_LOST, LOST, true},
    {"26000", REASON_STATEMENT_LOST, RETRY_UNCOUNTED, false},
    {"42P05", REASON_STATEMENT_LOST, RETRY_UNCOUNTED, false},
    {"27000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"28000", REASON_LOGIN_REFUSED, HOLD_ALL, false},
    {"28P01", REASON_LOGIN_REFUSED, HOLD_ALL, false},
    {"2B000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"2D000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"2F005", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"34000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"38001", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"39P01", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"3B001", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"3D000", REASON_LOGIN_REFUSED, HOLD_ALL, false},
    {"3F000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"40000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"40001", REASON_CONFLICT, RETRY_COMMAND, false},
    {"40P01", REASON_CONFLICT, RETRY_COMMAND, false},
    {"42501", REASON_PRIVILEGE_MISSING, HOLD_TARGET, false},
    {"42601", REASON_OBJECT_UNFIT, HOLD_TARGET, false},
    {"42703", REASON_OBJECT_UNFIT, HOLD_TARGET, false},
    {"42830", REASON_OBJECT_UNFIT, HOLD_TARGET, false},
    {"42P01", REASON_OBJECT_MISSING, HOLD_TARGET, false},
    {"44000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"53100", REASON_RESOURCES_SHORT, HOLD_ALL, false},
    {"53300", REASON_RESOURCES_SHORT, HOLD_ALL, false},
    {"54000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"55000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"55P03", REASON_TABLE_LOCKED, ERROR_HOLD, ERROR_SCOPE_TARGET, false, "table_locked", false},
    {"57000", REASON_SERVER_STATE, RETRY_ALL, false},
    {"57014", REASON_TIMEOUT, ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true, "timeout", false},
    {"57P01", REASON_CONNECTION_LOST, LOST, true},
    {"57P02", REASON_CONNECTION_LOST, LOST, true},
    {"57P03", REASON_CONNECTION_LOST, LOST, true},
    {"57P04", REASON_CONNECTION_LOST, LOST, true},
    {"58030", REASON_SERVER_IO, HOLD_ALL, false},
    {"F0000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"HV000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"P0001", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"XX000", REASON_WORK_REFUSED, RETRY_COMMAND, false},
    {"ZZ999", REASON_WORK_REFUSED, RETRY_COMMAND, false},
};

static bool
fill(Error *err, const char *sqlstate, const char *context)
{
    return pg_sqlstate_fill(err, &(PgReport){sqlstate, "said", context, true, false});
}

static void
test_fill_every_class_gives_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Error err = {0};
        assert_int_equal(fill(&err, cases[i].sqlstate, NULL), cases[i].loses);
        assert_int_equal(err.reason, cases[i].reason);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.scope, cases[i].scope);
        assert_int_equal(err.counts_as_attempt, cases[i].counts);
        assert_string_equal(err.code, cases[i].code);
        assert_string_equal(err.sqlstate, cases[i].sqlstate);
        assert_string_equal(err.text, "said");
    }
}

/* Connections, resources, the server's state, login and database concern every command; class 42 is
 * a table, column or privilege that only some tasks need. */
static void
test_fill_scope_goes_by_the_class_even_without_connection(void **state)
{
    (void)state;
    static const char classes[] = "08 25 28 3D 53 57 58";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char class[] = {cases[i].sqlstate[0], cases[i].sqlstate[1], '\0'};
        const bool of_target = strcmp(class, "42") == 0 || strcmp(cases[i].sqlstate, "55P03") == 0;
        ErrorScope scope = of_target ? ERROR_SCOPE_TARGET : ERROR_SCOPE_COMMAND;
        if (strstr(classes, class) != NULL)
            scope = ERROR_SCOPE_EVERYTHING;
        if (strcmp(cases[i].sqlstate, "42P05") == 0) /* a statement's name, no object */
            scope = ERROR_SCOPE_COMMAND;
        Error err = {0};
        assert_true(
            pg_sqlstate_fill(&err, &(PgReport){cases[i].sqlstate, "said", NULL, false, false}));
        assert_int_equal(err.scope, scope);
        assert_int_equal(err.reason, REASON_CONNECTION_LOST);
        assert_int_equal(err.kind, ERROR_HOLD);
        assert_string_equal(err.code, "connection_lost");
        assert_string_equal(err.sqlstate, cases[i].sqlstate);
    }
}

static void
test_fill_no_sqlstate_is_lost_connection_of_everything(void **state)
{
    (void)state;
    static const char *const none[] = {NULL, ""};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        Error err = {0};
        assert_true(fill(&err, none[i], NULL));
        assert_int_equal(err.reason, REASON_CONNECTION_LOST);
        assert_int_equal(err.kind, ERROR_HOLD);
        assert_int_equal(err.scope, ERROR_SCOPE_EVERYTHING);
        assert_string_equal(err.sqlstate, "");
    }
}

/* The innermost line tells whether a row was waited for, in any language, or a table. */
static void
test_fill_lock_is_of_a_row_when_the_context_names_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *context;
        bool of_row;
    } contexts[] = {
        {NULL, false},
        {"", false},
        {"while deleting tuple (0,1) in relation \"imageSent\"", true},
        {"beim Sperren von Tupel (1234,56) in Relation »users«", true},
        {"while locking tuple (0,1) in relation \"x\"\nSQL statement \"SELECT 1\"", true},
        {"PL/pgSQL function f(integer,text) line 3 at SQL statement", false},
        {"SQL statement \"LOCK t\"\nwhile updating tuple (0,1) in relation \"x\"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
        Error err = {0};
        assert_false(fill(&err, "55P03", contexts[i].context));
        assert_int_equal(err.reason, contexts[i].of_row ? REASON_ROW_LOCKED : REASON_TABLE_LOCKED);
        assert_false(fill(&err, "57014", contexts[i].context));
        assert_int_equal(err.reason, contexts[i].of_row ? REASON_ROW_LOCKED : REASON_TIMEOUT);
    }
}

/* What a trigger or a function of the application meets is neither our connection nor an object of
 * our statements; what the server lacks is lacking for all. */
static void
test_fill_of_the_application_concerns_the_row_alone(void **state)
{
    (void)state;
    static const char context[] = "PL/pgSQL function f() line 1 at RAISE";
    static const char *const own[] = {"08001", "0A000", "23503", "23514", "26000", "28000",
                                      "3D000", "42501", "42704", "42P01", "P0001", "XX000"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        Error err = {0};
        assert_false(fill(&err, own[i], context));
        assert_int_equal(err.reason, REASON_WORK_REFUSED);
        assert_int_equal(err.scope, ERROR_SCOPE_COMMAND);
        assert_string_equal(err.sqlstate, own[i]);
    }
    Error err = {0};
    assert_false(fill(&err, "53100", context));
    assert_int_equal(err.reason, REASON_RESOURCES_SHORT);
    assert_true(fill(&err, "57P01", context));
    assert_int_equal(err.reason, REASON_CONNECTION_LOST);
}

static void
test_server_without_transaction_ids_is_told_from_a_row_that_is_too_large(void **state)
{
    (void)state;
    assert_true(pg_sqlstate_is_out_of_ids("54000", "GetNewTransactionId"));
    assert_true(pg_sqlstate_is_out_of_ids("54000", "GetNewMultiXactId"));
    assert_false(pg_sqlstate_is_out_of_ids("54000", "_bt_check_third_page"));
    assert_false(pg_sqlstate_is_out_of_ids("54001", "GetNewTransactionId"));
    assert_false(pg_sqlstate_is_out_of_ids("54000", NULL));
    assert_false(pg_sqlstate_is_out_of_ids(NULL, NULL));
}

/* The errors of a COPY end with a line about itself: what stands before it is the context. */
static void
test_fill_of_a_copy_passes_over_its_own_line(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        const char *context;
        ErrorReason reason;
    } copies[] = {
        {"23505", "COPY ledger, line 3", REASON_ROW_EXISTS},
        {"23505", "PL/pgSQL function f() line 1\nCOPY ledger, line 3", REASON_WORK_REFUSED},
        {"23514", "COPY ledger, line 3", REASON_WORK_REFUSED},
        {"42703", "COPY ledger, line 3", REASON_OBJECT_UNFIT},
        {"42703", "PL/pgSQL function f() line 1\nCOPY ledger, line 3", REASON_WORK_REFUSED},
        {"55P03", "while inserting index tuple (0,1) in relation \"ledger_pkey\"\nCOPY ledger",
         REASON_ROW_LOCKED},
        {"55P03", "COPY ledger, line 3, column a: \"(0,1)\"", REASON_TABLE_LOCKED},
        {"53100", "COPY ledger, line 3", REASON_RESOURCES_SHORT},
    };
    for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
        Error err = {0};
        assert_false(pg_sqlstate_fill(
            &err, &(PgReport){copies[i].sqlstate, "said", copies[i].context, true, true}));
        assert_int_equal(err.reason, copies[i].reason);
    }
    Error err = {0};
    assert_false(fill(&err, "23505", NULL));
    assert_int_equal(err.reason, REASON_WORK_REFUSED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fill_every_class_gives_its_meaning),
        cmocka_unit_test(test_fill_scope_goes_by_the_class_even_without_connection),
        cmocka_unit_test(test_fill_lock_is_of_a_row_when_the_context_names_its_place),
        cmocka_unit_test(test_fill_of_the_application_concerns_the_row_alone),
        cmocka_unit_test(test_fill_of_a_copy_passes_over_its_own_line),
        cmocka_unit_test(test_fill_no_sqlstate_is_lost_connection_of_everything),
        cmocka_unit_test(test_server_without_transaction_ids_is_told_from_a_row_that_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static void
test_wrap_keeps_detail_and_prefixes_text(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(error_set_sqlstate(&err, REASON_CONFLICT, "40P01", "deadlock %d", 1));
    assert_false(error_wrap(&err, "batch %d", 2));
    assert_string_equal(err.text, "batch 2: deadlock 1");
    assert_string_equal(err.detail, "deadlock 1");
    assert_string_equal(err.sqlstate, "40P01");
}

static void
test_set_too_long_is_marked_between_characters(void **state)
{
    (void)state;
    char text[2 * ERROR_TEXT_BYTES];
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "é", 2);
    Error err = {0};
    assert_false(error_set(&err, REASON_USAGE, "%s", text));
    const size_t length = strlen(err.text);
    assert_true(length < ERROR_TEXT_BYTES);
    assert_string_equal(err.text + length - 3, "...");
    assert_int_equal((length - 3) % 2, 0);
}

static void
test_set_short_text_is_kept_whole(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(error_set(&err, REASON_CLOCK_SKEW, "%s %d", "text", 1));
    assert_int_equal(err.reason, REASON_CLOCK_SKEW);
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.code, "clock_skew");
    assert_string_equal(err.text, "text 1");
    assert_string_equal(err.sqlstate, "");
    assert_false(error_set_sqlstate(&err, REASON_CONFLICT, NULL, "x"));
    assert_string_equal(err.sqlstate, "");
}

static void
test_become_changes_the_meaning_alone(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(error_set_sqlstate(&err, REASON_ROW_LOCKED, "55P03", "locked"));
    assert_false(error_wrap(&err, "lock the ledger"));
    error_become(&err, REASON_LEDGER_BUSY);
    assert_int_equal(err.reason, REASON_LEDGER_BUSY);
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_false(err.counts_as_attempt);
    assert_string_equal(err.code, "ledger_busy");
    assert_string_equal(err.sqlstate, "55P03");
    assert_string_equal(err.detail, "locked");
    assert_string_equal(err.text, "lock the ledger: locked");
}

static void
test_hold_makes_it_wait_and_keeps_who_is_concerned(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(error_set_sqlstate(&err, REASON_WORK_REFUSED, "23503", "referenced"));
    error_hold(&err);
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_false(err.counts_as_attempt);
    assert_int_equal(err.reason, REASON_WORK_REFUSED);
    assert_int_equal(err.scope, ERROR_SCOPE_COMMAND);
    assert_string_equal(err.code, "database_error");
}

/* Written down once more by hand: what the table says may not change by accident. What is no error
 * of a command concerns everything. */
static void
test_meaning_of_each_reason_is_as_documented(void **state)
{
    (void)state;
    static const struct {
        ErrorReason reason;
        const char *code;
        ErrorKind kind;
        ErrorScope scope;
        bool counts;
    } rows[] = {
        {REASON_CONNECTION_LOST, "connection_lost", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_LOGIN_REFUSED, "database_error", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_RESOURCES_SHORT, "database_error", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_SERVER_IO, "database_error", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_SERVER_STATE, "database_error", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_TIMEOUT, "timeout", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_CONFLICT, "database_error", ERROR_RETRY, ERROR_SCOPE_COMMAND, true},
        {REASON_ROW_LOCKED, "database_error", ERROR_RETRY, ERROR_SCOPE_COMMAND, false},
        {REASON_TABLE_LOCKED, "table_locked", ERROR_HOLD, ERROR_SCOPE_TARGET, false},
        {REASON_ROW_EXISTS, "database_error", ERROR_RETRY, ERROR_SCOPE_COMMAND, false},
        {REASON_STILL_REFERENCED, "database_error", ERROR_RETRY, ERROR_SCOPE_COMMAND, true},
        {REASON_PLAN_STALE, "database_error", ERROR_RETRY, ERROR_SCOPE_COMMAND, true},
        {REASON_STATEMENT_LOST, "database_error", ERROR_RETRY, ERROR_SCOPE_COMMAND, false},
        {REASON_WORK_REFUSED, "database_error", ERROR_RETRY, ERROR_SCOPE_COMMAND, true},
        {REASON_DATA_INVALID, "database_error", ERROR_REJECT, ERROR_SCOPE_COMMAND, true},
        {REASON_OBJECT_MISSING, "database_error", ERROR_HOLD, ERROR_SCOPE_TARGET, false},
        {REASON_OBJECT_UNFIT, "database_error", ERROR_HOLD, ERROR_SCOPE_TARGET, false},
        {REASON_PRIVILEGE_MISSING, "database_error", ERROR_HOLD, ERROR_SCOPE_TARGET, false},
        {REASON_NOT_COMMITTED, "database_error", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_COMMIT_UNCONFIRMED, "database_error", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_CLOCK_SKEW, "clock_skew", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_SETTING_UNFIT, "database_error", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_LEDGER_BUSY, "ledger_busy", ERROR_RETRY, ERROR_SCOPE_COMMAND, false},
        {REASON_LEDGER_ENTERED, "ledger_busy", ERROR_RETRY, ERROR_SCOPE_COMMAND, false},
        {REASON_LEDGER_DAMAGED, "database_error", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_LEDGER_NEWER, "database_error", ERROR_HOLD, ERROR_SCOPE_COMMAND, false},
        {REASON_DATABASE_CHANGED, "database_error", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_TABLE_CHANGED, "database_error", ERROR_HOLD, ERROR_SCOPE_TARGET, false},
        {REASON_SCHEMA_UNFIT, "database_error", ERROR_REJECT, ERROR_SCOPE_EVERYTHING, true},
        {REASON_PARAM_TOO_LARGE, "database_error", ERROR_REJECT, ERROR_SCOPE_EVERYTHING, true},
        {REASON_STATEMENT_BROKEN, "database_error", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_KAFKA_UNREACHABLE, "kafka_unreachable", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_KAFKA_REFUSED, "kafka_refused", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_KAFKA_CONFIG, "kafka_config", ERROR_REJECT, ERROR_SCOPE_EVERYTHING, true},
        {REASON_KAFKA_FAILED, "kafka_error", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_KAFKA_BROKEN, "kafka_error", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_TOPIC_MISSING, "topic_missing", ERROR_REJECT, ERROR_SCOPE_EVERYTHING, true},
        {REASON_TOPIC_GONE, "topic_missing", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_RECORD_PURGED, "kafka_error", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_MESSAGE_TOO_LARGE, "message_too_large", ERROR_REJECT, ERROR_SCOPE_COMMAND, true},
        {REASON_METADATA_TOO_LARGE, "metadata_too_large", ERROR_RETRY, ERROR_SCOPE_EVERYTHING,
         true},
        {REASON_OFFSETS_UNSTABLE, "offsets_unstable", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_TRANSACTIONS_REFUSED, "kafka_refused", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_TRANSACTION_STALLED, "kafka_unreachable", ERROR_RETRY, ERROR_SCOPE_EVERYTHING,
         true},
        {REASON_ASSIGNOR_DIFFERS, "assignor_differs", ERROR_HOLD, ERROR_SCOPE_EVERYTHING, false},
        {REASON_INSTANCE_ID_IN_USE, "instance_id_in_use", ERROR_FATAL, ERROR_SCOPE_EVERYTHING,
         false},
        {REASON_DEV_BROKER, "dev_broker", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_CONFIG, "config", ERROR_REJECT, ERROR_SCOPE_EVERYTHING, true},
        {REASON_USAGE, "usage", ERROR_REJECT, ERROR_SCOPE_EVERYTHING, true},
        {REASON_INTERRUPTED, "interrupted", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_NO_RESULT, "timeout", ERROR_RETRY, ERROR_SCOPE_EVERYTHING, true},
        {REASON_OUT_OF_MEMORY, "out_of_memory", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_SYSTEM, "system", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_THREAD, "thread", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_SIGNALS, "signals", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_RANDOM, "random", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_FILE, "file", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_INTERNAL, "internal", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_OFFSET_UNKNOWN, "offset_unknown", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
        {REASON_WORKER_ID_IN_USE, "worker_id_in_use", ERROR_FATAL, ERROR_SCOPE_EVERYTHING, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Error err = {0};
        assert_int_equal(rows[i].reason, i + 1);
        assert_false(error_set(&err, rows[i].reason, "x"));
        assert_string_equal(err.code, rows[i].code);
        assert_int_equal(err.kind, rows[i].kind);
        assert_int_equal(err.scope, rows[i].scope);
        assert_int_equal(err.counts_as_attempt, rows[i].counts);
    }
    assert_int_equal(ARRAY_LEN(rows) + 1, REASON_COUNT);
    const Error none = {0};
    assert_int_equal(none.reason, REASON_NONE);
    assert_int_equal(none.kind, ERROR_NONE);
    assert_int_equal(none.scope, ERROR_SCOPE_EVERYTHING);
}

/* An attempt is what may be tried again and again fail: a wait and the end of the process are none,
 * and neither is a row that another transaction has for a moment, or was first to insert, nor a
 * statement that a pooler has lost. */
static void
test_meaning_counts_what_failed_and_no_wait(void **state)
{
    (void)state;
    static const ErrorReason waits[] = {REASON_LEDGER_BUSY, REASON_LEDGER_ENTERED,
                                        REASON_ROW_LOCKED, REASON_ROW_EXISTS,
                                        REASON_STATEMENT_LOST};
    for (int reason = REASON_NONE; reason < REASON_COUNT; reason++) {
        const ErrorMeaning meaning = error_meaning((ErrorReason)reason);
        bool counts = meaning.kind == ERROR_RETRY || meaning.kind == ERROR_REJECT;
        for (size_t i = 0; i < ARRAY_LEN(waits); i++)
            counts = counts && (int)waits[i] != reason;
        assert_int_equal(meaning.counts_as_attempt, counts);
    }
}

static void
test_system_with_too_many_files_names_the_limit(void **state)
{
    (void)state;
    Error err = {0};
    struct rlimit files;
    char text[128];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    (void)snprintf(text, sizeof(text), "make an eventfd: Too many open files (ulimit -n is %llu)",
                   (unsigned long long)files.rlim_cur);
    assert_false(error_system(&err, "make an eventfd", EMFILE));
    assert_int_equal(err.reason, REASON_SYSTEM);
    assert_string_equal(err.text, text);
    assert_false(error_system(&err, "poll", EINVAL));
    assert_string_equal(err.text, "poll: Invalid argument");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system_with_too_many_files_names_the_limit),
        cmocka_unit_test(test_wrap_keeps_detail_and_prefixes_text),
        cmocka_unit_test(test_set_short_text_is_kept_whole),
        cmocka_unit_test(test_set_too_long_is_marked_between_characters),
        cmocka_unit_test(test_become_changes_the_meaning_alone),
        cmocka_unit_test(test_hold_makes_it_wait_and_keeps_who_is_concerned),
        cmocka_unit_test(test_meaning_of_each_reason_is_as_documented),
        cmocka_unit_test(test_meaning_counts_what_failed_and_no_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/kafka/open_transactions.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    START_MS = 1000,
    PATIENCE_MS = 30000,
    NEWS_EVERY_MS = 60000,
};

static const OpenTransaction *
note(OpenTransactions *open, int32_t partition, int64_t stable, int64_t end, int64_t after_ms)
{
    const PartitionEnds ends = {partition, stable, end};
    return open_transactions_note(open, &ends, START_MS + after_ms);
}

static void
test_note_warns_after_half_a_minute_and_then_once_a_minute(void **state)
{
    (void)state;
    OpenTransactions open = {0};
    assert_null(note(&open, 3, 10, 12, 0));
    assert_null(note(&open, 3, 10, 20, PATIENCE_MS - 1));
    const OpenTransaction *found = note(&open, 3, 10, 20, PATIENCE_MS);
    assert_non_null(found);
    assert_int_equal(found->partition, 3);
    assert_int_equal(found->stable, 10);
    assert_int_equal(found->since_ms, START_MS);
    assert_null(note(&open, 3, 10, 20, PATIENCE_MS + NEWS_EVERY_MS - 1));
    assert_non_null(note(&open, 3, 10, 20, PATIENCE_MS + NEWS_EVERY_MS));
    open_transactions_done(&open);
}

static void
test_note_of_other_transactions_begins_anew(void **state)
{
    (void)state;
    OpenTransactions open = {0};
    assert_null(note(&open, 0, 10, 12, 0));
    assert_null(note(&open, 0, 11, 12, PATIENCE_MS));
    assert_null(note(&open, 0, 11, 12, 2 * PATIENCE_MS - 1));
    assert_non_null(note(&open, 0, 11, 12, 2 * PATIENCE_MS));
    open_transactions_done(&open);
}

static void
test_note_of_nothing_open_is_silent(void **state)
{
    (void)state;
    OpenTransactions open = {0};
    assert_null(note(&open, 0, 12, 12, 0));
    assert_null(note(&open, 0, 12, 12, PATIENCE_MS));
    assert_null(note(&open, 1, 10, 12, 0));
    assert_null(note(&open, 1, 12, 12, 1));           /* ended */
    assert_null(note(&open, 1, 10, 12, PATIENCE_MS)); /* and another begins */
    assert_null(note(&open, 2, -1, 12, 0));           /* not known */
    assert_null(note(&open, 2, -1, 12, PATIENCE_MS));
    open_transactions_done(&open);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_note_warns_after_half_a_minute_and_then_once_a_minute),
        cmocka_unit_test(test_note_of_other_transactions_begins_anew),
        cmocka_unit_test(test_note_of_nothing_open_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

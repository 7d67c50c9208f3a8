#include "common/macros.h"
#include "worker/pipeline/publisher/transaction_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

static TransactionStep
next_of(TransactionStep step, TransactionEnding ending)
{
    return transaction_move(step, ending).next;
}

static TransactionFate
fate_of(TransactionStep step, TransactionEnding ending)
{
    return transaction_move(step, ending).fate;
}

static void
test_move_done_from_every_step_comes_back_to_idle(void **state)
{
    (void)state;
    for (int from = 0; from < TRANSACTION_STEPS; from++) {
        TransactionStep step = next_of((TransactionStep)from, STEP_DONE);
        int moves = 1;
        while (step != TRANSACTION_IDLE && moves++ < TRANSACTION_STEPS)
            step = next_of(step, STEP_DONE);
        assert_int_equal(step, TRANSACTION_IDLE);
    }
}

static void
test_move_again_stays_with_the_step(void **state)
{
    (void)state;
    for (int step = 0; step < TRANSACTION_STEPS; step++) {
        assert_int_equal(next_of((TransactionStep)step, STEP_AGAIN), step);
        assert_int_equal(fate_of((TransactionStep)step, STEP_AGAIN), FATE_OPEN);
    }
}

static void
test_move_outcomes_are_delivered_by_a_commit_alone(void **state)
{
    (void)state;
    for (int step = 0; step < TRANSACTION_STEPS; step++) {
        for (int ending = 0; ending < STEP_ENDINGS; ending++) {
            const bool committed =
                step == TRANSACTION_COMMIT && (ending == STEP_DONE || ending == STEP_DISCONNECTED);
            assert_int_equal(fate_of((TransactionStep)step, (TransactionEnding)ending) ==
                                 FATE_COMMITTED,
                             committed);
        }
    }
}

/* A step that has only sent its records does not know yet whether all will arrive. */
static void
test_move_commit_follows_the_delivery_reports_alone(void **state)
{
    (void)state;
    for (int step = 0; step < TRANSACTION_STEPS; step++) {
        for (int ending = 0; ending < STEP_ENDINGS; ending++) {
            if (step == TRANSACTION_COMMIT ||
                next_of((TransactionStep)step, (TransactionEnding)ending) != TRANSACTION_COMMIT)
                continue;
            assert_int_equal(step, TRANSACTION_DELIVER);
            assert_true(ending == STEP_DONE || ending == STEP_DISCONNECTED);
        }
    }
}

/* What was in a transaction is published again after a certain abort or a look-up, never before. */
static void
test_move_outcomes_in_doubt_are_looked_up(void **state)
{
    (void)state;
    static const TransactionEnding doubts[] = {STEP_FENCED, STEP_FATAL, STEP_TIMED_OUT};
    static const TransactionStep in_transaction[] = {TRANSACTION_BEGIN, TRANSACTION_COMMIT,
                                                     TRANSACTION_ABORT};
    for (size_t s = 0; s < ARRAY_LEN(in_transaction); s++) {
        for (size_t d = 0; d < ARRAY_LEN(doubts); d++) {
            assert_int_equal(next_of(in_transaction[s], doubts[d]), TRANSACTION_OPEN);
            assert_int_equal(fate_of(in_transaction[s], doubts[d]), FATE_OPEN);
        }
    }
    assert_int_equal(next_of(TRANSACTION_OPEN, STEP_DONE), TRANSACTION_INIT);
    assert_int_equal(next_of(TRANSACTION_INIT, STEP_DONE), TRANSACTION_LOOKUP);
    assert_int_equal(fate_of(TRANSACTION_LOOKUP, STEP_DONE), FATE_LOOKED_UP);
    assert_int_equal(fate_of(TRANSACTION_ABORT, STEP_DONE), FATE_ABORTED);
}

/* A request that was on its way in a lost connection may arrive later: only a new producer fences
 * it. */
static void
test_move_cut_connection_brings_a_new_producer(void **state)
{
    (void)state;
    assert_int_equal(next_of(TRANSACTION_COMMIT, STEP_DISCONNECTED), TRANSACTION_OPEN);
    assert_int_equal(next_of(TRANSACTION_ABORT, STEP_DISCONNECTED), TRANSACTION_OPEN);
    assert_int_equal(fate_of(TRANSACTION_ABORT, STEP_DISCONNECTED), FATE_OPEN);
}

static void
test_names_are_there_for_all(void **state)
{
    (void)state;
    for (int step = 0; step < TRANSACTION_STEPS; step++)
        assert_true(transaction_step_name((TransactionStep)step)[0] != '\0');
    for (int ending = 0; ending < STEP_ENDINGS; ending++)
        assert_true(transaction_ending_name((TransactionEnding)ending)[0] != '\0');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_move_done_from_every_step_comes_back_to_idle),
        cmocka_unit_test(test_move_again_stays_with_the_step),
        cmocka_unit_test(test_move_outcomes_are_delivered_by_a_commit_alone),
        cmocka_unit_test(test_move_commit_follows_the_delivery_reports_alone),
        cmocka_unit_test(test_move_outcomes_in_doubt_are_looked_up),
        cmocka_unit_test(test_move_cut_connection_brings_a_new_producer),
        cmocka_unit_test(test_names_are_there_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

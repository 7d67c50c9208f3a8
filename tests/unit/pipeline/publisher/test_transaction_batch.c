#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/publisher/transaction_batch.h"

enum {
    OFFSETS = 3000,
    FIRST_OFFSET = MADE_FIRST_OFFSET,
};

/* What the hooks were told. */
typedef struct Told {
    size_t delivered;
    size_t dropped;
    size_t deferred;
    size_t failed;
    int64_t last_offset;
} Told;

static Told told;

static void
on_done(void *publisher, Outgoing *item, bool delivered)
{
    Error err = {0};
    (void)publisher;
    /* As the publisher does. */
    if (delivered && item->kind == OUTGOING_OUTCOME)
        assert_true(lane_finish(item->lane, item->source->offset, &err));
    told.delivered += delivered;
    told.dropped += !delivered;
    told.last_offset = item->source->offset;
    outgoing_free(item);
}

static void
on_deferred(void *publisher, Outgoing *item)
{
    (void)publisher;
    item->deferred = true;
    told.deferred++;
}

static void
on_failed(void *publisher, const Error *err)
{
    (void)publisher;
    (void)err;
    told.failed++;
}

static const DeliveryHooks hooks = {NULL, on_done, on_deferred, on_failed};

static int
set_up(void **state)
{
    (void)state;
    told = (Told){0};
    return 0;
}

static void
add(OutgoingList *list, Lane *lane, int64_t offset)
{
    outgoing_list_add(list, made_outgoing(lane, offset, "{}", NULL));
}

/* What would be committed now. */
static int64_t
committable(Lane *lane)
{
    Error err = {0};
    OffsetPlan plan;
    assert_true(lane_plan(lane, OFFSET_AHEAD_BYTES_MAX, &plan, &err));
    return plan.offset;
}

static bool
form(TransactionBatch *batch, OutgoingList *pending)
{
    Error err = {0};
    const bool formed =
        transaction_batch_form(batch, pending, OFFSET_AHEAD_BYTES_MAX, &hooks, &err);
    assert_int_equal(err.kind, ERROR_NONE);
    return formed;
}

static void
test_form_two_lanes_commits_below_the_first_unfinished(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *first = made_lane(0, 3);
    Lane *second = made_lane(1, 3);
    add(&pending, first, FIRST_OFFSET);
    add(&pending, second, FIRST_OFFSET + 1);
    assert_true(form(&batch, &pending));
    assert_int_equal(pending.count, 0);
    assert_int_equal(batch.lane_count, 2);
    assert_int_equal(batch.offsets[0].offset, FIRST_OFFSET + 1);
    assert_string_equal(batch.offsets[0].metadata, "");
    assert_int_equal(batch.offsets[1].offset, FIRST_OFFSET);
    assert_true(offset_ahead_covers(FIRST_OFFSET, batch.offsets[1].metadata, FIRST_OFFSET + 1));
    assert_false(offset_ahead_covers(FIRST_OFFSET, batch.offsets[1].metadata, FIRST_OFFSET + 2));
    transaction_batch_commit(&batch, &hooks);
    assert_int_equal(told.delivered, 2);
    assert_int_equal(committable(first), FIRST_OFFSET + 1);
    assert_int_equal(committable(second), FIRST_OFFSET);
    transaction_batch_done(&batch, &hooks);
    lane_unref(first);
    lane_unref(second);
}

static size_t
formed_count(TransactionBatch *batch, OutgoingList *pending)
{
    assert_true(form(batch, pending));
    return batch->items.count;
}

static void
test_halve_makes_rounds_smaller_until_they_are_committed(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *lane = made_lane(0, 20);
    for (int64_t i = 0; i < 20; i++)
        add(&pending, lane, FIRST_OFFSET + i);
    static const size_t counts[] = {20, 10, 5, 2, 1, 1};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        assert_int_equal(formed_count(&batch, &pending), counts[i]);
        transaction_batch_halve(&batch);
        transaction_batch_abort(&batch, &pending);
        assert_int_equal(pending.count, 20);
    }
    static const size_t grown[] = {1, 2, 3, 4, 5, 5};
    for (size_t i = 0; i < ARRAY_LEN(grown); i++) {
        assert_int_equal(formed_count(&batch, &pending), grown[i]);
        transaction_batch_commit(&batch, &hooks);
    }
    assert_int_equal(told.delivered, 20);
    transaction_batch_done(&batch, &hooks);
    lane_unref(lane);
}

static void
test_form_two_lanes_of_a_partition_go_one_after_the_other(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *old = made_lane(0, 1);
    Lane *other = made_lane(1, 1);
    Lane *lane = made_lane(0, 1);
    add(&pending, old, FIRST_OFFSET);
    add(&pending, lane, FIRST_OFFSET);
    add(&pending, other, FIRST_OFFSET);
    assert_int_equal(formed_count(&batch, &pending), 2);
    assert_int_equal(batch.lane_count, 2);
    transaction_batch_commit(&batch, &hooks);
    lane_set_state(old, LANE_DEAD);
    assert_int_equal(formed_count(&batch, &pending), 1);
    assert_ptr_equal(batch.lanes[0], lane);
    transaction_batch_done(&batch, &hooks);
    lane_unref(old);
    lane_unref(other);
    lane_unref(lane);
}

static void
test_form_dead_lane_drops_its_outcomes(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *lane = made_lane(0, 1);
    add(&pending, lane, FIRST_OFFSET);
    lane_set_state(lane, LANE_DEAD);
    assert_false(form(&batch, &pending));
    assert_int_equal(told.dropped, 1);
    assert_int_equal(pending.count, 0);
    transaction_batch_done(&batch, &hooks);
    lane_unref(lane);
}

static void
test_abort_puts_outcomes_back_in_front(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *lane = made_lane(0, 3);
    add(&pending, lane, FIRST_OFFSET + 1);
    assert_true(form(&batch, &pending));
    add(&pending, lane, FIRST_OFFSET + 2);
    transaction_batch_abort(&batch, &pending);
    assert_int_equal(pending.count, 2);
    assert_int_equal(STAILQ_FIRST(&pending.items)->source->offset, FIRST_OFFSET + 1);
    assert_false(lane_is_offered(lane, FIRST_OFFSET + 1));
    assert_int_equal(committable(lane), FIRST_OFFSET);
    assert_int_equal(told.delivered + told.dropped, 0);
    assert_true(form(&batch, &pending));
    assert_int_equal(batch.items.count, 2);
    transaction_batch_done(&batch, &hooks);
    assert_int_equal(told.dropped, 2);
    lane_unref(lane);
}

static void
test_form_more_ahead_than_fits_defers_the_rest_until_it_does(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *lane = made_lane(0, OFFSETS);
    for (int64_t i = 1; i < OFFSETS; i += 2)
        add(&pending, lane, FIRST_OFFSET + i);
    assert_true(form(&batch, &pending));
    const size_t gone = batch.items.count;
    assert_in_range(gone, 1, OFFSETS / 2 - 1);
    assert_int_equal(told.deferred, OFFSETS / 2 - gone);
    assert_int_equal(pending.count, OFFSETS / 2 - gone);
    transaction_batch_commit(&batch, &hooks);
    /* The unfinished ones end; then everything fits. */
    for (int64_t i = 0; i < OFFSETS; i += 2)
        add(&pending, lane, FIRST_OFFSET + i);
    assert_true(form(&batch, &pending));
    assert_int_equal(pending.count, 0);
    assert_int_equal(batch.offsets[0].offset, FIRST_OFFSET + OFFSETS);
    assert_string_equal(batch.offsets[0].metadata, "");
    transaction_batch_commit(&batch, &hooks);
    assert_int_equal(told.delivered, OFFSETS);
    transaction_batch_done(&batch, &hooks);
    lane_unref(lane);
}

static void
test_progress_goes_along_and_finishes_nothing(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *lane = made_lane(0, 2);
    outgoing_list_add(&pending, made_progress(lane, FIRST_OFFSET));
    assert_true(form(&batch, &pending));
    assert_int_equal(batch.items.count, 1);
    assert_int_equal(batch.offsets[0].offset, FIRST_OFFSET);
    transaction_batch_abort(&batch, &pending);
    assert_true(form(&batch, &pending));
    transaction_batch_commit(&batch, &hooks);
    assert_int_equal(told.delivered, 1);
    assert_int_equal(committable(lane), FIRST_OFFSET);
    transaction_batch_done(&batch, &hooks);
    lane_unref(lane);
}

static void
test_look_up_with_dead_lanes_drops_at_the_next_form(void **state)
{
    (void)state;
    TransactionBatch batch;
    OutgoingList pending = OUTGOING_LIST(pending);
    transaction_batch_init(&batch);
    Lane *lane = made_lane(4, 1);
    int32_t partitions[1];
    add(&pending, lane, FIRST_OFFSET);
    assert_true(form(&batch, &pending));
    assert_int_equal(transaction_batch_partitions(&batch, partitions), 1);
    assert_int_equal(partitions[0], 4);
    lane_set_state(lane, LANE_DEAD);
    assert_int_equal(transaction_batch_partitions(&batch, partitions), 0);
    transaction_batch_look_up(&batch, NULL, &pending, &hooks);
    assert_int_equal(pending.count, 1);
    assert_false(form(&batch, &pending));
    assert_int_equal(told.dropped, 1);
    transaction_batch_done(&batch, &hooks);
    lane_unref(lane);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        CASE(test_form_two_lanes_commits_below_the_first_unfinished),
        CASE(test_halve_makes_rounds_smaller_until_they_are_committed),
        CASE(test_form_two_lanes_of_a_partition_go_one_after_the_other),
        CASE(test_form_dead_lane_drops_its_outcomes),
        CASE(test_abort_puts_outcomes_back_in_front),
        CASE(test_form_more_ahead_than_fits_defers_the_rest_until_it_does),
        CASE(test_progress_goes_along_and_finishes_nothing),
        CASE(test_look_up_with_dead_lanes_drops_at_the_next_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "worker/pipeline/publisher/transaction_batch.h"

#include "common/log.h"

#include <string.h>

enum {
    ITEMS_MAX = 10000, /* of one transaction, so that it ends long before its time-out */
    FIRST_LANE_ROOM = 8,
    GROWS_BY = 16, /* one in so many, after a batch had to be made smaller */
};

void
transaction_batch_init(TransactionBatch *batch)
{
    *batch = (TransactionBatch){0};
    for (int topic = 0; topic < OUTGOING_PARTS; topic++)
        batch->bytes_most[topic] = SIZE_MAX;
    outgoing_list_init(&batch->items);
}

static void
forget_lanes(TransactionBatch *batch)
{
    for (size_t i = 0; i < batch->lane_count; i++)
        lane_unref(batch->lanes[i]);
    batch->lane_count = 0;
}

static bool
grow_lanes(TransactionBatch *batch, Error *err)
{
    const size_t room = batch->lane_room > 0 ? batch->lane_room * 2 : FIRST_LANE_ROOM;
    Lane **lanes = realloc(batch->lanes, room * sizeof(Lane *));
    if (lanes != NULL)
        batch->lanes = lanes;
    OffsetPlan *plans = realloc(batch->plans, room * sizeof(*plans));
    if (plans != NULL)
        batch->plans = plans;
    KafkaOffset *offsets = realloc(batch->offsets, room * sizeof(*offsets));
    if (offsets != NULL)
        batch->offsets = offsets;
    if (lanes == NULL || plans == NULL || offsets == NULL)
        return error_out_of_memory(err);
    batch->lane_room = room;
    return true;
}

static bool
add_lane(TransactionBatch *batch, Lane *lane, Error *err)
{
    for (size_t i = 0; i < batch->lane_count; i++) {
        if (batch->lanes[i] == lane)
            return true;
    }
    if (batch->lane_count == batch->lane_room && !grow_lanes(batch, err))
        return false;
    batch->lanes[batch->lane_count++] = lane_ref(lane);
    return true;
}

/* Lanes of another membership have ended or are about to, and so has one of two lanes of a
 * partition: their outcomes wait until that shows. */
static bool
belongs(const TransactionBatch *batch, const Outgoing *item)
{
    for (size_t i = 0; i < batch->lane_count; i++) {
        const Lane *lane = batch->lanes[i];
        if (lane == item->lane)
            return true;
        if (lane_membership(lane) != lane_membership(item->lane) ||
            lane_partition(lane) == lane_partition(item->lane))
            return false;
    }
    return true;
}

static bool
ends_command(const Outgoing *item)
{
    return item->kind == OUTGOING_OUTCOME;
}

static size_t
most(const TransactionBatch *batch)
{
    return batch->most > 0 ? batch->most : ITEMS_MAX;
}

/* True also of the first, whatever its size. */
static bool
has_room(const TransactionBatch *batch, const Outgoing *item)
{
    bool room = true;
    for (int topic = 0; topic < outgoing_part_count(item); topic++) {
        const size_t most_bytes = batch->bytes_most[topic];
        const size_t bytes = outgoing_part_size(item, topic, most_bytes);
        room = room && batch->bytes[topic] + bytes <= most_bytes;
    }
    return room || batch->items.count == 0;
}

static void
add_bytes(TransactionBatch *batch, const Outgoing *item)
{
    for (int topic = 0; topic < outgoing_part_count(item); topic++)
        batch->bytes[topic] += outgoing_part_size(item, topic, batch->bytes_most[topic]);
}

static bool
collect(TransactionBatch *batch, OutgoingList *pending, const DeliveryHooks *hooks, Error *err)
{
    OutgoingList waiting = OUTGOING_LIST(waiting);
    bool added = true;
    bool room = true;
    while (added && room && pending->count > 0 && batch->items.count < most(batch)) {
        Outgoing *item = outgoing_list_take(pending);
        room = has_room(batch, item);
        if (lane_state(item->lane) == LANE_DEAD) {
            hooks->done(hooks->publisher, item, false);
        } else if (!room || !belongs(batch, item)) {
            outgoing_list_add(&waiting, item);
        } else {
            outgoing_list_add(&batch->items, item);
            add_bytes(batch, item);
            if (ends_command(item))
                lane_offer(item->lane, item->source->offset);
            added = add_lane(batch, item->lane, err);
        }
    }
    outgoing_list_prepend(pending, &waiting);
    return added;
}

static bool
plan_offsets(TransactionBatch *batch, size_t metadata_bytes, Error *err)
{
    for (size_t i = 0; i < batch->lane_count; i++) {
        OffsetPlan *plan = &batch->plans[i];
        if (!lane_plan(batch->lanes[i], metadata_bytes, plan, err))
            return false;
        if (plan->is_cut)
            log_warn(
                "the broker takes less metadata than before; after a takeover some results may "
                "come twice",
                LOG_INT("partition", lane_partition(batch->lanes[i])));
        batch->offsets[i] =
            (KafkaOffset){lane_partition(batch->lanes[i]), plan->offset, plan->metadata};
    }
    return true;
}

/* What the plans withdrew goes back, to be tried again when an earlier command has ended. */
static void
defer_withdrawn(TransactionBatch *batch, OutgoingList *pending, const DeliveryHooks *hooks)
{
    OutgoingList all = OUTGOING_LIST(all);
    OutgoingList deferred = OUTGOING_LIST(deferred);
    outgoing_list_append(&all, &batch->items);
    for (Outgoing *item = outgoing_list_take(&all); item != NULL; item = outgoing_list_take(&all)) {
        if (!ends_command(item) || lane_is_offered(item->lane, item->source->offset)) {
            outgoing_list_add(&batch->items, item);
            continue;
        }
        if (!item->deferred)
            hooks->deferred(hooks->publisher, item);
        outgoing_list_add(&deferred, item);
    }
    outgoing_list_prepend(pending, &deferred);
}

bool
transaction_batch_form(TransactionBatch *batch, OutgoingList *pending, size_t metadata_bytes,
                       const DeliveryHooks *hooks, Error *err)
{
    forget_lanes(batch);
    memset(batch->bytes, 0, sizeof(batch->bytes));
    if (!collect(batch, pending, hooks, err) || !plan_offsets(batch, metadata_bytes, err)) {
        transaction_batch_abort(batch, pending);
        return false;
    }
    defer_withdrawn(batch, pending, hooks);
    return batch->items.count > 0;
}

const KafkaMembership *
transaction_batch_membership(const TransactionBatch *batch)
{
    return batch->lane_count > 0 ? lane_membership(batch->lanes[0]) : NULL;
}

void
transaction_batch_halve(TransactionBatch *batch)
{
    batch->most = batch->items.count > 1 ? batch->items.count / 2 : 1;
}

void
transaction_batch_commit(TransactionBatch *batch, const DeliveryHooks *hooks)
{
    batch->most = most(batch) < ITEMS_MAX ? batch->most + 1 + batch->most / GROWS_BY : 0;
    for (Outgoing *item = outgoing_list_take(&batch->items); item != NULL;
         item = outgoing_list_take(&batch->items))
        hooks->done(hooks->publisher, item, true);
    forget_lanes(batch);
}

void
transaction_batch_abort(TransactionBatch *batch, OutgoingList *pending)
{
    const Outgoing *item;
    STAILQ_FOREACH (item, &batch->items.items, entry) {
        if (ends_command(item))
            lane_withdraw(item->lane, item->source->offset);
    }
    outgoing_list_prepend(pending, &batch->items);
    forget_lanes(batch);
}

size_t
transaction_batch_partitions(const TransactionBatch *batch, int32_t *partitions)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->lane_count; i++) {
        if (lane_state(batch->lanes[i]) != LANE_DEAD)
            partitions[count++] = lane_partition(batch->lanes[i]);
    }
    return count;
}

static bool
was_committed(const Outgoing *item, const KafkaLookup *lookup)
{
    if (lookup == NULL)
        return false;
    const KafkaOffset committed = kafka_lookup_offset(lookup, lane_partition(item->lane));
    return lane_state(item->lane) != LANE_DEAD && committed.offset != KAFKA_OFFSET_NONE &&
           offset_ahead_covers(committed.offset, committed.metadata, item->source->offset);
}

void
transaction_batch_look_up(TransactionBatch *batch, const KafkaLookup *lookup, OutgoingList *pending,
                          const DeliveryHooks *hooks)
{
    OutgoingList open = OUTGOING_LIST(open);
    for (Outgoing *item = outgoing_list_take(&batch->items); item != NULL;
         item = outgoing_list_take(&batch->items)) {
        /* Offsets tell nothing of a progress; the next one is as good. */
        if (!ends_command(item) || was_committed(item, lookup))
            hooks->done(hooks->publisher, item, true);
        else
            outgoing_list_add(&open, item);
    }
    outgoing_list_append(&batch->items, &open);
    transaction_batch_abort(batch, pending);
}

void
transaction_batch_done(TransactionBatch *batch, const DeliveryHooks *hooks)
{
    for (Outgoing *item = outgoing_list_take(&batch->items); item != NULL;
         item = outgoing_list_take(&batch->items))
        hooks->done(hooks->publisher, item, false);
    forget_lanes(batch);
    free(batch->lanes);
    free(batch->plans);
    free(batch->offsets);
}

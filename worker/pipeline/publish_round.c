#include "worker/pipeline/publish_round.h"

#include "common/log.h"

enum {
    ITEMS_MAX = 10000, /* of one transaction, so that it ends long before its time-out */
    FIRST_LANE_ROOM = 8,
    GROWS_BY = 16, /* one in so many, after a round had to be made smaller */
};

/* Puts `front` before the rest of the list. */
static void
list_prepend(PublishList *list, PublishList *front)
{
    publish_list_append(front, list);
    publish_list_append(list, front);
}

static void
forget_lanes(PublishRound *round)
{
    for (size_t i = 0; i < round->lane_count; i++)
        lane_unref(round->lanes[i]);
    round->lane_count = 0;
}

static bool
grow_lanes(PublishRound *round, Error *err)
{
    const size_t room = round->lane_room > 0 ? round->lane_room * 2 : FIRST_LANE_ROOM;
    Lane **lanes = realloc(round->lanes, room * sizeof(Lane *));
    if (lanes != NULL)
        round->lanes = lanes;
    OffsetPlan *plans = realloc(round->plans, room * sizeof(*plans));
    if (plans != NULL)
        round->plans = plans;
    KafkaOffset *offsets = realloc(round->offsets, room * sizeof(*offsets));
    if (offsets != NULL)
        round->offsets = offsets;
    if (lanes == NULL || plans == NULL || offsets == NULL)
        return error_out_of_memory(err);
    round->lane_room = room;
    return true;
}

static bool
add_lane(PublishRound *round, Lane *lane, Error *err)
{
    for (size_t i = 0; i < round->lane_count; i++) {
        if (round->lanes[i] == lane)
            return true;
    }
    if (round->lane_count == round->lane_room && !grow_lanes(round, err))
        return false;
    round->lanes[round->lane_count++] = lane_ref(lane);
    return true;
}

/* Lanes of another membership have ended or are about to: their outcomes wait until that shows. */
static bool
belongs(const PublishRound *round, const PublishItem *item)
{
    return round->lane_count == 0 ||
           lane_membership(round->lanes[0]) == lane_membership(item->lane);
}

static bool
ends_command(const PublishItem *item)
{
    return item->kind == PUBLISH_OUTCOME;
}

static size_t
most(const PublishRound *round)
{
    return round->most > 0 ? round->most : ITEMS_MAX;
}

static bool
collect(PublishRound *round, PublishList *pending, const DeliveryHooks *hooks, Error *err)
{
    PublishList waiting = {0};
    bool added = true;
    while (added && pending->first != NULL && round->items.count < most(round)) {
        PublishItem *item = publish_list_take(pending);
        if (lane_state(item->lane) == LANE_DEAD) {
            hooks->done(hooks->publisher, item, false);
        } else if (!belongs(round, item)) {
            publish_list_add(&waiting, item);
        } else {
            publish_list_add(&round->items, item);
            if (ends_command(item))
                lane_offer(item->lane, item->source->offset);
            added = add_lane(round, item->lane, err);
        }
    }
    list_prepend(pending, &waiting);
    return added;
}

static bool
plan_offsets(PublishRound *round, size_t metadata_bytes, Error *err)
{
    for (size_t i = 0; i < round->lane_count; i++) {
        OffsetPlan *plan = &round->plans[i];
        if (!lane_plan(round->lanes[i], metadata_bytes, plan, err))
            return false;
        if (plan->is_cut)
            log_warn(
                "the broker takes less metadata than before; after a takeover some results may "
                "come twice",
                LOG_INT("partition", lane_partition(round->lanes[i])));
        round->offsets[i] =
            (KafkaOffset){lane_partition(round->lanes[i]), plan->offset, plan->metadata};
    }
    return true;
}

/* What the plans withdrew goes back, to be tried again when an earlier command has ended. */
static void
defer_withdrawn(PublishRound *round, PublishList *pending, const DeliveryHooks *hooks)
{
    PublishList all = round->items;
    PublishList deferred = {0};
    round->items = (PublishList){0};
    for (PublishItem *item = publish_list_take(&all); item != NULL;
         item = publish_list_take(&all)) {
        if (!ends_command(item) || lane_is_offered(item->lane, item->source->offset)) {
            publish_list_add(&round->items, item);
            continue;
        }
        if (!item->deferred)
            hooks->deferred(hooks->publisher, item);
        publish_list_add(&deferred, item);
    }
    list_prepend(pending, &deferred);
}

bool
publish_round_form(PublishRound *round, PublishList *pending, size_t metadata_bytes,
                   const DeliveryHooks *hooks, Error *err)
{
    forget_lanes(round);
    if (!collect(round, pending, hooks, err) || !plan_offsets(round, metadata_bytes, err)) {
        publish_round_abort(round, pending);
        return false;
    }
    defer_withdrawn(round, pending, hooks);
    return round->items.count > 0;
}

const KafkaMembership *
publish_round_membership(const PublishRound *round)
{
    return round->lane_count > 0 ? lane_membership(round->lanes[0]) : NULL;
}

static void
deliver(PublishItem *item, const DeliveryHooks *hooks)
{
    Error err = {0};
    const bool finished =
        !ends_command(item) || lane_finish(item->lane, item->source->offset, &err);
    if (!finished)
        hooks->failed(hooks->publisher, &err);
    hooks->done(hooks->publisher, item, finished);
}

void
publish_round_halve(PublishRound *round)
{
    round->most = round->items.count > 1 ? round->items.count / 2 : 1;
}

void
publish_round_commit(PublishRound *round, const DeliveryHooks *hooks)
{
    round->most = most(round) < ITEMS_MAX ? round->most + 1 + round->most / GROWS_BY : 0;
    for (PublishItem *item = publish_list_take(&round->items); item != NULL;
         item = publish_list_take(&round->items))
        deliver(item, hooks);
    forget_lanes(round);
}

void
publish_round_abort(PublishRound *round, PublishList *pending)
{
    for (const PublishItem *item = round->items.first; item != NULL; item = item->next) {
        if (ends_command(item))
            lane_withdraw(item->lane, item->source->offset);
    }
    list_prepend(pending, &round->items);
    forget_lanes(round);
}

size_t
publish_round_partitions(const PublishRound *round, int32_t *partitions)
{
    size_t count = 0;
    for (size_t i = 0; i < round->lane_count; i++) {
        if (lane_state(round->lanes[i]) != LANE_DEAD)
            partitions[count++] = lane_partition(round->lanes[i]);
    }
    return count;
}

static bool
was_committed(const PublishItem *item, const KafkaLookup *lookup)
{
    if (lookup == NULL)
        return false;
    const KafkaOffset committed = kafka_lookup_offset(lookup, lane_partition(item->lane));
    return lane_state(item->lane) != LANE_DEAD && committed.offset != KAFKA_OFFSET_NONE &&
           offset_ahead_covers(committed.offset, committed.metadata, item->source->offset);
}

void
publish_round_look_up(PublishRound *round, const KafkaLookup *lookup, PublishList *pending,
                      const DeliveryHooks *hooks)
{
    PublishList open = {0};
    for (PublishItem *item = publish_list_take(&round->items); item != NULL;
         item = publish_list_take(&round->items)) {
        /* Offsets tell nothing of a progress; the next one is as good. */
        if (!ends_command(item) || was_committed(item, lookup))
            deliver(item, hooks);
        else
            publish_list_add(&open, item);
    }
    round->items = open;
    publish_round_abort(round, pending);
}

void
publish_round_done(PublishRound *round, const DeliveryHooks *hooks)
{
    for (PublishItem *item = publish_list_take(&round->items); item != NULL;
         item = publish_list_take(&round->items))
        hooks->done(hooks->publisher, item, false);
    forget_lanes(round);
    free(round->lanes);
    free(round->plans);
    free(round->offsets);
}

#include "worker/pipeline/publisher/set_aside.h"

#include "common/backoff.h"
#include "common/log.h"

enum {
    FIRST_WAIT_MS = 5000,
    LONGEST_WAIT_MS = 60 * 1000,
    LOOK_EVERY_MS = 100,
    SHARE_OF_TRIES = 10, /* one part in so many of the time */
};

static const Backoff waits = {FIRST_WAIT_MS, LONGEST_WAIT_MS};

void
set_aside_init(SetAside *aside, const PipelineSettings *settings, const Clock *clock,
               const DeliveryHooks *hooks)
{
    *aside = (SetAside){.settings = settings, .clock = clock, .hooks = *hooks, .seed = 1};
    outgoing_list_init(&aside->items);
}

static int64_t
now_ms(const SetAside *aside)
{
    return clock_monotonic_ms(aside->clock);
}

bool
set_aside_is_the_topics(const Error *failure)
{
    return failure->reason == REASON_TOPIC_GONE || failure->reason == REASON_KAFKA_REFUSED;
}

void
set_aside_block_topic(SetAside *aside, const SetAsideBlame *blame)
{
    SetAsideTopic *topic = &aside->topics[outgoing_part_index(blame->part)];
    const bool is_known = topic->blocked && !topic->trying; /* it was on its way before */
    topic->blocked = true;
    topic->trying = false;
    topic->tries += !is_known;
    if (!is_known)
        topic->not_before_ms = now_ms(aside) + backoff_wait_ms(&waits, topic->tries, &aside->seed);
    if (!log_limit_allows(&topic->news, now_ms(aside)))
        return;
    log_warn("a topic takes no records: what is to be written there is set aside until it does",
             LOG_STR("topic", outgoing_part_topic(aside->settings, blame->part)),
             LOG_STR("command_id", blame->part->item->command_id),
             LOG_INT("partition", blame->part->item->source->partition),
             LOG_INT("bytes", blame->bytes), LOG_INT("outcomes", aside->items.count),
             LOG_STR("code", blame->cause->code), LOG_ERR(blame->cause));
}

static void
end_try(SetAside *aside, const Outgoing *item)
{
    for (int i = 0; i < outgoing_part_count(item); i++)
        aside->topics[i].trying = false;
}

void
set_aside_blame(SetAside *aside, const SetAsideBlame *blame)
{
    Outgoing *item = blame->part->item;
    end_try(aside, item);
    item->failures++;
    item->not_before_ms = now_ms(aside) + backoff_wait_ms(&waits, item->failures, &aside->seed);
    if (!log_limit_allows(&aside->news, now_ms(aside)))
        return;
    log_warn("an outcome cannot be written: it is set aside, and its partition's committed offset "
             "waits for it",
             LOG_STR("command_id", item->command_id),
             LOG_STR("topic", outgoing_part_topic(aside->settings, blame->part)),
             LOG_INT("partition", item->source->partition), LOG_INT("offset", item->source->offset),
             LOG_INT("bytes", blame->bytes), LOG_INT("tries", item->failures),
             LOG_INT("set_aside", aside->items.count), LOG_STR("code", blame->cause->code),
             LOG_ERR(blame->cause));
}

/* The topic out of order that the outcome still has a record for. */
static int
blocked_topic(const SetAside *aside, const Outgoing *item)
{
    for (int i = 0; i < outgoing_part_count(item); i++) {
        if (aside->topics[i].blocked && item->parts[i].state != OUTGOING_DELIVERED)
            return i;
    }
    return OUTGOING_PARTS;
}

bool
set_aside_holds(const SetAside *aside, const Outgoing *item)
{
    return item->failures > 0 || blocked_topic(aside, item) < OUTGOING_PARTS;
}

/* Without the results topic every executor has to wait; what is set aside for another reason must
 * not stop those whose results can go. */
static void
make_room(SetAside *aside, Outgoing *item)
{
    if (item->deferred || aside->topics[OUTGOING_RESULT].blocked)
        return;
    aside->hooks.deferred(aside->hooks.publisher, item);
    item->deferred = true;
}

void
set_aside_add(SetAside *aside, Outgoing *item)
{
    if (item->kind == OUTGOING_PROGRESS) {
        end_try(aside, item);
        aside->hooks.done(aside->hooks.publisher, item, false);
        return;
    }
    outgoing_rest(item);
    make_room(aside, item);
    outgoing_list_add(&aside->items, item);
}

int
set_aside_topic_of(const SetAside *aside, const Outgoing *item)
{
    return blocked_topic(aside, item);
}

static int
count_blocked(const SetAside *aside, const Outgoing *item)
{
    int blocked = 0;
    for (int i = 0; i < outgoing_part_count(item); i++)
        blocked += aside->topics[i].blocked && item->parts[i].state != OUTGOING_DELIVERED;
    return blocked;
}

/* How well the outcome serves for a try now; 0: not at all. One that needs two topics that are out
 * of order would not tell which of them works. */
static int
rank(const SetAside *aside, const Outgoing *item, int64_t now)
{
    const int topic = blocked_topic(aside, item);
    const bool topic_is_due =
        topic == OUTGOING_PARTS ||
        (!aside->topics[topic].trying && aside->topics[topic].not_before_ms <= now);
    if (item->not_before_ms > now || now < aside->rest_ms || !topic_is_due)
        return 0;
    return count_blocked(aside, item) < OUTGOING_PARTS ? 2 : 1;
}

static void
log_dropped(size_t dropped)
{
    if (dropped > 0)
        log_info("outcomes that were set aside are left to their partitions' next owner",
                 LOG_INT("outcomes", dropped));
}

Outgoing *
set_aside_take_due(SetAside *aside)
{
    const int64_t now = now_ms(aside);
    if (aside->items.count == 0 || now < aside->look_ms)
        return NULL;
    aside->look_ms = now + LOOK_EVERY_MS;
    OutgoingList all = OUTGOING_LIST(all);
    outgoing_list_append(&all, &aside->items);
    Outgoing *due = NULL;
    int due_rank = 0;
    size_t dropped = 0;
    for (Outgoing *item = outgoing_list_take(&all); item != NULL; item = outgoing_list_take(&all)) {
        if (lane_state(item->lane) == LANE_DEAD) {
            aside->hooks.done(aside->hooks.publisher, item, false);
            dropped++;
            continue;
        }
        const int item_rank = rank(aside, item, now);
        Outgoing *other = item_rank > due_rank ? due : item;
        due = item_rank > due_rank ? item : due;
        due_rank = item_rank > due_rank ? item_rank : due_rank;
        if (other != NULL)
            outgoing_list_add(&aside->items, other);
    }
    log_dropped(dropped);
    const int topic = due != NULL ? blocked_topic(aside, due) : OUTGOING_PARTS;
    if (topic < OUTGOING_PARTS)
        aside->topics[topic].trying = true;
    return due;
}

void
set_aside_try_again(SetAside *aside, Outgoing *item)
{
    end_try(aside, item);
    set_aside_add(aside, item);
}

void
set_aside_rest(SetAside *aside, int64_t took_ms)
{
    aside->rest_ms = now_ms(aside) + took_ms * SHARE_OF_TRIES;
}

void
set_aside_topic_works(SetAside *aside, int topic, OutgoingList *released)
{
    if (topic == OUTGOING_PARTS || !aside->topics[topic].blocked)
        return;
    aside->topics[topic] = (SetAsideTopic){0};
    OutgoingList all = OUTGOING_LIST(all);
    outgoing_list_append(&all, &aside->items);
    for (Outgoing *item = outgoing_list_take(&all); item != NULL; item = outgoing_list_take(&all))
        outgoing_list_add(set_aside_holds(aside, item) ? &aside->items : released, item);
    log_info("a topic takes records again", LOG_INT("outcomes", released->count + 1),
             LOG_STR("topic", topic == OUTGOING_RESULT ? aside->settings->results_topic
                                                       : aside->settings->dead_letters_topic));
}

void
set_aside_done(SetAside *aside)
{
    for (Outgoing *item = outgoing_list_take(&aside->items); item != NULL;
         item = outgoing_list_take(&aside->items))
        aside->hooks.done(aside->hooks.publisher, item, false);
}

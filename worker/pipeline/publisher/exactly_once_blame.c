/* Which outcome, or which topic, makes a transaction fail: so that only that one waits. */
#include "worker/pipeline/publisher/exactly_once_private.h"

#include "common/log.h"

enum {
    CHECK_TOPIC_MS = 1000,
    DEFERRED_PAUSE_MS = 1000,
};

void
exactly_once_acquit(ExactlyOnce *self)
{
    self->failure = (Error){0};
    self->failed_part = NULL;
    self->suspects = 0;
    self->topics_checked = false;
}

/* Purged records are those that the abort has kept from going; what is fatal to the producer comes
 * from none of them. */
static bool
tells_of_a_record(const Error *failure)
{
    return failure->reason != REASON_RECORD_PURGED && failure->kind != ERROR_FATAL;
}

void
exactly_once_note_failure(ExactlyOnce *self, OutgoingPart *part, const Error *failure)
{
    if (!tells_of_a_record(failure))
        return;
    if (self->failure.reason == REASON_NONE) {
        self->failure = *failure;
        self->failed_part = part;
    }
    if (part != NULL && !part->item->suspect) {
        part->item->suspect = true;
        self->suspects++;
    }
}

/* A record of the batch for that topic, on its way still; or NULL. */
static OutgoingPart *
part_of_topic(const ExactlyOnce *self, int topic)
{
    Outgoing *item;
    STAILQ_FOREACH (item, &self->batch.items.items, entry) {
        if (topic < outgoing_part_count(item) && item->parts[topic].state != OUTGOING_DELIVERED)
            return &item->parts[topic];
    }
    return NULL;
}

bool
exactly_once_check_topics(ExactlyOnce *self, Error *err)
{
    for (int topic = 0; topic < OUTGOING_PARTS; topic++) {
        OutgoingPart *part = part_of_topic(self, topic);
        if (part == NULL ||
            kafka_producer_check_topic(self->producer, outgoing_part_topic(self->settings, part),
                                       exactly_once_call_ms(self, CHECK_TOPIC_MS), err))
            continue;
        if (err->reason == REASON_KAFKA_UNREACHABLE)
            return true;
        exactly_once_note_failure(self, part, err);
        return false;
    }
    return true;
}

size_t
exactly_once_max_bytes(const ExactlyOnce *self, int part)
{
    return size_limit_bytes(&self->size_limits[part], kafka_producer_max_bytes(self->producer),
                            exactly_once_now_ms(self));
}

void
exactly_once_bound_batch(ExactlyOnce *self)
{
    const size_t unbounded = kafka_producer_max_bytes(self->producer);
    for (int part = 0; part < OUTGOING_PARTS; part++) {
        const size_t bytes = exactly_once_max_bytes(self, part);
        self->batch.bytes_most[part] = bytes < unbounded ? bytes : SIZE_MAX;
    }
}

static size_t
bytes_of(const ExactlyOnce *self, const OutgoingPart *part)
{
    const size_t max_bytes = exactly_once_max_bytes(self, outgoing_part_index(part));
    CLEANUP(record_freep) Record *record = outgoing_render(self->settings, part, max_bytes);
    return record != NULL ? record_size(record) : 0;
}

static SetAsideBlame
blame_of(const ExactlyOnce *self, const OutgoingPart *part)
{
    return (SetAsideBlame){part, bytes_of(self, part), &self->failure};
}

/* The record of a try for the topic that it tries; NULL when it tries none. */
static const OutgoingPart *
tried_part(const ExactlyOnce *self)
{
    const Outgoing *item = self->alone ? STAILQ_FIRST(&self->batch.items.items) : NULL;
    const int topic = item != NULL ? set_aside_topic_of(&self->aside, item) : OUTGOING_PARTS;
    return topic < OUTGOING_PARTS ? &item->parts[topic] : NULL;
}

/* All can go without dead letters, and nothing without results: where it is not told which of the
 * two topics it is, the dead letters are tried apart first. */
static void
judge_topic(ExactlyOnce *self)
{
    const OutgoingPart *part = self->failed_part != NULL ? self->failed_part : tried_part(self);
    for (int topic = OUTGOING_PARTS - 1; part == NULL && topic >= 0; topic--)
        part = part_of_topic(self, topic);
    if (part == NULL)
        return;
    const SetAsideBlame blame = blame_of(self, part);
    set_aside_block_topic(&self->aside, &blame);
}

/* No record has failed by itself: each that is not there may be the one. */
static void
suspect_undelivered(ExactlyOnce *self)
{
    Outgoing *item;
    self->suspects = 0;
    STAILQ_FOREACH (item, &self->batch.items.items, entry) {
        item->suspect = false;
        for (int i = 0; i < outgoing_part_count(item); i++)
            item->suspect |= item->parts[i].state != OUTGOING_DELIVERED;
        self->suspects += item->suspect;
    }
    self->failed_part = NULL;
}

static Outgoing *
only_suspect(const ExactlyOnce *self)
{
    Outgoing *item = STAILQ_FIRST(&self->batch.items.items);
    if (self->batch.items.count > 1 && self->suspects != 1)
        return NULL;
    while (self->batch.items.count > 1 && item != NULL && !item->suspect)
        item = STAILQ_NEXT(item, entry);
    return item;
}

static const OutgoingPart *
failed_part_of(const ExactlyOnce *self, const Outgoing *item)
{
    if (self->failed_part != NULL && self->failed_part->item == item)
        return self->failed_part;
    for (int i = 0; i < outgoing_part_count(item); i++) {
        if (item->parts[i].state != OUTGOING_DELIVERED)
            return &item->parts[i];
    }
    return &item->parts[OUTGOING_RESULT];
}

static void
blame(ExactlyOnce *self, const OutgoingPart *part)
{
    const SetAsideBlame blame = blame_of(self, part);
    set_aside_blame(&self->aside, &blame);
}

static void
judge_record(ExactlyOnce *self)
{
    const Outgoing *item = only_suspect(self);
    if (item == NULL)
        transaction_batch_halve(&self->batch);
    else
        blame(self, failed_part_of(self, item));
}

/* A topic has refused a record, or several for one: librdkafka 2.0.2 does not divide a batch that a
 * topic finds too large. */
static void
judge_size(ExactlyOnce *self)
{
    const Outgoing *item = only_suspect(self);
    const int part = outgoing_part_index(self->failed_part);
    const size_t most = exactly_once_max_bytes(self, part);
    const size_t bytes = item != NULL ? outgoing_part_size(item, part, most)
                                      : size_least(self->batch.bytes[part], most);
    if (item == NULL || outgoing_part_can_shrink(part, bytes)) {
        size_limit_refused(&self->size_limits[part],
                           outgoing_part_topic(self->settings, self->failed_part), bytes,
                           exactly_once_now_ms(self));
        return;
    }
    if (item->failures == 0)
        self->size_limits[part] = (SizeLimit){0}; /* it was that one, and no others with it */
    blame(self, self->failed_part);
}

/* True also when the brokers do not answer; else the one that is away is noted. What was known
 * stays when none is. */
static bool
topics_are_there(ExactlyOnce *self, Error *err)
{
    const Error known = self->failure;
    self->failure = (Error){0}; /* so that a topic's fault is noted */
    if (!exactly_once_check_topics(self, err))
        return false;
    self->failure = known;
    return true;
}

void
exactly_once_judge(ExactlyOnce *self)
{
    const bool late = self->failure.reason == REASON_KAFKA_UNREACHABLE ||
                      self->failure.reason == REASON_TRANSACTION_STALLED;
    /* It may be the commands topic, of which the offsets are. */
    const bool names_no_topic =
        self->failure.reason == REASON_TOPIC_GONE && self->failed_part == NULL;
    Error err = {0};
    if (self->failure.reason == REASON_NONE || self->batch.items.count == 0)
        return;
    if (late)
        suspect_undelivered(self);
    if ((late || names_no_topic) && topics_are_there(self, &err) &&
        (names_no_topic || err.reason == REASON_KAFKA_UNREACHABLE))
        return; /* it is none of the outcomes */
    if (set_aside_is_the_topics(&self->failure))
        judge_topic(self);
    else if (self->failure.kind == ERROR_REJECT && self->failed_part != NULL)
        judge_size(self);
    else
        judge_record(self);
}

void
exactly_once_put_back(ExactlyOnce *self, OutgoingList *items)
{
    OutgoingList kept = OUTGOING_LIST(kept);
    const bool alone = self->alone;
    const size_t returned = items->count;
    if (alone)
        set_aside_rest(&self->aside,
                       exactly_once_now_ms(self) - self->begun_ms + EXACTLY_ONCE_PAUSE_MS);
    outgoing_list_append(items, &self->pending);
    size_t at = 0;
    for (Outgoing *item = outgoing_list_take(items); item != NULL;
         item = outgoing_list_take(items)) {
        const bool was_in_batch = at++ < returned;
        item->suspect = false;
        if (was_in_batch)
            outgoing_reset_parts(item);
        if (was_in_batch && alone)
            set_aside_try_again(&self->aside, item);
        else if (set_aside_holds(&self->aside, item))
            set_aside_add(&self->aside, item);
        else
            outgoing_list_add(&kept, item);
    }
    outgoing_list_append(&self->pending, &kept);
}

/* A topic that the cluster does not know needs no transaction to find that out. */
static bool
may_try(ExactlyOnce *self, Outgoing *item)
{
    const int topic = set_aside_topic_of(&self->aside, item);
    if (topic == OUTGOING_PARTS)
        return true;
    const int64_t since_ms = exactly_once_now_ms(self);
    Error err = {0};
    outgoing_reset_parts(item);
    const OutgoingPart *part = &item->parts[topic];
    if (kafka_producer_check_topic(self->producer, outgoing_part_topic(self->settings, part),
                                   exactly_once_call_ms(self, CHECK_TOPIC_MS), &err))
        return true;
    const SetAsideBlame blame = {part, bytes_of(self, part), &err};
    if (err.reason != REASON_KAFKA_UNREACHABLE)
        set_aside_block_topic(&self->aside, &blame);
    set_aside_rest(&self->aside, exactly_once_now_ms(self) - since_ms);
    return false;
}

bool
exactly_once_begin_try(ExactlyOnce *self, Error *err)
{
    OutgoingList one = OUTGOING_LIST(one);
    Outgoing *item = set_aside_take_due(&self->aside);
    if (item == NULL)
        return false;
    if (!may_try(self, item)) {
        set_aside_try_again(&self->aside, item);
        return false;
    }
    outgoing_list_add(&one, item);
    self->alone =
        transaction_batch_form(&self->batch, &one, self->metadata_bytes, &self->hooks, err);
    if (self->alone)
        return true;
    item = outgoing_list_take(&one);
    if (item != NULL) { /* finished too far ahead */
        item->not_before_ms = exactly_once_now_ms(self) + DEFERRED_PAUSE_MS;
        set_aside_try_again(&self->aside, item);
    }
    return false;
}

void
exactly_once_end_try(ExactlyOnce *self)
{
    OutgoingList released = OUTGOING_LIST(released);
    const Outgoing *item = STAILQ_FIRST(&self->batch.items.items);
    const int parts = item != NULL ? outgoing_part_count(item) : 0;
    for (int topic = 0; topic < parts; topic++)
        set_aside_topic_works(&self->aside, topic, &released);
    outgoing_list_append(&self->pending, &released);
}

#include "common/kafka/kafka_producer.h"
#include "common/log.h"
#include "worker/pipeline/publisher/set_aside.h"
#include "worker/pipeline/publisher/size_limit.h"

enum {
    PAUSE_MS = 500,     /* after a failed delivery */
    FULL_PAUSE_MS = 5,  /* after the producer's own queue was full */
    UNBATCHED_MS = 100, /* for the answer, before the next is sent */
};

typedef struct AtLeastOnce {
    const PipelineSettings *settings;
    const Clock *clock;
    DeliveryHooks hooks;
    KafkaProducer *producer;
    OutgoingList waiting; /* to be sent (again), each at its time */
    SetAside aside;
    SizeLimit size_limits[OUTGOING_PARTS];
    LogLimit news; /* of records that are sent again */
    size_t held;
    size_t on_their_way;
    bool closing;
} AtLeastOnce;

static void
keep(AtLeastOnce *self, Outgoing *item, int delay_ms)
{
    item->not_before_ms = clock_monotonic_ms(self->clock) + delay_ms;
    outgoing_list_add(&self->waiting, item);
}

static void
end_item(AtLeastOnce *self, Outgoing *item, bool delivered)
{
    self->held--;
    self->hooks.done(self->hooks.publisher, item, delivered);
}

/* The set-aside's hooks. */
static void
on_aside_done(void *state, Outgoing *item, bool delivered)
{
    end_item(state, item, delivered);
}

static void
on_aside_deferred(void *state, Outgoing *item)
{
    const AtLeastOnce *self = state;
    self->hooks.deferred(self->hooks.publisher, item);
}

static bool
has_part(const Outgoing *item, OutgoingPartState state)
{
    for (int i = 0; i < outgoing_part_count(item); i++) {
        if (item->parts[i].state == state)
            return true;
    }
    return false;
}

/* Called whenever a part changed: ends the outcome, or puts it aside, once nothing of it is on its
 * way. */
static void
settle(AtLeastOnce *self, Outgoing *item, int delay_ms)
{
    if (has_part(item, OUTGOING_ON_ITS_WAY))
        return;
    if (!has_part(item, OUTGOING_TO_SEND))
        end_item(self, item, true);
    else if (set_aside_holds(&self->aside, item))
        set_aside_add(&self->aside, item);
    else
        keep(self, item, delay_ms);
}

static size_t
max_bytes(const AtLeastOnce *self, int part)
{
    return size_limit_bytes(&self->size_limits[part], kafka_producer_max_bytes(self->producer),
                            clock_monotonic_ms(self->clock));
}

/* True when the part can be sent again with less in it. */
static bool
shrink(AtLeastOnce *self, const OutgoingPart *part, size_t bytes)
{
    const int index = outgoing_part_index(part);
    if (!outgoing_part_can_shrink(index, bytes))
        return false;
    size_limit_refused(&self->size_limits[index], outgoing_part_topic(self->settings, part), bytes,
                       clock_monotonic_ms(self->clock));
    return true;
}

/* What has failed all by itself is at fault; of others it is not known until they go unbatched. */
static void
note_failure(AtLeastOnce *self, OutgoingPart *part, size_t bytes, const Error *failure)
{
    Outgoing *item = part->item;
    const SetAsideBlame blame = {part, bytes, failure};
    const bool may_be_its_own =
        failure->kind == ERROR_REJECT || failure->reason == REASON_KAFKA_FAILED;
    if (set_aside_is_the_topics(failure)) {
        set_aside_block_topic(&self->aside, &blame);
        return;
    }
    const bool is_its_own = may_be_its_own && item->send_unbatched;
    const bool cut = is_its_own && failure->kind == ERROR_REJECT && shrink(self, part, bytes);
    if (is_its_own && !cut) {
        set_aside_blame(&self->aside, &blame);
        return;
    }
    item->send_unbatched |= may_be_its_own;
    if (log_limit_allows(&self->news, clock_monotonic_ms(self->clock)))
        log_warn("delivery failed, sending again", LOG_STR("command_id", item->command_id),
                 LOG_STR("topic", outgoing_part_topic(self->settings, part)),
                 LOG_STR("cut", cut ? "yes" : NULL), LOG_STR("code", failure->code),
                 LOG_ERR(failure));
}

/* False when the producer's queue is full. */
static bool
send_part(AtLeastOnce *self, OutgoingPart *part)
{
    Error failure = {0};
    CLEANUP(record_freep)
    Record *record =
        outgoing_render(self->settings, part, max_bytes(self, outgoing_part_index(part)));
    if (record == NULL) {
        (void)error_out_of_memory(&failure);
        note_failure(self, part, 0, &failure);
        return true;
    }
    switch (kafka_producer_send(self->producer, record, part, &failure)) {
    case KAFKA_SEND_OK:
        part->state = OUTGOING_ON_ITS_WAY;
        self->on_their_way++;
        return true;
    case KAFKA_SEND_QUEUE_FULL:
        return false;
    case KAFKA_SEND_FAILED:
        part->item->send_unbatched |= failure.kind == ERROR_REJECT; /* no batch was to blame */
        note_failure(self, part, record_size(record), &failure);
        return true;
    }
    return true;
}

static void
send_item(AtLeastOnce *self, Outgoing *item)
{
    if (lane_state(item->lane) == LANE_DEAD) {
        end_item(self, item, false);
        return;
    }
    bool room = true;
    for (int i = 0; i < outgoing_part_count(item) && room; i++) {
        if (item->parts[i].state == OUTGOING_TO_SEND)
            room = send_part(self, &item->parts[i]);
    }
    settle(self, item, room ? PAUSE_MS : FULL_PAUSE_MS);
}

static void
at_least_once_send(void *state, Outgoing *item)
{
    AtLeastOnce *self = state;
    self->held++;
    outgoing_reset_parts(item);
    if (set_aside_holds(&self->aside, item))
        set_aside_add(&self->aside, item);
    else
        send_item(self, item);
}

/* What waited for the topic goes at once. */
static void
note_success(AtLeastOnce *self, const OutgoingPart *part)
{
    OutgoingList released = OUTGOING_LIST(released);
    set_aside_topic_works(&self->aside, outgoing_part_index(part), &released);
    outgoing_list_append(&self->waiting, &released);
}

static size_t
bytes_of(const AtLeastOnce *self, const OutgoingPart *part)
{
    CLEANUP(record_freep)
    Record *record =
        outgoing_render(self->settings, part, max_bytes(self, outgoing_part_index(part)));
    return record != NULL ? record_size(record) : 0;
}

static void
on_delivered(void *state, void *opaque, const Error *failure)
{
    AtLeastOnce *self = state;
    OutgoingPart *part = opaque;
    self->on_their_way--;
    part->state = failure == NULL ? OUTGOING_DELIVERED : OUTGOING_TO_SEND;
    if (failure == NULL)
        note_success(self, part);
    else if (!self->closing)
        note_failure(self, part, bytes_of(self, part), failure);
    settle(self, part->item, PAUSE_MS);
}

static void
send_due(AtLeastOnce *self)
{
    const int64_t now_ms = clock_monotonic_ms(self->clock);
    OutgoingList all = OUTGOING_LIST(all);
    outgoing_list_append(&all, &self->waiting);
    for (Outgoing *item = outgoing_list_take(&all); item != NULL; item = outgoing_list_take(&all)) {
        if (set_aside_holds(&self->aside, item)) {
            set_aside_add(&self->aside, item);
        } else if (item->not_before_ms <= now_ms || lane_state(item->lane) == LANE_DEAD) {
            const bool send_unbatched = item->send_unbatched;
            send_item(self, item);
            if (send_unbatched)
                kafka_producer_hasten(self->producer, UNBATCHED_MS);
        } else {
            outgoing_list_add(&self->waiting, item);
        }
    }
}

/* One outcome that was set aside; its failure says what the next one waits for. */
static void
try_due(AtLeastOnce *self)
{
    if (self->aside.items.count == 0)
        return;
    Outgoing *item = set_aside_take_due(&self->aside);
    if (item == NULL)
        return;
    item->send_unbatched = true;
    send_item(self, item);
    kafka_producer_hasten(self->producer, UNBATCHED_MS);
}

static bool
open_producer(AtLeastOnce *self, Error *err)
{
    if (!kafka_producer_open(&self->settings->kafka, 0, on_delivered, self, &self->producer, err))
        return false;
    kafka_producer_prepare(self->producer, self->settings->results_topic);
    kafka_producer_prepare(self->producer, self->settings->dead_letters_topic);
    return true;
}

/* A producer whose sequence the broker refuses never works again; a new one does. */
static void
reopen_when_broken(AtLeastOnce *self)
{
    if (self->on_their_way > 0 || !kafka_producer_is_broken(self->producer))
        return;
    KafkaProducer *broken = self->producer;
    Error err = {0};
    if (!open_producer(self, &err)) {
        log_warn("a new producer could not be opened", LOG_ERR(&err));
        return;
    }
    kafka_producer_close(broken);
    log_warn("the producer was replaced", LOG_STR("delivery", "at_least_once"));
}

static void
at_least_once_turn(void *state, int timeout_ms, int64_t deadline_ms)
{
    AtLeastOnce *self = state;
    (void)deadline_ms;   /* no call of this delivery waits */
    if (self->held == 1) /* no other outcome goes with it */
        kafka_producer_hasten(self->producer, timeout_ms);
    else
        (void)kafka_producer_poll(self->producer, timeout_ms);
    reopen_when_broken(self);
    send_due(self);
    try_due(self);
}

static bool
at_least_once_is_waiting(const void *state)
{
    const AtLeastOnce *self = state;
    return self->on_their_way > 0;
}

static size_t
at_least_once_held(const void *state)
{
    const AtLeastOnce *self = state;
    return self->held;
}

/* Outcomes on their way are known only to the producer's messages, so these are given back first.
 */
static void
at_least_once_close(void *state)
{
    AtLeastOnce *self = state;
    self->closing = true;
    kafka_producer_abandon(self->producer);
    for (Outgoing *item = outgoing_list_take(&self->waiting); item != NULL;
         item = outgoing_list_take(&self->waiting))
        end_item(self, item, false);
    set_aside_done(&self->aside);
    kafka_producer_close(self->producer);
    free(self);
}

bool
delivery_open_at_least_once(const PipelineSettings *settings, const Clock *clock,
                            const DeliveryHooks *hooks, Delivery *ret_delivery, Error *err)
{
    AtLeastOnce *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return error_out_of_memory(err);
    self->settings = settings;
    self->clock = clock;
    self->hooks = *hooks;
    outgoing_list_init(&self->waiting);
    const DeliveryHooks aside_hooks = {self, on_aside_done, on_aside_deferred, NULL};
    set_aside_init(&self->aside, settings, clock, &aside_hooks);
    if (!open_producer(self, err)) {
        free(self);
        return false;
    }
    *ret_delivery = (Delivery){
        .state = self,
        .send = at_least_once_send,
        .turn = at_least_once_turn,
        .is_waiting = at_least_once_is_waiting,
        .held = at_least_once_held,
        .close = at_least_once_close,
    };
    return true;
}

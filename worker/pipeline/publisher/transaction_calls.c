/* What each step of a transaction does; none decides what follows. */
#include "common/log.h"
#include "worker/pipeline/publisher/exactly_once_private.h"

enum {
    CALL_MS = 1000, /* one call to Kafka; it can be called again */
    OFFSETS_CALL_MS = KAFKA_TRANSACTION_TIMEOUT_MS / 2, /* one that cannot */
    METADATA_LEAST_BYTES = 64,
    TRY_MS = 2000, /* of an outcome that was set aside: all others wait meanwhile */
    LOOK_EVERY_MS = 300,
    CHECK_TOPICS_MS = 1000, /* without a report for so long */
};

static void
on_delivered(void *state, void *opaque, const Error *failure)
{
    ExactlyOnce *self = state;
    OutgoingPart *part = opaque;
    part->state = failure == NULL ? OUTGOING_DELIVERED : OUTGOING_TO_SEND;
    if (failure == NULL)
        return;
    self->report_failed = true;
    exactly_once_note_failure(self, part, failure);
    log_debug("a record was not delivered", LOG_STR("command_id", part->item->command_id),
              LOG_STR("topic", outgoing_part_topic(self->settings, part)),
              LOG_STR("code", failure->code), LOG_ERR(failure));
}

static TransactionEnding
ending_of(KafkaTxn ending)
{
    switch (ending) {
    case KAFKA_TXN_OK:
        return STEP_DONE;
    case KAFKA_TXN_AGAIN:
        return STEP_AGAIN;
    case KAFKA_TXN_ABORT:
        return STEP_ABORTABLE;
    case KAFKA_TXN_FENCED:
        return STEP_FENCED;
    case KAFKA_TXN_BROKEN:
        break;
    }
    return STEP_FATAL;
}

void
exactly_once_drop_producer(ExactlyOnce *self)
{
    kafka_lookup_freep(&self->lookup);
    kafka_producer_closep(&self->producer);
}

static TransactionEnding
run_open(ExactlyOnce *self, Error *err)
{
    exactly_once_drop_producer(self);
    if (!kafka_producer_open_transactional(&self->settings->kafka, self->settings->transactional_id,
                                           on_delivered, self, &self->producer, err))
        return STEP_FATAL;
    kafka_producer_prepare(self->producer, self->settings->results_topic);
    kafka_producer_prepare(self->producer, self->settings->dead_letters_topic);
    return STEP_DONE;
}

static TransactionEnding
run_init(ExactlyOnce *self, Error *err)
{
    return ending_of(
        kafka_producer_init_transactions(self->producer, exactly_once_call_ms(self, CALL_MS), err));
}

static bool
begin_lookup(ExactlyOnce *self, size_t *ret_count, Error *err)
{
    CLEANUP(autofree) int32_t *partitions = calloc(self->batch.lane_count + 1, sizeof(*partitions));
    if (partitions == NULL)
        return error_out_of_memory(err);
    *ret_count = transaction_batch_partitions(&self->batch, partitions);
    const KafkaQuestion question = {self->settings->kafka.group_id, self->settings->commands_topic,
                                    partitions, *ret_count};
    return *ret_count == 0 || kafka_producer_lookup(self->producer, &question, &self->lookup, err);
}

/* The producer that was just prepared has ended what the one before left open, so the answer is
 * final. */
static TransactionEnding
run_lookup(ExactlyOnce *self, Error *err)
{
    size_t count = 0;
    if (self->lookup == NULL && !begin_lookup(self, &count, err))
        return STEP_FATAL;
    if (self->lookup == NULL)
        return STEP_DONE;
    switch (kafka_lookup_poll(self->lookup, exactly_once_call_ms(self, CALL_MS), err)) {
    case KAFKA_ANSWER_READY:
        return STEP_DONE;
    case KAFKA_ANSWER_PENDING:
        return STEP_AGAIN;
    case KAFKA_ANSWER_FAILED:
        kafka_lookup_freep(&self->lookup);
        self->not_before_ms = exactly_once_now_ms(self) + EXACTLY_ONCE_PAUSE_MS;
        return STEP_AGAIN;
    }
    return STEP_AGAIN;
}

static TransactionEnding
run_idle(ExactlyOnce *self, Error *err)
{
    if (self->aside.items.count > 0 && exactly_once_begin_try(self, err))
        return STEP_DONE;
    if (self->pending.count == 0)
        return STEP_AGAIN;
    exactly_once_bound_batch(self);
    if (transaction_batch_form(&self->batch, &self->pending, self->metadata_bytes, &self->hooks,
                               err))
        return STEP_DONE;
    if (err->kind == ERROR_FATAL)
        self->hooks.failed(self->hooks.publisher, err);
    self->not_before_ms = exactly_once_now_ms(self) + EXACTLY_ONCE_PAUSE_MS;
    return STEP_AGAIN;
}

static TransactionEnding
run_begin(ExactlyOnce *self, Error *err)
{
    self->begun_ms = exactly_once_now_ms(self);
    self->disconnects = kafka_producer_disconnects(self->producer);
    self->commit_tried = false;
    self->report_failed = false;
    self->look_ms = self->begun_ms + LOOK_EVERY_MS;
    exactly_once_acquit(self);
    self->to_send = STAILQ_FIRST(&self->batch.items.items);
    Outgoing *item;
    STAILQ_FOREACH (item, &self->batch.items.items, entry)
        outgoing_reset_parts(item);
    return ending_of(kafka_producer_begin(self->producer, err));
}

/* What the client says of a transaction that has failed already tells nothing about the record. */
static void
note_refusal(ExactlyOnce *self, OutgoingPart *part, const Error *refusal)
{
    Error failure = {0};
    const bool is_the_records = refusal->kind == ERROR_REJECT || refusal->kind == ERROR_HOLD;
    if (is_the_records)
        exactly_once_note_failure(self, part, refusal);
    else if (kafka_producer_look(self->producer, &failure) == KAFKA_TXN_ABORT)
        exactly_once_note_failure(self, NULL, &failure);
}

static KafkaSend
send_part(ExactlyOnce *self, OutgoingPart *part, Error *err)
{
    const size_t max_bytes = exactly_once_max_bytes(self, outgoing_part_index(part));
    CLEANUP(record_freep) Record *record = outgoing_render(self->settings, part, max_bytes);
    if (record == NULL) {
        (void)error_out_of_memory(err);
        return KAFKA_SEND_FAILED;
    }
    const KafkaSend sent = kafka_producer_send(self->producer, record, part, err);
    if (sent == KAFKA_SEND_OK)
        part->state = OUTGOING_ON_ITS_WAY;
    if (sent == KAFKA_SEND_FAILED)
        note_refusal(self, part, err);
    return sent;
}

static KafkaSend
send_item(ExactlyOnce *self, Outgoing *item, Error *err)
{
    for (int i = 0; i < outgoing_part_count(item); i++) {
        if (item->parts[i].state != OUTGOING_TO_SEND)
            continue;
        const KafkaSend sent = send_part(self, &item->parts[i], err);
        if (sent != KAFKA_SEND_OK)
            return sent;
    }
    return KAFKA_SEND_OK;
}

/* A transaction that fails for a topic purges all of its records at once: their reports say nothing
 * then, but its state does. */
static void
note_topic(ExactlyOnce *self)
{
    Error failure = {0};
    if (self->failure.reason == REASON_NONE &&
        kafka_producer_look(self->producer, &failure) == KAFKA_TXN_ABORT &&
        failure.kind == ERROR_HOLD)
        exactly_once_note_failure(self, NULL, &failure);
}

static TransactionEnding
not_delivered(ExactlyOnce *self, Error *err)
{
    note_topic(self);
    (void)error_set(err, REASON_KAFKA_FAILED, "a record was not delivered");
    return STEP_ABORTABLE;
}

/* The broker may have refused to let a topic take part, or may not know it any more: neither fails
 * a record, which just stays on its way. */
static TransactionEnding
look_closer(ExactlyOnce *self, Error *err)
{
    const int64_t now_ms = exactly_once_now_ms(self);
    if (now_ms < self->look_ms)
        return STEP_AGAIN;
    self->look_ms = now_ms + LOOK_EVERY_MS;
    const KafkaTxn ending = kafka_producer_look(self->producer, err);
    if (ending == KAFKA_TXN_ABORT)
        exactly_once_note_failure(self, NULL, err);
    if (ending != KAFKA_TXN_OK)
        return ending_of(ending);
    if (self->topics_checked || now_ms - self->begun_ms < CHECK_TOPICS_MS)
        return STEP_AGAIN;
    self->topics_checked = true;
    return exactly_once_check_topics(self, err) ? STEP_AGAIN : STEP_ABORTABLE;
}

static TransactionEnding
run_produce(ExactlyOnce *self, Error *err)
{
    while (self->to_send != NULL && !self->report_failed) {
        const KafkaSend sent = send_item(self, self->to_send, err);
        if (sent == KAFKA_SEND_FAILED)
            return STEP_ABORTABLE;
        if (sent == KAFKA_SEND_QUEUE_FULL) {
            (void)kafka_producer_poll(self->producer, 1);
            return self->report_failed ? not_delivered(self, err) : look_closer(self, err);
        }
        self->to_send = STAILQ_NEXT(self->to_send, entry);
    }
    return self->report_failed ? not_delivered(self, err) : STEP_DONE;
}

static TransactionEnding
run_deliver(ExactlyOnce *self, Error *err)
{
    if (kafka_producer_in_flight(self->producer) > 0)
        (void)kafka_producer_poll(self->producer, 1);
    if (self->report_failed)
        return not_delivered(self, err);
    return kafka_producer_in_flight(self->producer) == 0 ? STEP_DONE : look_closer(self, err);
}

/* A broker that takes less metadata gets less: what then does not fit waits. */
static void
shrink_metadata(ExactlyOnce *self)
{
    self->metadata_bytes =
        self->metadata_bytes > METADATA_LEAST_BYTES ? self->metadata_bytes / 2 : 0;
    log_warn("the broker takes less metadata with an offset (offset.metadata.max.bytes)",
             LOG_INT("bytes", self->metadata_bytes));
}

/* Offsets are no record's: none is to blame, but fewer at a time may be in time. */
static void
offsets_are_late(ExactlyOnce *self)
{
    if (self->batch.items.count > 1)
        transaction_batch_halve(&self->batch);
}

static TransactionEnding
run_offsets(ExactlyOnce *self, Error *err)
{
    const KafkaMembership *membership = transaction_batch_membership(&self->batch);
    if (membership == NULL)
        return STEP_DONE;
    const KafkaOffsets offsets = {self->settings->commands_topic, self->batch.offsets,
                                  self->batch.lane_count};
    const KafkaTxn ending = kafka_producer_send_offsets(
        self->producer, membership, &offsets, exactly_once_call_ms(self, OFFSETS_CALL_MS), err);
    if (ending == KAFKA_TXN_ABORT && err->reason == REASON_METADATA_TOO_LARGE)
        shrink_metadata(self);
    if (ending == KAFKA_TXN_ABORT && err->reason == REASON_TRANSACTION_STALLED)
        offsets_are_late(self);
    else if (ending == KAFKA_TXN_ABORT)
        note_topic(self); /* one that must not take part */
    return ending_of(ending);
}

static bool
was_cut(const ExactlyOnce *self)
{
    return kafka_producer_disconnects(self->producer) != self->disconnects;
}

static TransactionEnding
run_commit(ExactlyOnce *self, Error *err)
{
    self->commit_tried = true;
    const KafkaTxn ending =
        kafka_producer_commit(self->producer, exactly_once_call_ms(self, CALL_MS), err);
    return ending == KAFKA_TXN_OK && was_cut(self) ? STEP_DISCONNECTED : ending_of(ending);
}

/* After a commit that was sent an abort is not certain. */
static TransactionEnding
run_abort(ExactlyOnce *self, Error *err)
{
    const KafkaTxn ending =
        kafka_producer_abort(self->producer, exactly_once_call_ms(self, CALL_MS), err);
    self->not_before_ms = exactly_once_now_ms(self) + EXACTLY_ONCE_PAUSE_MS;
    return ending == KAFKA_TXN_OK && (was_cut(self) || self->commit_tried) ? STEP_DISCONNECTED
                                                                           : ending_of(ending);
}

/* The library keeps no step within these bounds by itself. */
static bool
is_late(const ExactlyOnce *self)
{
    switch (self->step) {
    case TRANSACTION_PRODUCE:
    case TRANSACTION_OFFSETS:
    case TRANSACTION_DELIVER:
        return exactly_once_now_ms(self) - self->begun_ms >
               (self->alone ? (int64_t)TRY_MS : (int64_t)KAFKA_TRANSACTION_TIMEOUT_MS);
    case TRANSACTION_COMMIT:
    case TRANSACTION_ABORT:
        return exactly_once_now_ms(self) - self->step_since_ms > KAFKA_TRANSACTION_TIMEOUT_MS;
    case TRANSACTION_OPEN:
    case TRANSACTION_INIT:
    case TRANSACTION_LOOKUP:
    case TRANSACTION_IDLE:
    case TRANSACTION_BEGIN:
    case TRANSACTION_STEPS:
        break;
    }
    return false;
}

TransactionEnding
exactly_once_run_step(ExactlyOnce *self, Error *err)
{
    static TransactionEnding (*const runs[])(ExactlyOnce *, Error *) = {
        [TRANSACTION_OPEN] = run_open,       [TRANSACTION_INIT] = run_init,
        [TRANSACTION_LOOKUP] = run_lookup,   [TRANSACTION_IDLE] = run_idle,
        [TRANSACTION_BEGIN] = run_begin,     [TRANSACTION_PRODUCE] = run_produce,
        [TRANSACTION_OFFSETS] = run_offsets, [TRANSACTION_DELIVER] = run_deliver,
        [TRANSACTION_COMMIT] = run_commit,   [TRANSACTION_ABORT] = run_abort,
    };
    const TransactionEnding ending = runs[self->step](self, err);
    if (ending != STEP_AGAIN || !is_late(self))
        return ending;
    (void)error_set(err, REASON_TRANSACTION_STALLED, "no end of it within %d ms",
                    self->alone ? (int)TRY_MS : (int)KAFKA_TRANSACTION_TIMEOUT_MS);
    if (self->step == TRANSACTION_PRODUCE || self->step == TRANSACTION_DELIVER)
        exactly_once_note_failure(self, NULL, err);
    if (self->step == TRANSACTION_OFFSETS)
        offsets_are_late(self);
    return STEP_TIMED_OUT;
}

bool
exactly_once_in_transaction(const ExactlyOnce *self)
{
    return self->step > TRANSACTION_BEGIN && self->step < TRANSACTION_STEPS;
}

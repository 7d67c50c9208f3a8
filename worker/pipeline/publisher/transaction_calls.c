/* What each step of a transaction does; none decides what follows. */
#include "common/log.h"
#include "worker/pipeline/publisher/exactly_once_private.h"

enum {
    CALL_MS = 1000, /* one call to Kafka; it can be called again */
    OFFSETS_CALL_MS = KAFKA_TRANSACTION_TIMEOUT_MS / 2, /* one that cannot */
    METADATA_LEAST_BYTES = 64,
};

int64_t
exactly_once_now_ms(const ExactlyOnce *self)
{
    return clock_monotonic_ms(self->clock);
}

/* At least 1 ms, because 0 or less means something else to librdkafka. */
static int
call_ms(const ExactlyOnce *self, int most_ms)
{
    const int64_t left_ms = self->deadline_ms - exactly_once_now_ms(self);
    if (left_ms < 1)
        return 1;
    return left_ms < most_ms ? (int)left_ms : most_ms;
}

static void
on_delivered(void *state, void *opaque, const Error *failure)
{
    ExactlyOnce *self = state;
    OutgoingPart *part = opaque;
    if (failure == NULL)
        return;
    self->report_failed = true;
    const bool cut = failure->kind == ERROR_REJECT &&
                     outgoing_shrink(part, kafka_producer_max_bytes(self->producer));
    self->too_large |= failure->kind == ERROR_REJECT && !cut;
    log_debug("a record was not delivered", LOG_STR("command_id", part->item->command_id),
              LOG_STR("topic", outgoing_part_topic(self->settings, part)),
              LOG_STR("cut", cut ? "yes" : NULL), LOG_STR("code", failure->code), LOG_ERR(failure));
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
    return ending_of(kafka_producer_init_transactions(self->producer, call_ms(self, CALL_MS), err));
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
    switch (kafka_lookup_poll(self->lookup, call_ms(self, CALL_MS), err)) {
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
    if (self->pending.count == 0)
        return STEP_AGAIN;
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
    self->too_large = false;
    self->to_send = STAILQ_FIRST(&self->batch.items.items);
    Outgoing *item;
    STAILQ_FOREACH (item, &self->batch.items.items, entry)
        outgoing_reset_parts(item);
    return ending_of(kafka_producer_begin(self->producer, err));
}

static KafkaSend
send_part(ExactlyOnce *self, OutgoingPart *part, Error *err)
{
    const size_t max_bytes = kafka_producer_max_bytes(self->producer);
    KafkaSend sent;
    do {
        CLEANUP(record_freep) Record *record = outgoing_render(self->settings, part, max_bytes);
        if (record == NULL) {
            (void)error_out_of_memory(err);
            return KAFKA_SEND_FAILED;
        }
        sent = kafka_producer_send(self->producer, record, part, err);
    } while (sent == KAFKA_SEND_FAILED && err->kind == ERROR_REJECT &&
             outgoing_shrink(part, max_bytes));
    if (sent == KAFKA_SEND_OK)
        part->state = OUTGOING_ON_ITS_WAY;
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

static TransactionEnding
not_delivered(Error *err)
{
    (void)error_set(err, REASON_KAFKA_FAILED, "a record was not delivered");
    return STEP_ABORTABLE;
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
            return self->report_failed ? not_delivered(err) : STEP_AGAIN;
        }
        self->to_send = STAILQ_NEXT(self->to_send, entry);
    }
    return self->report_failed ? not_delivered(err) : STEP_DONE;
}

static TransactionEnding
run_deliver(ExactlyOnce *self, Error *err)
{
    if (kafka_producer_in_flight(self->producer) > 0)
        (void)kafka_producer_poll(self->producer, 1);
    if (self->report_failed)
        return not_delivered(err);
    return kafka_producer_in_flight(self->producer) == 0 ? STEP_DONE : STEP_AGAIN;
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

static TransactionEnding
run_offsets(ExactlyOnce *self, Error *err)
{
    const KafkaMembership *membership = transaction_batch_membership(&self->batch);
    if (membership == NULL)
        return STEP_DONE;
    const KafkaOffsets offsets = {self->settings->commands_topic, self->batch.offsets,
                                  self->batch.lane_count};
    const KafkaTxn ending = kafka_producer_send_offsets(self->producer, membership, &offsets,
                                                        call_ms(self, OFFSETS_CALL_MS), err);
    if (ending == KAFKA_TXN_ABORT && err->reason == REASON_METADATA_TOO_LARGE)
        shrink_metadata(self);
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
    const KafkaTxn ending = kafka_producer_commit(self->producer, call_ms(self, CALL_MS), err);
    return ending == KAFKA_TXN_OK && was_cut(self) ? STEP_DISCONNECTED : ending_of(ending);
}

/* After a commit that was sent an abort is not certain. */
static TransactionEnding
run_abort(ExactlyOnce *self, Error *err)
{
    const KafkaTxn ending = kafka_producer_abort(self->producer, call_ms(self, CALL_MS), err);
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
        return exactly_once_now_ms(self) - self->begun_ms > KAFKA_TRANSACTION_TIMEOUT_MS;
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
                    KAFKA_TRANSACTION_TIMEOUT_MS);
    return STEP_TIMED_OUT;
}

bool
exactly_once_in_transaction(const ExactlyOnce *self)
{
    return self->step > TRANSACTION_BEGIN && self->step < TRANSACTION_STEPS;
}

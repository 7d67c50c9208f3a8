/*
 * Results, dead letters and offsets in one Kafka transaction, after the database's commit. Each
 * step runs one function (transaction_calls.c); transaction_table.c says what follows from how it
 * ended.
 */
#include "worker/pipeline/publisher/exactly_once_private.h"

#include "common/log.h"

enum {
    CLOSE_ABORT_MS = 100,
    FENCED_AGAIN_MS = 60 * 1000,

    /* The broker writes a transaction's markers after it has answered, and librdkafka waits for 20
     * ms when the next one comes meanwhile; what follows a single outcome seldom does. */
    MARKERS_MS = 5,
};

/* The broker fences a producer whose transaction it timed out; that is no other worker's doing. */
static void
note_fencing(ExactlyOnce *self)
{
    const int64_t at_ms = exactly_once_now_ms(self);
    if (exactly_once_in_transaction(self) && at_ms - self->begun_ms >= KAFKA_TRANSACTION_TIMEOUT_MS)
        return;
    if (!fencing_again(&self->fencing, at_ms, FENCED_AGAIN_MS))
        return;
    Error err = {0};
    (void)pipeline_settings_id_in_use(self->settings, &err);
    self->hooks.failed(self->hooks.publisher, &err);
}

static void
log_ending(const ExactlyOnce *self, TransactionEnding ending, const Error *err)
{
    const bool odd = ending != STEP_DONE && ending != STEP_AGAIN;
    if (odd)
        LOG_EVENT(ending == STEP_ABORTABLE || ending == STEP_DISCONNECTED ? LOG_INFO : LOG_WARN,
                  "a Kafka transaction did not go as planned",
                  LOG_STR("step", transaction_step_name(self->step)),
                  LOG_STR("ending", transaction_ending_name(ending)),
                  LOG_INT("outcomes", self->batch.items.count), LOG_ERR(err));
}

static void
note_committed(const ExactlyOnce *self)
{
    if (self->settings->note_committed == NULL)
        return;
    for (size_t i = 0; i < self->batch.lane_count; i++)
        self->settings->note_committed(self->settings->note_committed_state,
                                       self->batch.offsets[i].partition,
                                       self->batch.offsets[i].offset);
}

static void
end_committed(ExactlyOnce *self)
{
    note_committed(self);
    if (self->alone)
        exactly_once_end_try(self);
    transaction_batch_commit(&self->batch, &self->hooks);
}

static void
end_aborted(ExactlyOnce *self)
{
    OutgoingList back = OUTGOING_LIST(back);
    exactly_once_judge(self);
    transaction_batch_abort(&self->batch, &back);
    exactly_once_put_back(self, &back);
}

static void
end_in_doubt(ExactlyOnce *self)
{
    OutgoingList back = OUTGOING_LIST(back);
    exactly_once_judge(self);
    transaction_batch_look_up(&self->batch, self->lookup, &back, &self->hooks);
    kafka_lookup_freep(&self->lookup);
    exactly_once_put_back(self, &back);
}

static void
settle(ExactlyOnce *self, TransactionFate fate)
{
    switch (fate) {
    case FATE_OPEN:
        return;
    case FATE_COMMITTED:
        end_committed(self);
        break;
    case FATE_ABORTED:
        end_aborted(self);
        break;
    case FATE_LOOKED_UP:
        end_in_doubt(self);
        break;
    }
    self->alone = false;
}

/* The one place where the step changes. */
static void
move_on(ExactlyOnce *self, TransactionEnding ending, const Error *err)
{
    const TransactionMove move = transaction_move(self->step, ending);
    log_ending(self, ending, err);
    if (ending == STEP_FENCED)
        note_fencing(self);
    if (move.next == TRANSACTION_OPEN && ending != STEP_DISCONNECTED)
        self->not_before_ms = exactly_once_now_ms(self) + EXACTLY_ONCE_PAUSE_MS;
    if (move.fate == FATE_COMMITTED && self->batch.items.count > 1)
        self->not_before_ms = exactly_once_now_ms(self) + MARKERS_MS;
    if (move.next != self->step)
        self->step_since_ms = exactly_once_now_ms(self);
    settle(self, move.fate);
    self->step = move.next;
}

static void
exactly_once_send(void *state, Outgoing *item)
{
    ExactlyOnce *self = state;
    if (set_aside_holds(&self->aside, item))
        set_aside_add(&self->aside, item);
    else
        outgoing_list_add(&self->pending, item);
}

/* While something has to wait, the producer's own events are served. */
static void
serve_events(ExactlyOnce *self, int timeout_ms)
{
    if (self->producer != NULL)
        (void)kafka_producer_poll(self->producer, timeout_ms);
}

static void
exactly_once_turn(void *state, int timeout_ms, int64_t deadline_ms)
{
    ExactlyOnce *self = state;
    self->deadline_ms = deadline_ms;
    for (TransactionEnding ending = STEP_DONE; ending != STEP_AGAIN;) {
        Error err = {0};
        if (exactly_once_now_ms(self) < self->not_before_ms) {
            serve_events(self, timeout_ms);
            return;
        }
        ending = exactly_once_run_step(self, &err);
        move_on(self, ending, &err);
    }
    if (self->step == TRANSACTION_IDLE)
        serve_events(self, 0);
}

static bool
exactly_once_is_waiting(const void *state)
{
    const ExactlyOnce *self = state;
    return self->step != TRANSACTION_IDLE || self->pending.count > 0;
}

static size_t
exactly_once_held(const void *state)
{
    const ExactlyOnce *self = state;
    return self->pending.count + self->batch.items.count + self->aside.items.count;
}

/* An open transaction would keep the next owner of the partitions waiting until it times out. */
static void
exactly_once_close(void *state)
{
    ExactlyOnce *self = state;
    Error err = {0};
    if (exactly_once_in_transaction(self) && !self->commit_tried &&
        kafka_producer_abort(self->producer, CLOSE_ABORT_MS, &err) != KAFKA_TXN_OK)
        log_warn("an open Kafka transaction is left to time out", LOG_ERR(&err));
    exactly_once_drop_producer(self);
    transaction_batch_done(&self->batch, &self->hooks);
    for (Outgoing *item = outgoing_list_take(&self->pending); item != NULL;
         item = outgoing_list_take(&self->pending))
        self->hooks.done(self->hooks.publisher, item, false);
    set_aside_done(&self->aside);
    free(self);
}

/* Before anything is consumed: a worker that may not use transactions must not start. */
static bool
prepare(ExactlyOnce *self, int timeout_ms, Error *err)
{
    self->deadline_ms = exactly_once_now_ms(self) + timeout_ms;
    self->step = TRANSACTION_OPEN;
    while (exactly_once_now_ms(self) < self->deadline_ms) {
        const TransactionEnding ending = exactly_once_run_step(self, err);
        if (ending != STEP_DONE && ending != STEP_AGAIN)
            break;
        self->step = transaction_move(self->step, ending).next;
        if (self->step == TRANSACTION_IDLE)
            return true;
    }
    if (err->kind == ERROR_RETRY)
        error_become(err, err->reason == REASON_TRANSACTIONS_REFUSED ? REASON_KAFKA_REFUSED
                                                                     : REASON_KAFKA_UNREACHABLE);
    return error_wrap(err, "worker.delivery=exactly_once");
}

bool
delivery_open_exactly_once(const PipelineSettings *settings, const Clock *clock,
                           const DeliveryHooks *hooks, Delivery *ret_delivery, Error *err)
{
    ExactlyOnce *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return error_out_of_memory(err);
    self->settings = settings;
    self->clock = clock;
    self->hooks = *hooks;
    outgoing_list_init(&self->pending);
    transaction_batch_init(&self->batch);
    set_aside_init(&self->aside, settings, clock, hooks);
    self->metadata_bytes = OFFSET_AHEAD_BYTES_MAX;
    if (!prepare(self, pipeline_settings_start_timeout_ms(settings), err)) {
        exactly_once_drop_producer(self);
        free(self);
        return false;
    }
    *ret_delivery = (Delivery){
        .state = self,
        .send = exactly_once_send,
        .turn = exactly_once_turn,
        .is_waiting = exactly_once_is_waiting,
        .held = exactly_once_held,
        .close = exactly_once_close,
    };
    return true;
}

#include "worker/pipeline/publisher/publisher.h"

#include "common/log.h"
#include "common/thread.h"
#include "worker/pipeline/publisher/delivery.h"
#include "worker/pipeline/publisher/round.h"

enum {
    IDLE_WAIT_MS = 50,
    GATHER_LOOK_MS = 10,  /* whether the backlog has gone, which nothing tells */
    DELIVERY_WAIT_MS = 1, /* short, because new outcomes wait meanwhile */
    BYTES_PER_KIB = 1024,
    CLOSE_MS = 300, /* to give up what cannot be delivered, and to close the producer */
};

struct Publisher {
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* something to publish, or stop */
    pthread_cond_t left;    /* fewer bytes wait, or no executor may wait any more */
    pthread_t thread;
    const Clock *clock;
    Completions *completions;
    Batcher *batcher; /* NULL: nothing is gathered */
    Delivery delivery;
    CompletionList done; /* the thread's own: what this turn has ended */
    size_t done_bytes;
    OutgoingList queued;
    Round round;  /* the queued */
    int waiters;  /* executors that wait for room */
    size_t bytes; /* of all outcomes, queued and on their way */
    size_t bytes_limit;
    bool no_waiting;
    bool stopping;
    int64_t stop_deadline_ms;
    int64_t call_deadline_ms;
};

static void
on_failed(void *state, const Error *err)
{
    Publisher *publisher = state;
    log_error("the worker cannot go on", LOG_STR("code", err->code), LOG_ERR(err));
    completions_fail(publisher->completions, err);
}

/* The one place where a command's offset is finished. */
static void
end_command(Publisher *publisher, const Outgoing *item)
{
    Error err = {0};
    if (!lane_finish(item->lane, item->source->offset, &err)) {
        on_failed(publisher, &err);
        return;
    }
    if (completion_list_add(&publisher->done, item->lane, job_size(item->source_size)))
        return;
    (void)error_out_of_memory(&err);
    on_failed(publisher, &err);
}

static void
on_done(void *state, Outgoing *item, bool delivered)
{
    Publisher *publisher = state;
    if (delivered && item->kind == OUTGOING_OUTCOME)
        end_command(publisher, item);
    publisher->done_bytes += item->deferred ? 0 : outgoing_size(item);
    outgoing_free(item);
}

static void
on_deferred(void *state, Outgoing *item)
{
    Publisher *publisher = state;
    publisher->done_bytes += outgoing_size(item);
    item->deferred = true;
}

/* What the last turn has ended: one word to the coordinator, and room for executors that wait. */
static void
tell_done(Publisher *publisher)
{
    completions_post(publisher->completions, &publisher->done);
    if (publisher->done_bytes == 0)
        return;
    pthread_mutex_lock(&publisher->lock);
    publisher->bytes -= publisher->done_bytes;
    pthread_cond_broadcast(&publisher->left);
    pthread_mutex_unlock(&publisher->lock);
    publisher->done_bytes = 0;
}

static Round
round_of(const OutgoingList *items, int64_t now_ms)
{
    Round round = {0};
    const Outgoing *item;
    STAILQ_FOREACH (item, &items->items, entry) {
        round_add(&round, 1, outgoing_size(item), now_ms);
        round.is_urgent |= item->is_urgent;
    }
    return round;
}

/* Under the lock. An executor that waits does nothing else, so what is queued must go. */
static void
wait_for_room(Publisher *publisher, size_t size)
{
    while (!publisher->no_waiting && publisher->bytes > 0 &&
           publisher->bytes + size > publisher->bytes_limit) {
        publisher->waiters++;
        pthread_cond_signal(&publisher->arrived);
        pthread_cond_wait(&publisher->left, &publisher->lock);
        publisher->waiters--;
    }
}

void
publisher_push(Publisher *publisher, OutgoingList *items, bool may_wait)
{
    const int64_t now_ms = clock_monotonic_ms(publisher->clock);
    const Round more = round_of(items, now_ms);
    pthread_mutex_lock(&publisher->lock);
    if (may_wait)
        wait_for_room(publisher, more.bytes);
    publisher->bytes += more.bytes;
    round_add(&publisher->round, more.outcomes, more.bytes, now_ms);
    publisher->round.is_urgent |= more.is_urgent;
    outgoing_list_append(&publisher->queued, items);
    pthread_cond_signal(&publisher->arrived);
    pthread_mutex_unlock(&publisher->lock);
}

/* Under the lock. */
static bool
is_ripe(const Publisher *publisher)
{
    const bool has_backlog = publisher->batcher != NULL && batcher_has_backlog(publisher->batcher);
    return publisher->stopping || publisher->waiters > 0 ||
           round_is_ripe(&publisher->round, publisher->bytes_limit, has_backlog,
                         clock_monotonic_ms(publisher->clock));
}

/* Under the lock: until there is something to publish, or the delivery has something to do. */
static void
wait_for_round(Publisher *publisher)
{
    const Delivery *delivery = &publisher->delivery;
    if (publisher->stopping || delivery->is_waiting(delivery->state))
        return;
    if (publisher->queued.count == 0)
        thread_cond_wait(&publisher->arrived, &publisher->lock, IDLE_WAIT_MS);
    else if (!is_ripe(publisher))
        thread_cond_wait(&publisher->arrived, &publisher->lock, GATHER_LOOK_MS);
}

/* Takes all that has queued, if it is to go now; sets *ret_end when the thread is to end. */
static void
take_queued(Publisher *publisher, OutgoingList *ret_queued, int64_t *ret_deadline_ms, bool *ret_end)
{
    const Delivery *delivery = &publisher->delivery;
    pthread_mutex_lock(&publisher->lock);
    wait_for_round(publisher);
    if (publisher->queued.count > 0 && is_ripe(publisher)) {
        outgoing_list_append(ret_queued, &publisher->queued);
        publisher->round = (Round){0};
    }
    const bool nothing_left = ret_queued->count == 0 && delivery->held(delivery->state) == 0;
    *ret_end = publisher->stopping && (nothing_left || clock_monotonic_ms(publisher->clock) >=
                                                           publisher->stop_deadline_ms);
    *ret_deadline_ms = publisher->call_deadline_ms;
    pthread_mutex_unlock(&publisher->lock);
}

static void *
publisher_main(void *argument)
{
    Publisher *publisher = argument;
    const Delivery *delivery = &publisher->delivery;
    bool end = false;
    while (!end) {
        int64_t deadline_ms;
        OutgoingList queued = OUTGOING_LIST(queued);
        take_queued(publisher, &queued, &deadline_ms, &end);
        for (Outgoing *item = outgoing_list_take(&queued); item != NULL;
             item = outgoing_list_take(&queued))
            delivery->send(delivery->state, item);
        delivery->turn(delivery->state,
                       delivery->is_waiting(delivery->state) ? DELIVERY_WAIT_MS : 0, deadline_ms);
        tell_done(publisher);
    }
    return NULL;
}

static void
publisher_free(Publisher *publisher)
{
    if (publisher->delivery.close != NULL) {
        const size_t held = publisher->delivery.held(publisher->delivery.state);
        if (held > 0)
            log_warn("outcomes are left unpublished; they are published again from the ledger",
                     LOG_INT("outcomes", held));
        publisher->delivery.close(publisher->delivery.state);
        completions_post(publisher->completions, &publisher->done);
    }
    pthread_cond_destroy(&publisher->arrived);
    pthread_cond_destroy(&publisher->left);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

static bool
open_delivery(Publisher *publisher, const PipelineSettings *settings, Error *err)
{
    const DeliveryHooks hooks = {publisher, on_done, on_deferred, on_failed};
    return settings->exactly_once ? delivery_open_exactly_once(settings, publisher->clock, &hooks,
                                                               &publisher->delivery, err)
                                  : delivery_open_at_least_once(settings, publisher->clock, &hooks,
                                                                &publisher->delivery, err);
}

bool
publisher_start(const PipelineSettings *settings, const Clock *clock, Completions *completions,
                Batcher *batcher, Publisher **ret_publisher, Error *err)
{
    Publisher *publisher = calloc(1, sizeof(*publisher));
    if (publisher == NULL)
        return error_out_of_memory(err);
    if (!thread_cond_init(&publisher->arrived)) {
        free(publisher);
        return error_out_of_memory(err);
    }
    pthread_cond_init(&publisher->left, NULL);
    pthread_mutex_init(&publisher->lock, NULL);
    publisher->clock = clock;
    publisher->completions = completions;
    publisher->batcher = settings->exactly_once ? batcher : NULL;
    STAILQ_INIT(&publisher->done);
    outgoing_list_init(&publisher->queued);
    publisher->bytes_limit = (size_t)settings->queue_kib * BYTES_PER_KIB;
    publisher->call_deadline_ms = INT64_MAX;
    if (!open_delivery(publisher, settings, err)) {
        publisher_free(publisher);
        return false;
    }
    const int code = pthread_create(&publisher->thread, NULL, publisher_main, publisher);
    if (code != 0) {
        publisher_free(publisher);
        return error_system(err, "start the publisher", code);
    }
    *ret_publisher = publisher;
    return true;
}

void
publisher_set_deadline(Publisher *publisher, int64_t deadline_ms)
{
    pthread_mutex_lock(&publisher->lock);
    publisher->call_deadline_ms = deadline_ms;
    pthread_mutex_unlock(&publisher->lock);
}

void
publisher_release_waiters(Publisher *publisher)
{
    pthread_mutex_lock(&publisher->lock);
    publisher->no_waiting = true;
    pthread_cond_broadcast(&publisher->left);
    pthread_mutex_unlock(&publisher->lock);
}

bool
publisher_stop(Publisher *publisher, int64_t deadline_ms)
{
    if (publisher == NULL)
        return true;
    pthread_mutex_lock(&publisher->lock);
    publisher->no_waiting = true;
    publisher->stopping = true;
    publisher->stop_deadline_ms = deadline_ms - CLOSE_MS;
    publisher->call_deadline_ms = publisher->stop_deadline_ms;
    pthread_cond_broadcast(&publisher->arrived);
    pthread_cond_broadcast(&publisher->left);
    pthread_mutex_unlock(&publisher->lock);
    if (!thread_join(publisher->thread, deadline_ms))
        return false;
    publisher_free(publisher);
    return true;
}

#include "worker/pipeline/publisher.h"

#include "common/log.h"
#include "worker/pipeline/delivery.h"
#include "worker/pipeline/monitor.h"

enum {
    IDLE_WAIT_MS = 50,
    DELIVERY_WAIT_MS = 1, /* short, because new outcomes wait meanwhile */
    BYTES_PER_KIB = 1024,
};

struct Publisher {
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* something to publish, or stop */
    pthread_cond_t left;    /* fewer bytes wait, or nobody may wait any more */
    pthread_t thread;
    const Clock *clock;
    Inbox *inbox;
    Delivery delivery;
    PublishItem *first;
    PublishItem *last;
    size_t bytes; /* of all outcomes, queued and on their way */
    size_t bytes_limit;
    bool no_waiting;
    bool stopping;
    int64_t stop_deadline_ms;
};

void
publish_item_free(PublishItem *item)
{
    if (item == NULL)
        return;
    lane_unref(item->lane);
    record_free(item->source);
    free(item->result);
    free(item->reason);
    free(item);
}

size_t
publish_item_size(const PublishItem *item)
{
    return sizeof(*item) + strlen(item->result) + record_size(item->source);
}

static void
on_done(void *state, PublishItem *item, bool delivered)
{
    Publisher *publisher = state;
    if (delivered)
        inbox_report(publisher->inbox, item->lane, item->source->offset, record_size(item->source));
    else
        lane_busy_end(item->lane);
    pthread_mutex_lock(&publisher->lock);
    publisher->bytes -= publish_item_size(item);
    pthread_cond_broadcast(&publisher->left);
    pthread_mutex_unlock(&publisher->lock);
    publish_item_free(item);
}

void
publisher_push(Publisher *publisher, PublishItem *item, bool may_wait)
{
    const size_t size = publish_item_size(item);
    pthread_mutex_lock(&publisher->lock);
    while (may_wait && !publisher->no_waiting && publisher->bytes > 0 &&
           publisher->bytes + size > publisher->bytes_limit)
        pthread_cond_wait(&publisher->left, &publisher->lock);
    publisher->bytes += size;
    item->next = NULL;
    *(publisher->last != NULL ? &publisher->last->next : &publisher->first) = item;
    publisher->last = item;
    pthread_cond_signal(&publisher->arrived);
    pthread_mutex_unlock(&publisher->lock);
}

/* Takes all that has queued; sets *ret_end when the thread is to end. */
static PublishItem *
take_queued(Publisher *publisher, bool *ret_end)
{
    const Delivery *delivery = &publisher->delivery;
    pthread_mutex_lock(&publisher->lock);
    if (publisher->first == NULL && !publisher->stopping && !delivery->is_waiting(delivery->state))
        monitor_wait(&publisher->arrived, &publisher->lock, IDLE_WAIT_MS);
    PublishItem *queued = publisher->first;
    publisher->first = NULL;
    publisher->last = NULL;
    const bool nothing_left = queued == NULL && delivery->held(delivery->state) == 0;
    *ret_end = publisher->stopping && (nothing_left || clock_monotonic_ms(publisher->clock) >=
                                                           publisher->stop_deadline_ms);
    pthread_mutex_unlock(&publisher->lock);
    return queued;
}

static void *
publisher_main(void *argument)
{
    Publisher *publisher = argument;
    const Delivery *delivery = &publisher->delivery;
    bool end = false;
    while (!end) {
        PublishItem *queued = take_queued(publisher, &end);
        while (queued != NULL) {
            PublishItem *item = queued;
            queued = item->next;
            item->next = NULL;
            delivery->send(delivery->state, item);
        }
        delivery->turn(delivery->state,
                       delivery->is_waiting(delivery->state) ? DELIVERY_WAIT_MS : 0);
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
    }
    pthread_cond_destroy(&publisher->arrived);
    pthread_cond_destroy(&publisher->left);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

bool
publisher_start(const PipelineSettings *settings, const Clock *clock, Inbox *inbox,
                Publisher **ret_publisher, Error *err)
{
    Publisher *publisher = calloc(1, sizeof(*publisher));
    if (publisher == NULL)
        return error_out_of_memory(err);
    if (!monitor_init(&publisher->arrived)) {
        free(publisher);
        return error_out_of_memory(err);
    }
    pthread_cond_init(&publisher->left, NULL);
    pthread_mutex_init(&publisher->lock, NULL);
    publisher->clock = clock;
    publisher->inbox = inbox;
    publisher->bytes_limit = (size_t)settings->queue_kib * BYTES_PER_KIB;
    if (!delivery_open_at_least_once(settings, clock, on_done, publisher, &publisher->delivery,
                                     err)) {
        publisher_free(publisher);
        return false;
    }
    const int code = pthread_create(&publisher->thread, NULL, publisher_main, publisher);
    if (code != 0) {
        publisher_free(publisher);
        return error_set(err, ERROR_FATAL, "system", "start the publisher: errno %d", code);
    }
    *ret_publisher = publisher;
    return true;
}

void
publisher_release_waiters(Publisher *publisher)
{
    pthread_mutex_lock(&publisher->lock);
    publisher->no_waiting = true;
    pthread_cond_broadcast(&publisher->left);
    pthread_mutex_unlock(&publisher->lock);
}

void
publisher_stop(Publisher *publisher, int timeout_ms)
{
    if (publisher == NULL)
        return;
    pthread_mutex_lock(&publisher->lock);
    publisher->no_waiting = true;
    publisher->stopping = true;
    publisher->stop_deadline_ms = clock_monotonic_ms(publisher->clock) + timeout_ms;
    pthread_cond_broadcast(&publisher->arrived);
    pthread_cond_broadcast(&publisher->left);
    pthread_mutex_unlock(&publisher->lock);
    pthread_join(publisher->thread, NULL);
    publisher_free(publisher);
}

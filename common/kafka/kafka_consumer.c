#include "common/clock.h"
#include "common/kafka/kafka_consumer_private.h"
#include "common/log.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    LEAVE_MS = 6000, /* longer than librdkafka waits for an answer */
    LEAVE_POLL_MS = 50,
    DESTROY_MS = 2000, /* it takes a tenth of that, or for ever */
    NUMBER_BYTES = 32,
};

/* The consumer's thread polls whatever happens, so that a minute without a poll means a fault; and
 * it is how long a member waits for an answer to its JoinGroup, and the broker for one that does
 * not rejoin. The queue has room for two answers to Fetch: librdkafka 2.0.2 leaves one that it
 * finds full alone for a second. */
static const KafkaProperty default_list[] = {
    {"max.poll.interval.ms", "60000"},
    {"queued.max.messages.kbytes", "2048"},
    {"fetch.message.max.bytes", "262144"},
    {"fetch.max.bytes", "1048576"},
    {"fetch.wait.max.ms", "100"},
    {"fetch.error.backoff.ms", "100"},
    {"check.crcs", "true"},
    {"topic.metadata.refresh.interval.ms", "30000"},
    {"statistics.interval.ms", "5000"},
};

/* What the guarantees rest on. `range` whatever the version: cooperative rebalancing of 2.0.2 has
 * known faults. */
static const KafkaProperty fixed_list[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"},
    {"isolation.level", "read_committed"},
    {"partition.assignment.strategy", "range"},
};

static void
rebalance_free(PendingRebalance *pending)
{
    if (pending == NULL)
        return;
    if (pending->list != NULL)
        rd_kafka_topic_partition_list_destroy(pending->list);
    free(pending->partitions);
    kafka_membership_unref(pending->event.membership);
    free(pending);
}

DEFINE_FREEP(PendingRebalance, rebalance_free)

static PendingRebalance *
rebalance_new(rd_kafka_t *handle, rd_kafka_resp_err_t code,
              const rd_kafka_topic_partition_list_t *list)
{
    CLEANUP(rebalance_freep) PendingRebalance *pending = calloc(1, sizeof(*pending));
    if (pending == NULL)
        return NULL;
    const size_t count = (size_t)list->cnt;
    pending->list = rd_kafka_topic_partition_list_copy(list);
    pending->partitions = calloc(count + 1, sizeof(*pending->partitions));
    if (pending->list == NULL || pending->partitions == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        pending->partitions[i] = list->elems[i].partition;
    const bool assign = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    KafkaMembership *membership = assign ? kafka_membership_take(handle) : NULL;
    pending->event = (KafkaRebalance){
        .kind = assign ? KAFKA_REBALANCE_ASSIGN : KAFKA_REBALANCE_REVOKE,
        .lost = assign ? membership == NULL : rd_kafka_assignment_lost(handle) != 0,
        .partitions = pending->partitions,
        .count = count,
        .membership = membership,
    };
    PendingRebalance *taken = pending;
    pending = NULL;
    return taken;
}

static void
on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
             void *opaque)
{
    KafkaConsumer *consumer = opaque;
    PendingRebalance *pending = consumer->closing ? NULL : rebalance_new(handle, code, list);
    if (pending == NULL) {
        /* Closing waits for the answer inside the callback; without memory owning nothing is safe
         * as well. */
        const rd_kafka_resp_err_t answer = rd_kafka_assign(handle, NULL);
        if (answer != RD_KAFKA_RESP_ERR_NO_ERROR)
            log_warn("unassign failed", LOG_STR("error", rd_kafka_err2str(answer)));
        return;
    }
    PendingRebalance **last = &consumer->first;
    while (*last != NULL)
        last = &(*last)->next;
    *last = pending;
}

static void
tell_committed(const KafkaConsumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; consumer->committed != NULL && list != NULL && i < list->cnt; i++)
        consumer->committed(consumer->committed_state, list->elems[i].partition,
                            list->elems[i].offset);
}

static void
on_commit(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
          void *opaque)
{
    (void)handle;
    KafkaConsumer *consumer = opaque;
    if (consumer->commits_pending > 0)
        consumer->commits_pending--;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && i < list->cnt; i++)
        code = list->elems[i].err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        tell_committed(consumer, list);
        return;
    }
    consumer->commits_failed++;
    log_warn("offsets were not committed", LOG_STR("error", rd_kafka_err2str(code)));
}

static bool
consumer_init(KafkaConsumer *consumer, const KafkaSettings *settings, Error *err)
{
    consumer->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (consumer->event_fd < 0)
        return error_system(err, "make an eventfd", errno);
    CLEANUP(kafka_conf_destroyp) rd_kafka_conf_t *conf = NULL;
    const KafkaProperties defaults = {default_list, ARRAY_LEN(default_list)};
    const KafkaProperties fixed = {fixed_list, ARRAY_LEN(fixed_list)};
    if (!kafka_client_configure(settings, defaults, fixed, &conf, err))
        return false;
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    if (rd_kafka_conf_set(conf, "group.id", settings->group_id, reason, sizeof(reason)) !=
        RD_KAFKA_CONF_OK)
        return error_set(err, REASON_KAFKA_CONFIG, "kafka.group.id: %s", reason);
    if (settings->instance_id != NULL &&
        rd_kafka_conf_set(conf, "group.instance.id", settings->instance_id, reason,
                          sizeof(reason)) != RD_KAFKA_CONF_OK)
        return error_set(err, REASON_KAFKA_CONFIG, "group.instance.id: %s", reason);
    consumer->group = strdup(settings->group_id);
    if (consumer->group == NULL)
        return error_out_of_memory(err);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    rd_kafka_conf_set_stats_cb(conf, kafka_consumer_on_statistics);
    rd_kafka_conf_t *taken = conf;
    conf = NULL;
    return kafka_client_open(&consumer->client, RD_KAFKA_CONSUMER, taken, consumer, err);
}

bool
kafka_consumer_open(const KafkaSettings *settings, KafkaConsumer **ret_consumer, Error *err)
{
    if (settings->group_id == NULL || settings->group_id[0] == '\0')
        return error_set(err, REASON_KAFKA_CONFIG, "kafka.group.id is not set");
    CLEANUP(kafka_consumer_closep) KafkaConsumer *consumer = calloc(1, sizeof(*consumer));
    if (consumer == NULL)
        return error_out_of_memory(err);
    consumer->event_fd = -1;
    consumer->client.interrupt = settings->interrupt;
    if (!consumer_init(consumer, settings, err))
        return false;
    *ret_consumer = consumer;
    consumer = NULL;
    return true;
}

bool
kafka_consumer_wait(KafkaConsumer *consumer, const char *const *topics, size_t topic_count,
                    int timeout_ms, Error *err)
{
    return kafka_client_wait(&consumer->client, topics, topic_count, timeout_ms, err);
}

bool
kafka_consumer_subscribe(KafkaConsumer *consumer, const char *topic, Error *err)
{
    rd_kafka_t *handle = consumer->client.handle;
    consumer->topic = strdup(topic);
    if (consumer->topic == NULL)
        return error_out_of_memory(err);
    rd_kafka_resp_err_t code = rd_kafka_poll_set_consumer(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_client_error(err, code, "subscribe to", topic);
    consumer->queue = rd_kafka_queue_get_consumer(handle);
    if (consumer->queue == NULL)
        return error_out_of_memory(err);
    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(consumer->queue, consumer->event_fd, &one, sizeof(one));

    consumer->subscribed = kafka_consumer_resubscribe(consumer, err);
    return consumer->subscribed;
}

int
kafka_consumer_fd(const KafkaConsumer *consumer)
{
    return consumer->event_fd;
}

int
kafka_consumer_session_ms(const KafkaConsumer *consumer)
{
    char text[NUMBER_BYTES];
    size_t size = sizeof(text);
    if (rd_kafka_conf_get(rd_kafka_conf(consumer->client.handle), "session.timeout.ms", text,
                          &size) != RD_KAFKA_CONF_OK)
        return 0;
    return (int)strtol(text, NULL, 10);
}

void
kafka_consumer_fd_clear(KafkaConsumer *consumer)
{
    uint64_t count;
    const ssize_t got = read(consumer->event_fd, &count, sizeof(count));
    (void)got;
}

static bool
message_error(KafkaConsumer *consumer, const rd_kafka_message_t *message, Error *err)
{
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    const rd_kafka_resp_err_t fatal =
        rd_kafka_fatal_error(consumer->client.handle, reason, sizeof(reason));
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err,
                         fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ? REASON_INSTANCE_ID_IN_USE
                                                                       : REASON_KAFKA_BROKEN,
                         "kafka consumer: %s", reason);
    if (message->err == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL)
        return error_set(err, REASON_ASSIGNOR_DIFFERS,
                         "another program is in the group %s with another assignor than range, so "
                         "this worker gets no commands before that program has a group of its own; "
                         "kafka-consumer-groups.sh --describe --members --group %s shows it",
                         consumer->group, consumer->group);
    (void)kafka_client_error(err, message->err, "read topic", consumer->topic);
    if (err->reason == REASON_TOPIC_GONE)
        consumer->client.topic_missed = true;
    return false;
}

KafkaPoll
kafka_consumer_poll(KafkaConsumer *consumer, int timeout_ms, Record **ret_record, Error *err)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client.handle, timeout_ms);
    if (message == NULL)
        return KAFKA_POLL_NOTHING;
    KafkaPoll result = KAFKA_POLL_RECORD;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        result = KAFKA_POLL_ERROR;
        (void)message_error(consumer, message, err);
    } else {
        Record *record = kafka_client_record(message);
        if (record != NULL) {
            *ret_record = record;
        } else {
            result = KAFKA_POLL_ERROR;
            (void)error_out_of_memory(err);
        }
    }
    rd_kafka_message_destroy(message);
    return result;
}

const KafkaRebalance *
kafka_consumer_rebalance(const KafkaConsumer *consumer)
{
    return consumer->first != NULL ? &consumer->first->event : NULL;
}

static void
rebalance_pop(KafkaConsumer *consumer)
{
    PendingRebalance *answered = consumer->first;
    if (answered == NULL)
        return;
    consumer->first = answered->next;
    rebalance_free(answered);
}

bool
kafka_consumer_lookup(KafkaConsumer *consumer, KafkaLookup **ret_lookup, Error *err)
{
    const KafkaRebalance *rebalance = &consumer->first->event;
    const KafkaQuestion question = {consumer->group, consumer->topic, rebalance->partitions,
                                    rebalance->count};
    return kafka_lookup_begin(consumer->client.handle, &question, consumer->event_fd, ret_lookup,
                              err);
}

bool
kafka_consumer_assign(KafkaConsumer *consumer, const KafkaLookup *lookup, Error *err)
{
    if (consumer->first == NULL)
        return true;
    rd_kafka_t *handle = consumer->client.handle;
    rd_kafka_topic_partition_list_t *list = consumer->first->list;
    for (int i = 0; i < list->cnt; i++) {
        const KafkaOffset committed = kafka_lookup_offset(lookup, list->elems[i].partition);
        list->elems[i].offset =
            committed.offset != KAFKA_OFFSET_NONE ? committed.offset : RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(handle, list);
    /* A pause outlives the assignment in which it was made. */
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list->cnt > 0)
        code = rd_kafka_resume_partitions(handle, list);
    rebalance_pop(consumer);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_client_error(err, code, "take the assignment of", consumer->topic);
}

bool
kafka_consumer_unassign(KafkaConsumer *consumer, Error *err)
{
    rebalance_pop(consumer);
    const rd_kafka_resp_err_t code = rd_kafka_assign(consumer->client.handle, NULL);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_client_error(err, code, "give up the assignment of", consumer->topic);
}

bool
kafka_consumer_commit(KafkaConsumer *consumer, const KafkaOffset *offsets, size_t count, Error *err)
{
    if (count == 0)
        return true;
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list =
        kafka_client_offset_list(&(KafkaOffsets){consumer->topic, offsets, count});
    if (list == NULL)
        return error_out_of_memory(err);
    const rd_kafka_resp_err_t code = rd_kafka_commit(consumer->client.handle, list, 1);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_client_error(err, code, "commit offsets of", consumer->topic);
    consumer->commits_pending++;
    return true;
}

void
kafka_consumer_on_committed(KafkaConsumer *consumer, KafkaCommitted committed, void *state)
{
    consumer->committed = committed;
    consumer->committed_state = state;
}

size_t
kafka_consumer_commits_pending(const KafkaConsumer *consumer)
{
    return consumer->commits_pending;
}

size_t
kafka_consumer_commits_failed(const KafkaConsumer *consumer)
{
    return consumer->commits_failed;
}

/* rd_kafka_consumer_close would wait for the broker's answer, 5 s if there is none. */
static void
close_within(KafkaConsumer *consumer, int timeout_ms)
{
    rd_kafka_t *handle = consumer->client.handle;
    const int64_t deadline_ms = clock_monotonic_ms(clock_system()) + timeout_ms;
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(handle, consumer->queue);
    if (error != NULL) {
        log_warn("leaving the group failed", LOG_STR("error", rd_kafka_error_string(error)));
        rd_kafka_error_destroy(error);
        return;
    }
    while (!rd_kafka_consumer_closed(handle) && clock_monotonic_ms(clock_system()) < deadline_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, LEAVE_POLL_MS);
        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
    consumer->stuck = !rd_kafka_consumer_closed(handle);
    if (consumer->stuck)
        log_warn("the group was left without its answer", LOG_STR("group", consumer->group));
}

void
kafka_consumer_leave(KafkaConsumer *consumer, int timeout_ms)
{
    if (consumer->client.handle == NULL || !consumer->subscribed || consumer->closing)
        return;
    consumer->closing = true;
    /* A rebalance without an answer would keep the close waiting for ever. */
    while (consumer->first != NULL) {
        Error err = {0};
        if (!kafka_consumer_unassign(consumer, &err))
            log_warn("unassign failed", LOG_ERR(&err));
    }
    if (!kafka_client_is_broken(&consumer->client))
        close_within(consumer, timeout_ms);
}

void
kafka_consumer_close(KafkaConsumer *consumer)
{
    if (consumer == NULL)
        return;
    kafka_consumer_leave(consumer, LEAVE_MS);
    if (consumer->stuck)
        return;
    if (consumer->queue != NULL) {
        rd_kafka_queue_io_event_enable(consumer->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(consumer->queue);
    }
    if (consumer->client.handle != NULL && !kafka_client_destroy(&consumer->client, DESTROY_MS)) {
        log_warn("a Kafka consumer does not end: it is left to the end of the process",
                 LOG_STR("group", consumer->group));
        return;
    }
    while (consumer->first != NULL)
        rebalance_pop(consumer);
    if (consumer->event_fd >= 0)
        close(consumer->event_fd);
    open_transactions_done(&consumer->open_transactions);
    free(consumer->topic);
    free(consumer->group);
    free(consumer);
}

#include "common/kafka/kafka_producer.h"

#include "common/kafka/kafka_private.h"
#include "common/kafka/kafka_transaction.h"
#include "common/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    NUMBER_TEXT_BYTES = 32,
    ABANDON_POLL_MS = 10,
    PREPARED_MAX = 4,
};

struct KafkaProducer {
    KafkaClient client; /* first: callbacks get the producer and hand it on as the client */
    KafkaClient asker;  /* of a group's offsets; without a handle until it is needed */
    const KafkaSettings *settings;
    KafkaDelivered delivered;
    void *state;
    size_t max_bytes;
    bool closing;
    atomic_uint disconnects; /* counted on librdkafka's threads */
    rd_kafka_topic_t *prepared[PREPARED_MAX];
    size_t prepared_count;
    bool delivered_one;
    int32_t last_partition;
    int64_t last_offset;
};

static const KafkaProperty default_list[] = {
    {"linger.ms", "0.5"},
    {"retry.backoff.ms", "5"},
    {"queue.buffering.max.kbytes", "65536"},
};

static const KafkaProperty fixed_list[] = {
    {"enable.idempotence", "true"},
    {"allow.auto.create.topics", "false"},
    {"acks", "all"},
    {"partitioner", "murmur2_random"},
};

static void
on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    (void)handle;
    KafkaProducer *producer = opaque;
    if (producer->delivered == NULL || producer->closing)
        return;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer->delivered_one = true;
        producer->last_partition = message->partition;
        producer->last_offset = message->offset;
        producer->delivered(producer->state, message->_private, NULL);
        return;
    }
    Error failure = {0};
    (void)kafka_client_error(&failure, message->err, "deliver to",
                             rd_kafka_topic_name(message->rkt));
    producer->delivered(producer->state, message->_private, &failure);
}

static size_t
read_max_bytes(const rd_kafka_conf_t *conf)
{
    char text[NUMBER_TEXT_BYTES];
    size_t size = sizeof(text);
    if (rd_kafka_conf_get(conf, "message.max.bytes", text, &size) != RD_KAFKA_CONF_OK)
        return 1000000;
    return (size_t)strtoul(text, NULL, 10);
}

static int
on_close(int socket, void *opaque)
{
    KafkaProducer *producer = opaque;
    atomic_fetch_add(&producer->disconnects, 1);
    return close(socket);
}

typedef struct ProducerKind {
    int message_timeout_ms;
    const char *transactional_id; /* NULL: without transactions */
} ProducerKind;

static size_t
add_transactional(const ProducerKind *kind, const char *timeout_text, KafkaProperty *properties,
                  size_t count)
{
    if (kind->transactional_id == NULL)
        return count;
    properties[count++] = (KafkaProperty){"transactional.id", kind->transactional_id};
    properties[count++] = (KafkaProperty){"transaction.timeout.ms", timeout_text};
    return count;
}

static bool
producer_init(KafkaProducer *producer, const KafkaSettings *settings, const ProducerKind *kind,
              Error *err)
{
    char timeout_text[NUMBER_TEXT_BYTES];
    (void)snprintf(timeout_text, sizeof(timeout_text), "%d", kind->message_timeout_ms);
    KafkaProperty properties[ARRAY_LEN(fixed_list) + 3] = {{"message.timeout.ms", timeout_text}};
    memcpy(properties + 1, fixed_list, sizeof(fixed_list));
    const size_t count =
        add_transactional(kind, timeout_text, properties, ARRAY_LEN(fixed_list) + 1);

    rd_kafka_conf_t *conf = NULL;
    const KafkaProperties defaults = {default_list, ARRAY_LEN(default_list)};
    const KafkaProperties fixed = {properties, count};
    if (!kafka_client_configure(settings, defaults, fixed, &conf, err))
        return false;
    producer->max_bytes = read_max_bytes(conf);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_closesocket_cb(conf, on_close);
    return kafka_client_open(&producer->client, RD_KAFKA_PRODUCER, conf, producer, err);
}

static bool
open_kind(const KafkaSettings *settings, const ProducerKind *kind, KafkaDelivered delivered,
          void *state, KafkaProducer **ret_producer, Error *err)
{
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = calloc(1, sizeof(*producer));
    if (producer == NULL)
        return error_out_of_memory(err);
    producer->settings = settings;
    producer->delivered = delivered;
    producer->state = state;
    atomic_init(&producer->disconnects, 0);
    atomic_init(&producer->asker.waiting, true);
    if (!producer_init(producer, settings, kind, err))
        return false;
    *ret_producer = producer;
    producer = NULL;
    return true;
}

bool
kafka_producer_open(const KafkaSettings *settings, int message_timeout_ms, KafkaDelivered delivered,
                    void *state, KafkaProducer **ret_producer, Error *err)
{
    const ProducerKind kind = {.message_timeout_ms = message_timeout_ms};
    return open_kind(settings, &kind, delivered, state, ret_producer, err);
}

/* A record that is not delivered in the time of its transaction never will be. */
bool
kafka_producer_open_transactional(const KafkaSettings *settings, const char *transactional_id,
                                  KafkaDelivered delivered, void *state,
                                  KafkaProducer **ret_producer, Error *err)
{
    const ProducerKind kind = {KAFKA_TRANSACTION_TIMEOUT_MS, transactional_id};
    return open_kind(settings, &kind, delivered, state, ret_producer, err);
}

rd_kafka_t *
kafka_producer_handle(const KafkaProducer *producer)
{
    return producer->client.handle;
}

/* librdkafka follows a null pointer when a client without a group asks a coordinator that is none
 * any more, as after each restart of a broker. So a client that has the group, but never joins it,
 * asks for the producer. */
bool
kafka_producer_asker(KafkaProducer *producer, const char *group, rd_kafka_t **ret_asker, Error *err)
{
    const KafkaProperties none = {NULL, 0};
    const KafkaProperty property = {"group.id", group};
    const KafkaProperties fixed = {&property, 1};
    rd_kafka_conf_t *conf = NULL;
    if (producer->asker.handle == NULL &&
        (!kafka_client_configure(producer->settings, none, fixed, &conf, err) ||
         !kafka_client_open(&producer->asker, RD_KAFKA_CONSUMER, conf, &producer->asker, err)))
        return false;
    *ret_asker = producer->asker.handle;
    return true;
}

unsigned
kafka_producer_disconnects(const KafkaProducer *producer)
{
    return atomic_load(&producer->disconnects);
}

void
kafka_producer_prepare(KafkaProducer *producer, const char *topic)
{
    if (producer->prepared_count == PREPARED_MAX)
        return;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(producer->client.handle, topic, NULL);
    if (handle != NULL)
        producer->prepared[producer->prepared_count++] = handle;
}

bool
kafka_producer_check_topic(KafkaProducer *producer, const char *topic, int timeout_ms, Error *err)
{
    return kafka_client_check_topic(&producer->client, topic, timeout_ms, err);
}

static rd_kafka_headers_t *
make_headers(const Record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; headers != NULL && i < record->header_count; i++) {
        const RecordHeader *header = &record->headers[i];
        const rd_kafka_resp_err_t code = rd_kafka_header_add(
            headers, header->name, -1, header->value.data, (ssize_t)header->value.size);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_headers_destroy(headers);
            return NULL;
        }
    }
    return headers;
}

/* The topic's handle, if it was prepared: librdkafka looks a name up for every record. */
static rd_kafka_vu_t
topic_of(const KafkaProducer *producer, const char *topic)
{
    for (size_t i = 0; i < producer->prepared_count; i++) {
        if (strcmp(rd_kafka_topic_name(producer->prepared[i]), topic) == 0)
            return (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->prepared[i]};
    }
    return (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic};
}

/* librdkafka takes plain void pointers although it only copies (RD_KAFKA_MSG_F_COPY). */
static void *
without_const(const char *data)
{
    return (void *)(uintptr_t)data;
}

KafkaSend
kafka_producer_send(KafkaProducer *producer, const Record *record, void *opaque, Error *err)
{
    rd_kafka_headers_t *headers = make_headers(record);
    if (headers == NULL) {
        (void)error_out_of_memory(err);
        return KAFKA_SEND_FAILED;
    }
    const rd_kafka_vu_t parts[] = {
        topic_of(producer, record->topic),
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {without_const(record->key.data), record->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {without_const(record->value.data), record->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque},
    };
    rd_kafka_error_t *failure =
        rd_kafka_produceva(producer->client.handle, parts, ARRAY_LEN(parts));
    const rd_kafka_resp_err_t code = rd_kafka_error_code(failure);
    if (failure != NULL)
        rd_kafka_error_destroy(failure);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return KAFKA_SEND_OK;
    rd_kafka_headers_destroy(headers);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return KAFKA_SEND_QUEUE_FULL;
    (void)kafka_client_error(err, code, "send to", record->topic);
    return KAFKA_SEND_FAILED;
}

int
kafka_producer_poll(KafkaProducer *producer, int timeout_ms)
{
    return rd_kafka_poll(producer->client.handle, timeout_ms);
}

/* During a flush librdkafka lets no record linger. */
void
kafka_producer_hasten(KafkaProducer *producer, int timeout_ms)
{
    (void)rd_kafka_flush(producer->client.handle, timeout_ms);
}

bool
kafka_producer_last_place(const KafkaProducer *producer, int32_t *ret_partition,
                          int64_t *ret_offset)
{
    if (!producer->delivered_one)
        return false;
    *ret_partition = producer->last_partition;
    *ret_offset = producer->last_offset;
    return true;
}

size_t
kafka_producer_in_flight(const KafkaProducer *producer)
{
    const int count = rd_kafka_outq_len(producer->client.handle);
    return count > 0 ? (size_t)count : 0;
}

bool
kafka_producer_flush(KafkaProducer *producer, int timeout_ms, Error *err)
{
    if (rd_kafka_flush(producer->client.handle, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    return error_set(err, REASON_KAFKA_UNREACHABLE,
                     "%zu records were not delivered within %d ms%s%s",
                     kafka_producer_in_flight(producer), timeout_ms,
                     producer->client.reason[0] != '\0' ? ": " : "", producer->client.reason);
}

size_t
kafka_producer_max_bytes(const KafkaProducer *producer)
{
    return producer->max_bytes;
}

bool
kafka_producer_is_broken(const KafkaProducer *producer)
{
    return kafka_client_is_broken(&producer->client);
}

static void
purge(KafkaProducer *producer)
{
    const rd_kafka_resp_err_t code =
        rd_kafka_purge(producer->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_debug("purge failed", LOG_STR("error", rd_kafka_err2str(code)));
}

void
kafka_producer_abandon(KafkaProducer *producer)
{
    purge(producer);
    while (rd_kafka_outq_len(producer->client.handle) > 0)
        (void)rd_kafka_poll(producer->client.handle, ABANDON_POLL_MS);
}

void
kafka_producer_close(KafkaProducer *producer)
{
    if (producer == NULL)
        return;
    producer->closing = true;
    if (producer->client.handle != NULL) {
        /* Otherwise the destruction waits for records that cannot be delivered. */
        purge(producer);
        for (size_t i = 0; i < producer->prepared_count; i++)
            rd_kafka_topic_destroy(producer->prepared[i]);
        rd_kafka_destroy(producer->client.handle);
    }
    if (producer->asker.handle != NULL)
        rd_kafka_destroy_flags(producer->asker.handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(producer);
}

#include "common/kafka/kafka_private.h"

#include "common/clock.h"
#include "common/kafka/kafka_properties.h"
#include "common/kafka/kafka_reason.h"
#include "common/log.h"
#include "common/thread.h"

#include <stdio.h>
#include <unistd.h>

enum {
    /* A request that no broker takes ends after the step; one under way gets ever longer. */
    WAIT_STEP_MS = 250,
    WAIT_STEP_MAX_MS = 4000,
    TOPIC_PATIENCE_MS =
        2000, /* a topic that was just created takes a moment to be known everywhere */
    TOPIC_PAUSE_US = 100 * 1000,
    FEW_HEADERS = 16, /* of a record; more of them are rare */
};

int64_t
kafka_client_now_ms(void)
{
    return clock_monotonic_ms(clock_system());
}

/* librdkafka counts a lost connection as an error; for us it is something to mend, so a warning. */
static LogLevel
log_level_of(int syslog_level)
{
    if (syslog_level <= 2)
        return LOG_ERROR;
    if (syslog_level <= 4)
        return LOG_WARN;
    return syslog_level <= 6 ? LOG_INFO : LOG_DEBUG;
}

/* Both callbacks get the same texts; a broker that cannot be reached is told once a minute, and not
 * at all while somebody waits for it: the error at the end of the waiting tells. */
static void
log_failure(const KafkaClient *client, LogLevel level, const char *text)
{
    KafkaReason reason;
    kafka_reason_read(text, &reason);
    char key[sizeof(KafkaReason) + 8];
    (void)snprintf(key, sizeof(key), "kafka %s %s", reason.broker, reason.text);
    if (client == NULL || atomic_load(&client->waiting) || !log_first_in_a_minute(key))
        level = LOG_DEBUG;
    LOG_EVENT(level, "a Kafka broker cannot be reached",
              LOG_STR("broker", log_or_null(reason.broker)), LOG_STR("reason", reason.text));
}

static void
on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    if (strcmp(facility, "FAIL") == 0) {
        log_failure(rd_kafka_opaque(handle), log_level_of(level), text);
        return;
    }
    /* One list of properties serves consumers and producers, so each ignores some. */
    const LogLevel mine = strcmp(facility, "CONFWARN") == 0 ? LOG_DEBUG : log_level_of(level);
    LOG_EVENT(mine, "librdkafka", LOG_STR("facility", facility), LOG_STR("detail", text));
}

static ErrorReason
reason_of(rd_kafka_resp_err_t code)
{
    /* The enum is librdkafka's and grows; what is not named here may pass when tried again. */
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
        code == RD_KAFKA_RESP_ERR__RESOLVE || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
        code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
        code == RD_KAFKA_RESP_ERR__DESTROY) /* a broker that left while it was asked */
        return REASON_KAFKA_UNREACHABLE;
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
        code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        return REASON_KAFKA_REFUSED;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        return REASON_TOPIC_GONE;
    if (code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        return REASON_RECORD_PURGED;
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return REASON_MESSAGE_TOO_LARGE;
    return code == RD_KAFKA_RESP_ERR__FATAL ? REASON_KAFKA_BROKEN : REASON_KAFKA_FAILED;
}

static void
on_error(rd_kafka_t *handle, int code, const char *told, void *opaque)
{
    (void)handle;
    KafkaClient *client = opaque;
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL)
        client->authentication_failed = true;
    if (reason_of(code) == REASON_TOPIC_GONE)
        client->topic_missed = true;
    /* "all brokers are down" says less than the reason before it. */
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && client->reason[0] != '\0')
        return;
    KafkaReason reason;
    kafka_reason_read(told, &reason);
    const int written = snprintf(client->reason, sizeof(client->reason), "%s%s%s", reason.broker,
                                 reason.broker[0] != '\0' ? ": " : "", reason.text);
    (void)written;
}

static bool
set_property(rd_kafka_conf_t *conf, const char *name, const char *value, Error *err)
{
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    const rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, reason, sizeof(reason));
    if (result == RD_KAFKA_CONF_OK)
        return true;
    /* librdkafka's reason quotes the value. */
    return error_set(err, REASON_KAFKA_CONFIG, "kafka property %s: %s", name,
                     kafka_property_is_secret(name) ? "the value is not accepted" : reason);
}

static bool
set_properties(rd_kafka_conf_t *conf, KafkaProperties properties, Error *err)
{
    for (size_t i = 0; i < properties.count; i++) {
        if (!set_property(conf, properties.list[i].name, properties.list[i].value, err))
            return false;
    }
    return true;
}

bool
kafka_client_configure(const KafkaSettings *settings, KafkaProperties defaults,
                       KafkaProperties fixed, rd_kafka_conf_t **ret_conf, Error *err)
{
    if (settings->bootstrap_servers == NULL || settings->bootstrap_servers[0] == '\0')
        return error_set(err, REASON_KAFKA_CONFIG, "kafka.bootstrap.servers is not set");
    CLEANUP(kafka_conf_destroyp) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (conf == NULL)
        return error_out_of_memory(err);

    static const KafkaProperty list[] = {
        {"socket.keepalive.enable", "true"},
        {"socket.nagle.disable", "true"},
        {"log.connection.close", "false"},
        {"reconnect.backoff.max.ms", "2000"},
    };
    const KafkaProperties common = {list, ARRAY_LEN(list)};
    if (!set_properties(conf, common, err) || !set_properties(conf, defaults, err))
        return false;
    for (size_t i = 0; i < settings->property_count; i++) {
        if (kafka_property_rule(settings->names[i]) == KAFKA_PROPERTY_UNKNOWN)
            log_debug("a property that this version does not know is passed on",
                      LOG_STR("property", settings->names[i]));
        if (!set_property(conf, settings->names[i], settings->values[i], err))
            return false;
    }
    if (!set_property(conf, "bootstrap.servers", settings->bootstrap_servers, err) ||
        (settings->client_id != NULL &&
         !set_property(conf, "client.id", settings->client_id, err)) ||
        !set_properties(conf, fixed, err))
        return false;
    *ret_conf = conf;
    conf = NULL;
    return true;
}

bool
kafka_client_open(KafkaClient *client, rd_kafka_type_t type, rd_kafka_conf_t *conf, void *opaque,
                  Error *err)
{
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, opaque);
    client->handle = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (client->handle != NULL)
        return true;
    rd_kafka_conf_destroy(conf);
    return error_set(err, REASON_KAFKA_CONFIG, "kafka client: %s", reason);
}

bool
kafka_client_is_broken(const KafkaClient *client)
{
    return rd_kafka_fatal_error(client->handle, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool
kafka_client_error(Error *err, rd_kafka_resp_err_t code, const char *what, const char *subject)
{
    return error_set(err, reason_of(code), "%s%s%s: %s", what, subject != NULL ? " " : "",
                     subject != NULL ? subject : "", rd_kafka_err2str(code));
}

static bool
unreachable(const KafkaClient *client, int timeout_ms, Error *err)
{
    if (client->authentication_failed)
        return error_set(err, REASON_KAFKA_REFUSED, "Kafka refuses the login: %s", client->reason);
    return error_set(err, REASON_KAFKA_UNREACHABLE, "Kafka cannot be reached within %g s: %s",
                     timeout_ms / 1e3,
                     client->reason[0] != '\0' ? client->reason : "no broker answers");
}

bool
kafka_client_is_interrupted(const KafkaClient *client)
{
    return client->interrupt.asked != NULL && client->interrupt.asked(client->interrupt.state);
}

/* Asks for one topic (NULL: for the brokers alone) until there is an answer or `deadline_ms` has
 * come. */
static bool
fetch_metadata(KafkaClient *client, rd_kafka_topic_t *topic, int64_t deadline_ms, int timeout_ms,
               const struct rd_kafka_metadata **ret_metadata, Error *err)
{
    int step_ms = WAIT_STEP_MS;
    for (;;) {
        const int64_t left_ms = deadline_ms - kafka_client_now_ms();
        if (left_ms <= 0)
            return unreachable(client, timeout_ms, err);
        const rd_kafka_resp_err_t code = rd_kafka_metadata(
            client->handle, 0, topic, ret_metadata, left_ms < step_ms ? (int)left_ms : step_ms);
        rd_kafka_poll(client->handle, 0);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return true;
        if (client->authentication_failed)
            return unreachable(client, timeout_ms, err);
        if (kafka_client_is_interrupted(client))
            return error_set(err, REASON_INTERRUPTED, "interrupted while Kafka was away");
        if (code == RD_KAFKA_RESP_ERR__TIMED_OUT)
            step_ms = step_ms * 2 < WAIT_STEP_MAX_MS ? step_ms * 2 : WAIT_STEP_MAX_MS;
        else /* an error that comes at once must not become a busy loop */
            usleep(TOPIC_PAUSE_US);
    }
}

static bool
topic_error(rd_kafka_resp_err_t code, const char *topic, Error *err)
{
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return error_set(err, REASON_KAFKA_REFUSED, "topic %s: this login is not allowed to see it",
                         topic);
    return error_set(err, REASON_TOPIC_MISSING, "topic %s does not exist (%s)", topic,
                     rd_kafka_err2str(code));
}

static bool
find_partitions(KafkaClient *client, const char *topic, int timeout_ms, int32_t *ret_count,
                Error *err)
{
    CLEANUP(kafka_topic_destroyp)
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->handle, topic, NULL);
    if (handle == NULL)
        return kafka_client_error(err, rd_kafka_last_error(), "topic", topic);
    const int64_t started_ms = kafka_client_now_ms();
    for (;;) {
        const struct rd_kafka_metadata *metadata = NULL;
        if (!fetch_metadata(client, handle, started_ms + timeout_ms, timeout_ms, &metadata, err))
            return false;
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        int32_t count = 0;
        if (metadata->topic_cnt > 0) {
            code = metadata->topics[0].err;
            count = metadata->topics[0].partition_cnt;
        }
        rd_kafka_metadata_destroy(metadata);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count > 0) {
            *ret_count = count;
            return true;
        }
        if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
            kafka_client_now_ms() - started_ms > TOPIC_PATIENCE_MS)
            return topic_error(code, topic, err);
        usleep(TOPIC_PAUSE_US);
    }
}

bool
kafka_client_check_topic(KafkaClient *client, const char *topic, int timeout_ms, Error *err)
{
    CLEANUP(kafka_topic_destroyp)
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->handle, topic, NULL);
    if (handle == NULL)
        return kafka_client_error(err, rd_kafka_last_error(), "topic", topic);
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(client->handle, 0, handle, &metadata, timeout_ms) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, REASON_KAFKA_UNREACHABLE, "topic %s: no answer within %d ms", topic,
                         timeout_ms);
    const rd_kafka_resp_err_t code =
        metadata->topic_cnt > 0 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    const bool has_partitions = metadata->topic_cnt > 0 && metadata->topics[0].partition_cnt > 0;
    rd_kafka_metadata_destroy(metadata);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && has_partitions)
        return true;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return kafka_client_error(err, code, "topic", topic);
    /* The broker is just making the topic, or is not yet ready itself. */
    return error_set(err, REASON_KAFKA_UNREACHABLE, "topic %s is not ready", topic);
}

bool
kafka_client_partitions(KafkaClient *client, const char *topic, int timeout_ms, int32_t *ret_count,
                        Error *err)
{
    atomic_store(&client->waiting, true);
    if (!find_partitions(client, topic, timeout_ms, ret_count, err))
        return false; /* the error tells; what the client still says while it ends does not */
    atomic_store(&client->waiting, false);
    return true;
}

static bool
wait_for_brokers(KafkaClient *client, int64_t deadline_ms, int timeout_ms, int *ret_count,
                 Error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (!fetch_metadata(client, NULL, deadline_ms, timeout_ms, &metadata, err))
        return false;
    *ret_count = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

bool
kafka_client_brokers(KafkaClient *client, int timeout_ms, int *ret_count, Error *err)
{
    atomic_store(&client->waiting, true);
    if (!wait_for_brokers(client, kafka_client_now_ms() + timeout_ms, timeout_ms, ret_count, err))
        return false;
    atomic_store(&client->waiting, false);
    return true;
}

bool
kafka_client_wait(KafkaClient *client, const char *const *topics, size_t topic_count,
                  int timeout_ms, Error *err)
{
    const int64_t deadline_ms = kafka_client_now_ms() + timeout_ms;
    int brokers = 0;
    if (!kafka_client_brokers(client, timeout_ms, &brokers, err))
        return false;
    for (size_t i = 0; i < topic_count; i++) {
        int32_t partitions = 0;
        const int64_t left_ms = deadline_ms - kafka_client_now_ms();
        if (!kafka_client_partitions(client, topics[i], left_ms > 1 ? (int)left_ms : 1, &partitions,
                                     err))
            return false;
    }
    return true;
}

static size_t
count_headers(const rd_kafka_headers_t *headers)
{
    return headers != NULL ? rd_kafka_header_cnt(headers) : 0;
}

static bool
read_headers(const rd_kafka_headers_t *headers, size_t count, RecordHeader *list)
{
    for (size_t i = 0; i < count; i++) {
        const void *value = NULL;
        if (rd_kafka_header_get_all(headers, i, &list[i].name, &value, &list[i].value.size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return false;
        list[i].value.data = value;
    }
    return true;
}

Record *
kafka_client_record(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = NULL;
    const size_t count = count_headers(headers);
    RecordHeader few[FEW_HEADERS];
    CLEANUP(autofree)
    RecordHeader *many = count > FEW_HEADERS ? calloc(count, sizeof(*many)) : NULL;
    RecordHeader *list = count > FEW_HEADERS ? many : few;
    if (list == NULL || !read_headers(headers, count, list))
        return NULL;
    rd_kafka_timestamp_type_t kind;
    const int64_t timestamp_ms = rd_kafka_message_timestamp(message, &kind);
    const Record borrowed = {
        .topic = rd_kafka_topic_name(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .headers = list,
        .header_count = count,
    };
    return record_copy(&borrowed);
}

rd_kafka_topic_partition_list_t *
kafka_client_offset_list(const KafkaOffsets *offsets)
{
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)offsets->count);
    for (size_t i = 0; list != NULL && i < offsets->count; i++) {
        const KafkaOffset *offset = &offsets->list[i];
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, offsets->topic, offset->partition);
        element->offset = offset->offset;
        if (offset->metadata == NULL || offset->metadata[0] == '\0')
            continue;
        element->metadata = strdup(offset->metadata); /* the list frees it */
        if (element->metadata == NULL)
            return NULL;
        element->metadata_size = strlen(offset->metadata);
    }
    rd_kafka_topic_partition_list_t *taken = list;
    list = NULL;
    return taken;
}

static void *
destroy_main(void *handle)
{
    rd_kafka_destroy(handle);
    return NULL;
}

bool
kafka_client_destroy(KafkaClient *client, int timeout_ms)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, destroy_main, client->handle) != 0)
        return false;
    if (thread_join(thread, kafka_client_now_ms() + timeout_ms))
        return true;
    (void)pthread_detach(thread);
    return false;
}

#include "common/kafka/kafka_properties.h"

#include "common/nearest.h"

#include <librdkafka/rdkafka.h>
#include <math.h>
#include <string.h>

enum {
    REASON_BYTES = 512,
    HINT_BYTES = 96,
};

typedef struct Property {
    const char *name;
    KafkaPropertyRule rule;
    double least; /* of KAFKA_PROPERTY_BOUNDED */
    double most;
    bool or_zero;
    const char *reason;
} Property;

#define FREE(name)                                                                                 \
    {                                                                                              \
        name, KAFKA_PROPERTY_FREE, 0, 0, false, NULL                                               \
    }
#define OPTION(name)                                                                               \
    {                                                                                              \
        name, KAFKA_PROPERTY_OPTION, 0, 0, false, NULL                                             \
    }
#define REFUSED(name, reason)                                                                      \
    {                                                                                              \
        name, KAFKA_PROPERTY_REFUSED, 0, 0, false, reason                                          \
    }
#define BOUNDED(name, least, most, reason)                                                         \
    {                                                                                              \
        name, KAFKA_PROPERTY_BOUNDED, least, most, false, reason                                   \
    }
#define BOUNDED_OR_ZERO(name, least, most, reason)                                                 \
    {                                                                                              \
        name, KAFKA_PROPERTY_BOUNDED, least, most, true, reason                                    \
    }

/* Why a property is refused. */
#define reason_acks "a result counts as published only when every in-sync replica has it"
#define reason_assignor "all workers of a group must use the same one"
#define reason_brokers "kafka.bootstrap.servers is the list of brokers"
#define reason_callback "it is a function of a program, not a value"
#define reason_client_id "the client is called as worker.id says"
#define reason_code "code of others could change what the worker is told"
#define reason_commit "an offset is committed only once its result is published"
#define reason_crc "a command whose bytes were damaged must not be executed"
#define reason_eof "the end of a partition is no event of a worker"
#define reason_events "the worker takes callbacks and reads no queue of events"
#define reason_fails                                                                               \
    "a connection whose request timed out must be left, or answers reach the wrong request"
#define reason_idempotence                                                                         \
    "a result must be published once, in order, and tried until its time is over"
#define reason_instance "workers that share it would push each other out of the group"
#define reason_isolation "commands of transactions that were aborted must not be executed"
#define reason_mock "the worker would talk to a broker in its own memory"
#define reason_partitioner "a command's key decides its partition, as Java's clients do it"
#define reason_publish_time "it has to fit how the worker publishes"
#define reason_reports "the worker waits for the delivery report of every result"
#define reason_reset "a group without offsets must not pass over commands"
#define reason_signal "the signal would end the worker"
#define reason_statistics "the worker reads them itself, every 5 s"
#define reason_store "the worker decides which offsets are safe to commit"
#define reason_topics "a topic that is missing must be told, neither hidden nor made on the way"
#define reason_transaction_id                                                                      \
    "each worker needs one of its own: worker.transactional_id_prefix and worker.id make it"
#define reason_versions "what a broker can do must be asked, not guessed"

/* Why a property is bounded. */
#define reason_fetch_size "an answer to Fetch holds a whole batch of records"
#define reason_idle "a connection that is lost makes the worker prepare its transactions anew"
#define reason_in_flight "with more requests under way results could change their order"
#define reason_memory "it is memory, and an answer to Fetch has to fit twice"
#define reason_metadata "new partitions and leaders must be noticed"
#define reason_poll "a worker that stands still must lose its partitions, one that works must not"
#define reason_result_size "the largest result and its headers have to fit"
#define reason_session "a dead worker must be missed, one that works must not"
#define reason_socket                                                                              \
    "a broker that does not answer must be noticed within a transaction's time-out"
#define reason_wait "everything else waits as long"

/* The properties of librdkafka 2.0.2 and many that came later, by name; a unit test compares the
 * table with the list of the library it is linked with. */
static const Property table[] = {
    REFUSED("acks", reason_acks),
    REFUSED("allow.auto.create.topics", reason_topics),
    REFUSED("api.version.fallback.ms", reason_versions),
    REFUSED("api.version.request", reason_versions),
    BOUNDED("api.version.request.timeout.ms", 1000, 60000, reason_socket),
    REFUSED("auto.commit.enable", reason_commit),
    REFUSED("auto.commit.interval.ms", reason_commit),
    REFUSED("auto.offset.reset", reason_reset),
    REFUSED("background_event_cb", reason_callback),
    FREE("batch.num.messages"),
    FREE("batch.size"),
    OPTION("bootstrap.servers"),
    FREE("broker.address.family"),
    FREE("broker.address.ttl"),
    REFUSED("broker.version.fallback", reason_versions),
    FREE("builtin.features"),
    REFUSED("check.crcs", reason_crc),
    FREE("client.dns.lookup"),
    REFUSED("client.id", reason_client_id),
    FREE("client.rack"),
    FREE("client.software.name"),
    FREE("client.software.version"),
    REFUSED("closesocket_cb", reason_callback),
    FREE("compression.codec"),
    FREE("compression.level"),
    FREE("compression.type"),
    REFUSED("connect_cb", reason_callback),
    BOUNDED_OR_ZERO("connections.max.idle.ms", 60000, 2147483647, reason_idle),
    FREE("consume.callback.max.messages"),
    REFUSED("consume_cb", reason_callback),
    FREE("coordinator.query.interval.ms"),
    FREE("debug"),
    REFUSED("default_topic_conf", reason_callback),
    REFUSED("delivery.report.only.error", reason_reports),
    REFUSED("delivery.timeout.ms", reason_publish_time),
    REFUSED("dr_cb", reason_callback),
    REFUSED("dr_msg_cb", reason_callback),
    REFUSED("enable.auto.commit", reason_commit),
    REFUSED("enable.auto.offset.store", reason_store),
    REFUSED("enable.gapless.guarantee", reason_idempotence),
    REFUSED("enable.idempotence", reason_idempotence),
    FREE("enable.metrics.push"),
    REFUSED("enable.partition.eof", reason_eof),
    FREE("enable.random.seed"),
    FREE("enable.sasl.oauthbearer.unsecure.jwt"),
    FREE("enable.sparse.connections"),
    FREE("enable.ssl.certificate.verification"),
    REFUSED("enable_sasl_queue", reason_events),
    REFUSED("enabled_events", reason_events),
    REFUSED("error_cb", reason_callback),
    BOUNDED("fetch.error.backoff.ms", 10, 10000, reason_wait),
    BOUNDED("fetch.max.bytes", 65536, 104857600, reason_memory),
    BOUNDED("fetch.message.max.bytes", 16384, 104857600, reason_memory),
    FREE("fetch.min.bytes"),
    BOUNDED("fetch.queue.backoff.ms", 1, 1000, reason_wait),
    BOUNDED("fetch.wait.max.ms", 1, 5000, reason_wait),
    OPTION("group.id"),
    REFUSED("group.instance.id", reason_instance),
    REFUSED("group.protocol", reason_assignor),
    REFUSED("group.protocol.type", reason_assignor),
    REFUSED("group.remote.assignor", reason_assignor),
    BOUNDED("heartbeat.interval.ms", 100, 60000, reason_session),
    FREE("https.ca.location"),
    FREE("https.ca.pem"),
    REFUSED("interceptors", reason_callback),
    REFUSED("internal.termination.signal", reason_signal),
    REFUSED("isolation.level", reason_isolation),
    BOUNDED("linger.ms", 0, 1000, reason_wait),
    FREE("log.connection.close"),
    REFUSED("log.queue", reason_events),
    FREE("log.thread.name"),
    REFUSED("log_cb", reason_callback),
    FREE("log_level"),
    BOUNDED("max.in.flight", 1, 5, reason_in_flight),
    BOUNDED("max.in.flight.requests.per.connection", 1, 5, reason_in_flight),
    BOUNDED("max.partition.fetch.bytes", 16384, 104857600, reason_memory),
    BOUNDED("max.poll.interval.ms", 10000, 3600000, reason_poll),
    FREE("message.copy.max.bytes"),
    BOUNDED("message.max.bytes", 1000000, 1000000000, reason_result_size),
    REFUSED("message.send.max.retries", reason_idempotence),
    REFUSED("message.timeout.ms", reason_publish_time),
    REFUSED("metadata.broker.list", reason_brokers),
    BOUNDED("metadata.max.age.ms", 10000, 86400000, reason_metadata),
    FREE("metadata.recovery.rebootstrap.trigger.ms"),
    FREE("metadata.recovery.strategy"),
    FREE("metadata.request.timeout.ms"),
    REFUSED("msg_order_cmp", reason_callback),
    REFUSED("oauthbearer_token_refresh_cb", reason_callback),
    REFUSED("offset.store.method", reason_store),
    REFUSED("offset.store.path", reason_store),
    REFUSED("offset.store.sync.interval.ms", reason_store),
    REFUSED("offset_commit_cb", reason_callback),
    REFUSED("opaque", reason_callback),
    REFUSED("open_cb", reason_callback),
    REFUSED("partition.assignment.strategy", reason_assignor),
    REFUSED("partitioner", reason_partitioner),
    REFUSED("partitioner_cb", reason_callback),
    REFUSED("plugin.library.paths", reason_code),
    FREE("produce.offset.report"),
    FREE("queue.buffering.backpressure.threshold"),
    BOUNDED("queue.buffering.max.kbytes", 2048, 2097151, reason_result_size),
    BOUNDED_OR_ZERO("queue.buffering.max.messages", 1000, 2147483647, reason_result_size),
    BOUNDED("queue.buffering.max.ms", 0, 1000, reason_wait),
    BOUNDED("queued.max.messages.kbytes", 1024, 1048576, reason_memory),
    FREE("queued.min.messages"),
    REFUSED("queuing.strategy", reason_idempotence),
    REFUSED("rebalance_cb", reason_callback),
    BOUNDED("receive.message.max.bytes", 4194304, 2147483647, reason_fetch_size),
    FREE("reconnect.backoff.jitter.ms"),
    BOUNDED("reconnect.backoff.max.ms", 100, 60000, reason_wait),
    BOUNDED("reconnect.backoff.ms", 10, 10000, reason_wait),
    REFUSED("request.required.acks", reason_acks),
    BOUNDED("request.timeout.ms", 1000, 60000, reason_socket),
    REFUSED("resolve_cb", reason_callback),
    REFUSED("retries", reason_idempotence),
    BOUNDED("retry.backoff.max.ms", 1, 10000, reason_wait),
    BOUNDED("retry.backoff.ms", 1, 1000, reason_wait),
    FREE("sasl.kerberos.keytab"),
    FREE("sasl.kerberos.kinit.cmd"),
    FREE("sasl.kerberos.min.time.before.relogin"),
    FREE("sasl.kerberos.principal"),
    FREE("sasl.kerberos.service.name"),
    FREE("sasl.mechanism"),
    FREE("sasl.mechanisms"),
    FREE("sasl.oauthbearer.client.id"),
    FREE("sasl.oauthbearer.client.secret"),
    FREE("sasl.oauthbearer.config"),
    FREE("sasl.oauthbearer.extensions"),
    FREE("sasl.oauthbearer.method"),
    FREE("sasl.oauthbearer.scope"),
    FREE("sasl.oauthbearer.token.endpoint.url"),
    FREE("sasl.password"),
    FREE("sasl.username"),
    FREE("security.protocol"),
    BOUNDED("session.timeout.ms", 1000, 1800000, reason_session),
    FREE("socket.blocking.max.ms"),
    BOUNDED("socket.connection.setup.timeout.ms", 1000, 60000, reason_socket),
    FREE("socket.keepalive.enable"),
    REFUSED("socket.max.fails", reason_fails),
    FREE("socket.nagle.disable"),
    FREE("socket.receive.buffer.bytes"),
    FREE("socket.send.buffer.bytes"),
    BOUNDED("socket.timeout.ms", 1000, 10000, reason_socket),
    REFUSED("socket_cb", reason_callback),
    FREE("ssl.ca.certificate.stores"),
    FREE("ssl.ca.location"),
    FREE("ssl.ca.pem"),
    FREE("ssl.certificate.location"),
    FREE("ssl.certificate.pem"),
    REFUSED("ssl.certificate.verify_cb", reason_callback),
    FREE("ssl.cipher.suites"),
    FREE("ssl.crl.location"),
    FREE("ssl.curves.list"),
    FREE("ssl.endpoint.identification.algorithm"),
    FREE("ssl.engine.id"),
    FREE("ssl.engine.location"),
    FREE("ssl.key.location"),
    FREE("ssl.key.password"),
    FREE("ssl.key.pem"),
    FREE("ssl.keystore.location"),
    FREE("ssl.keystore.password"),
    FREE("ssl.providers"),
    FREE("ssl.sigalgs.list"),
    REFUSED("ssl_ca", reason_callback),
    REFUSED("ssl_certificate", reason_callback),
    REFUSED("ssl_engine_callback_data", reason_callback),
    REFUSED("ssl_key", reason_callback),
    REFUSED("statistics.interval.ms", reason_statistics),
    REFUSED("stats_cb", reason_callback),
    FREE("sticky.partitioning.linger.ms"),
    REFUSED("test.mock.broker.rtt", reason_mock),
    REFUSED("test.mock.num.brokers", reason_mock),
    REFUSED("throttle_cb", reason_callback),
    REFUSED("topic.blacklist", reason_topics),
    FREE("topic.metadata.propagation.max.ms"),
    FREE("topic.metadata.refresh.fast.cnt"),
    FREE("topic.metadata.refresh.fast.interval.ms"),
    BOUNDED("topic.metadata.refresh.interval.ms", 1000, 900000, reason_metadata),
    FREE("topic.metadata.refresh.sparse"),
    REFUSED("transaction.timeout.ms", reason_publish_time),
    REFUSED("transactional.id", reason_transaction_id),
    REFUSED("ut_handle_ProduceResponse", reason_callback),
};

static const Property *
find_property(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

KafkaPropertyRule
kafka_property_rule(const char *name)
{
    const Property *property = find_property(name);
    return property != NULL ? property->rule : KAFKA_PROPERTY_UNKNOWN;
}

bool
kafka_property_is_secret(const char *name)
{
    static const char *const marks[] = {"password", "secret", "key", "token", "oauth", "jaas"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (strstr(name, marks[i]) != NULL)
            return true;
    }
    return false;
}

static bool
reject_unknown(const char *name, Error *err)
{
    char hint[HINT_BYTES];
    Nearest nearest;
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].rule != KAFKA_PROPERTY_REFUSED)
            (void)nearest_offer(&nearest, table[i].name, table[i].name);
    }
    return error_set(err, REASON_KAFKA_CONFIG, "is no property of librdkafka %s%s",
                     rd_kafka_version_str(), nearest_hint(&nearest, hint, sizeof(hint)));
}

/* Takes the value as librdkafka would, so that a fault is told before anything is connected. */
static bool
try_value(const char *name, const char *value, Error *err)
{
    char reason[REASON_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (conf == NULL)
        return error_out_of_memory(err);
    const rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, reason, sizeof(reason));
    rd_kafka_conf_destroy(conf);
    if (result == RD_KAFKA_CONF_OK)
        return true;
    if (result == RD_KAFKA_CONF_UNKNOWN)
        return reject_unknown(name, err);
    /* librdkafka's reason quotes the value. */
    return error_set(err, REASON_KAFKA_CONFIG, "is not accepted by librdkafka%s%s",
                     kafka_property_is_secret(name) ? "" : ": ",
                     kafka_property_is_secret(name) ? "" : reason);
}

static bool
check_bounds(const Property *property, const char *value, Error *err)
{
    char *end = NULL;
    const double number = strtod(value, &end);
    const bool is_number = end != value && *end == '\0' && isfinite(number);
    if (is_number && ((number >= property->least && number <= property->most) ||
                      (property->or_zero && number == 0)))
        return true;
    return error_set(err, REASON_KAFKA_CONFIG, "is \"%.40s\", but takes %s%.0f to %.0f: %s", value,
                     property->or_zero ? "0 or " : "", property->least, property->most,
                     property->reason);
}

bool
kafka_property_check(const char *name, const char *value, Error *err)
{
    const Property *property = find_property(name);
    if (property != NULL && property->rule == KAFKA_PROPERTY_REFUSED)
        return error_set(err, REASON_KAFKA_CONFIG, "cannot be set: %s", property->reason);
    if (property != NULL && property->rule == KAFKA_PROPERTY_BOUNDED &&
        !check_bounds(property, value, err))
        return false;
    return try_value(name, value, err);
}

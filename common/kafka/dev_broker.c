#include "common/kafka/dev_broker.h"

/* rdkafka_mock.h wants rdkafka.h before it. */
#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>

enum {
    BROKER_ID = 1,
    ERRSTR_BYTES = 512,
    PARTITION_TEXT_BYTES = 16,

    /* Kafka's protocol guide, "API keys" */
    REQUEST_OFFSET_FETCH = 9,
    REQUEST_JOIN_GROUP = 11,
    REQUEST_HEARTBEAT = 12,
};

struct DevBroker {
    rd_kafka_t *handle; /* a client that is never connected; the cluster lives in it */
    rd_kafka_mock_cluster_t *cluster;
};

static bool
create_topics(DevBroker *broker, int partitions, const char *const *topics, size_t topic_count,
              Error *err)
{
    for (size_t i = 0; i < topic_count; i++) {
        const rd_kafka_resp_err_t code =
            rd_kafka_mock_topic_create(broker->cluster, topics[i], partitions, 1);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return error_set(err, REASON_DEV_BROKER, "create topic %s: %s", topics[i],
                             rd_kafka_err2str(code));
    }
    return true;
}

bool
dev_broker_start(int partitions, const char *const *topics, size_t topic_count,
                 DevBroker **ret_broker, Error *err)
{
    CLEANUP(dev_broker_stopp) DevBroker *broker = calloc(1, sizeof(*broker));
    if (broker == NULL)
        return error_out_of_memory(err);
    char reason[ERRSTR_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    broker->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (broker->handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, REASON_DEV_BROKER, "embedded broker: %s", reason);
    }
    broker->cluster = rd_kafka_mock_cluster_new(broker->handle, 1);
    if (broker->cluster == NULL)
        return error_set(err, REASON_DEV_BROKER, "the embedded broker does not start");
    if (!create_topics(broker, partitions, topics, topic_count, err))
        return false;
    *ret_broker = broker;
    broker = NULL;
    return true;
}

const char *
dev_broker_bootstraps(const DevBroker *broker)
{
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

void
dev_broker_set_reachable(DevBroker *broker, bool reachable)
{
    if (reachable)
        (void)rd_kafka_mock_broker_set_up(broker->cluster, BROKER_ID);
    else
        (void)rd_kafka_mock_broker_set_down(broker->cluster, BROKER_ID);
}

static void
fence(DevBroker *broker, int16_t request, int count)
{
    for (int i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors(broker->cluster, request, 1,
                                          RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
}

void
dev_broker_fence(DevBroker *broker, int joins, int heartbeats)
{
    fence(broker, REQUEST_JOIN_GROUP, joins);
    fence(broker, REQUEST_HEARTBEAT, heartbeats);
}

void
dev_broker_refuse_joins(DevBroker *broker, int joins)
{
    for (int i = 0; i < joins; i++)
        rd_kafka_mock_push_request_errors(broker->cluster, REQUEST_JOIN_GROUP, 1,
                                          RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL);
}

void
dev_broker_move_coordinator(DevBroker *broker, int lookups)
{
    for (int i = 0; i < lookups; i++)
        rd_kafka_mock_push_request_errors(broker->cluster, REQUEST_OFFSET_FETCH, 1,
                                          RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
}

void
dev_broker_stop(DevBroker *broker)
{
    if (broker == NULL)
        return;
    if (broker->cluster != NULL)
        rd_kafka_mock_cluster_destroy(broker->cluster);
    if (broker->handle != NULL)
        rd_kafka_destroy(broker->handle);
    free(broker);
}

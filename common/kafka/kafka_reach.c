/* Whether the brokers can be reached where the cluster says that they are. */
#include "common/kafka/kafka_private.h"

#include "common/strbuf.h"

#include <unistd.h>

enum {
    LEADERS_MAX = 64,
    LEADER_LEAST_MS = 2000,
    ADDRESSES_MAX = 3,
    STEP_MS = 500,
    PAUSE_US = 100 * 1000,
};

typedef struct Leaders {
    int32_t ids[LEADERS_MAX];
    size_t count;
    bool reached;
} Leaders;

static bool
note_leader(Leaders *leaders, int32_t id)
{
    for (size_t i = 0; i < leaders->count; i++) {
        if (leaders->ids[i] == id)
            return false;
    }
    if (id < 0 || leaders->count == LEADERS_MAX)
        return false;
    leaders->ids[leaders->count++] = id;
    return true;
}

/* Any answer of the leader will do, a refusal too; those are the codes that librdkafka does not
 * make itself. It has one of its own at once while it still connects. */
static bool
answers(const KafkaClient *client, const char *topic, int32_t partition, int timeout_ms)
{
    const int64_t deadline_ms = kafka_client_now_ms() + timeout_ms;
    for (;;) {
        int64_t first = 0;
        int64_t end = 0;
        const int64_t left_ms = deadline_ms - kafka_client_now_ms();
        if (left_ms <= 0 || kafka_client_is_interrupted(client))
            return false;
        const rd_kafka_resp_err_t code =
            rd_kafka_query_watermark_offsets(client->handle, topic, partition, &first, &end,
                                             left_ms < STEP_MS ? (int)left_ms : STEP_MS);
        if (code >= RD_KAFKA_RESP_ERR_NO_ERROR)
            return true;
        usleep(PAUSE_US);
    }
}

static void
add_addresses(StrBuf *text, const struct rd_kafka_metadata *metadata)
{
    for (int i = 0; i < metadata->broker_cnt && i < ADDRESSES_MAX; i++)
        strbuf_add_format(text, "%s%s:%d", i > 0 ? ", " : "", metadata->brokers[i].host,
                          metadata->brokers[i].port);
    if (metadata->broker_cnt > ADDRESSES_MAX)
        strbuf_add_text(text, ", …");
}

static bool
fail(const KafkaClient *client, const struct rd_kafka_metadata *metadata, Error *err)
{
    CLEANUP(strbuf_done) StrBuf addresses = {0};
    if (kafka_client_is_interrupted(client))
        return error_set(err, REASON_INTERRUPTED, "interrupted while Kafka was away");
    add_addresses(&addresses, metadata);
    return error_set(err, REASON_KAFKA_UNREACHABLE,
                     "the cluster sends clients to %s (advertised.listeners), which cannot be "
                     "reached%s%s",
                     strbuf_text(&addresses), client->reason[0] != '\0' ? ": " : "",
                     client->reason);
}

static void
ask_leaders(const KafkaClient *client, const struct rd_kafka_metadata_topic *topic, int timeout_ms,
            Leaders *leaders)
{
    for (int i = 0; i < topic->partition_cnt && !leaders->reached; i++) {
        if (note_leader(leaders, topic->partitions[i].leader))
            leaders->reached = answers(client, topic->topic, topic->partitions[i].id, timeout_ms);
        rd_kafka_poll(client->handle, 0); /* the reason, if it fails */
    }
}

bool
kafka_reach_leaders(KafkaClient *client, const char *topic, int timeout_ms, Error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    Leaders leaders = {0};
    CLEANUP(kafka_topic_destroyp)
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->handle, topic, NULL);
    if (handle == NULL || rd_kafka_metadata(client->handle, 0, handle, &metadata, timeout_ms) !=
                              RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    const int each_ms = timeout_ms / (metadata->broker_cnt > 0 ? metadata->broker_cnt : 1);
    if (metadata->topic_cnt > 0)
        ask_leaders(client, &metadata->topics[0],
                    each_ms > LEADER_LEAST_MS ? each_ms : LEADER_LEAST_MS, &leaders);
    const bool fine = leaders.count == 0 || leaders.reached || fail(client, metadata, err);
    rd_kafka_metadata_destroy(metadata);
    return fine;
}

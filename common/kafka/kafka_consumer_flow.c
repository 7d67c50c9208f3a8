/* What a consumer fetches, and what keeps it from more. */
#include "common/kafka/kafka_consumer_private.h"

#include "common/clock.h"
#include "common/log.h"

#include <cjson/cJSON.h>

/* librdkafka 2.0.2 fetches again up to a second after a partition was resumed, when all of a broker
 * were paused, because resuming does not wake the thread that fetches; seeking does. So it is sent
 * to where it stands, which is where a resumed partition is read on anyway. */
static bool
wake_fetching(KafkaConsumer *consumer, rd_kafka_topic_partition_list_t *list, Error *err)
{
    rd_kafka_t *handle = consumer->client.handle;
    const rd_kafka_resp_err_t code = rd_kafka_position(handle, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_client_error(err, code, "look where to read on in", consumer->topic);
    if (list->elems[0].offset < 0)
        return true; /* nothing was read yet, so there is nowhere to go */
    rd_kafka_error_t *failure = rd_kafka_seek_partitions(handle, list, 0);
    if (failure == NULL)
        return true;
    (void)kafka_client_error(err, rd_kafka_error_code(failure), "seek in", consumer->topic);
    rd_kafka_error_destroy(failure);
    return false;
}

static bool
pause_or_resume(KafkaConsumer *consumer, int32_t partition, bool pause, Error *err)
{
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    if (list == NULL)
        return error_out_of_memory(err);
    rd_kafka_topic_partition_list_add(list, consumer->topic, partition);
    rd_kafka_t *handle = consumer->client.handle;
    rd_kafka_resp_err_t code =
        pause ? rd_kafka_pause_partitions(handle, list) : rd_kafka_resume_partitions(handle, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_client_error(err, code, pause ? "pause" : "resume", consumer->topic);
    return pause || wake_fetching(consumer, list, err);
}

bool
kafka_consumer_pause(KafkaConsumer *consumer, int32_t partition, Error *err)
{
    return pause_or_resume(consumer, partition, true, err);
}

bool
kafka_consumer_resume(KafkaConsumer *consumer, int32_t partition, Error *err)
{
    return pause_or_resume(consumer, partition, false, err);
}

bool
kafka_consumer_bounds(const KafkaConsumer *consumer, int32_t partition, int64_t *ret_first,
                      int64_t *ret_end)
{
    int64_t first = KAFKA_OFFSET_NONE;
    int64_t end = KAFKA_OFFSET_NONE;
    if (rd_kafka_get_watermark_offsets(consumer->client.handle, consumer->topic, partition, &first,
                                       &end) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        first < 0 || end < 0)
        return false;
    *ret_first = first;
    *ret_end = end;
    return true;
}

static int64_t
number_of(const cJSON *object, const char *name)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(number) ? (int64_t)number->valuedouble : KAFKA_OFFSET_NONE;
}

static bool
is_fetched(const cJSON *partition)
{
    const char *state =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(partition, "fetch_state"));
    return state != NULL && strcmp(state, "active") == 0;
}

static void
warn_open_transaction(const KafkaConsumer *consumer, const OpenTransaction *open, int64_t now_ms)
{
    char since[CLOCK_TEXT_BYTES];
    clock_format(clock_now_us(clock_system()) - (now_ms - open->since_ms) * 1000, since);
    log_warn("an open transaction keeps a partition's commands from being read; "
             "kafka-transactions.sh find-hanging names it",
             LOG_STR("topic", consumer->topic), LOG_INT("partition", open->partition),
             LOG_INT("offset", open->stable), LOG_STR("since", since));
}

static void
note_partition(KafkaConsumer *consumer, const cJSON *partition, int64_t now_ms)
{
    const PartitionEnds ends = {
        .partition = (int32_t)number_of(partition, "partition"),
        .stable = is_fetched(partition) ? number_of(partition, "ls_offset") : KAFKA_OFFSET_NONE,
        .end = number_of(partition, "hi_offset"),
    };
    const OpenTransaction *open =
        open_transactions_note(&consumer->open_transactions, &ends, now_ms);
    if (open != NULL)
        warn_open_transaction(consumer, open, now_ms);
}

int
kafka_consumer_on_statistics(rd_kafka_t *handle, char *json, size_t size, void *opaque)
{
    (void)handle;
    KafkaConsumer *consumer = opaque;
    const int64_t now_ms = kafka_client_now_ms();
    cJSON *all = cJSON_ParseWithLength(json, size);
    const cJSON *topic = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(all, "topics"), consumer->topic);
    const cJSON *partition;
    cJSON_ArrayForEach(partition, cJSON_GetObjectItemCaseSensitive(topic, "partitions"))
        note_partition(consumer, partition, now_ms);
    cJSON_Delete(all);
    return 0; /* librdkafka frees the text */
}

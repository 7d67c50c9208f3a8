#include "common/kafka/kafka_reader.h"

#include "common/kafka/kafka_private.h"
#include "common/log.h"

struct KafkaReader {
    KafkaClient client; /* first: callbacks get the reader and hand it on as the client */
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    int32_t partition_count;
    int32_t started; /* partitions with a running fetcher */
    bool *ended;     /* by partition: its end has been seen */
    int32_t ended_count;
    bool end_told;
};

static const KafkaProperty default_list[] = {
    {"queued.max.messages.kbytes", "4096"},
    {"fetch.wait.max.ms", "100"},
    {"fetch.error.backoff.ms", "100"},
};

static const KafkaProperty fixed_list[] = {
    {"enable.auto.commit", "false"},   {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"}, {"isolation.level", "read_committed"},
    {"enable.partition.eof", "true"},
};

static bool
reader_init(KafkaReader *reader, const KafkaSettings *settings, const char *topic, int timeout_ms,
            Error *err)
{
    rd_kafka_conf_t *conf = NULL;
    reader->client.interrupt = settings->interrupt;
    atomic_init(&reader->client.waiting, true);
    const KafkaProperties defaults = {default_list, ARRAY_LEN(default_list)};
    const KafkaProperties fixed = {fixed_list, ARRAY_LEN(fixed_list)};
    if (!kafka_client_configure(settings, defaults, fixed, &conf, err) ||
        !kafka_client_open(&reader->client, RD_KAFKA_CONSUMER, conf, reader, err) ||
        !kafka_client_partitions(&reader->client, topic, timeout_ms, &reader->partition_count, err))
        return false;
    reader->ended = calloc((size_t)reader->partition_count, sizeof(*reader->ended));
    reader->topic = rd_kafka_topic_new(reader->client.handle, topic, NULL);
    reader->queue = rd_kafka_queue_new(reader->client.handle);
    if (reader->ended == NULL || reader->topic == NULL || reader->queue == NULL)
        return error_out_of_memory(err);
    return true;
}

static bool
find_bounds(KafkaReader *reader, int32_t partition, int timeout_ms, int64_t *ret_low,
            int64_t *ret_high, Error *err)
{
    const char *topic = rd_kafka_topic_name(reader->topic);
    const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        reader->client.handle, topic, partition, ret_low, ret_high, timeout_ms);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_client_error(err, code, "find the end of", topic);
}

/* The first offset at or after a time; negative when the broker names none. */
static int64_t
lookup_time(KafkaReader *reader, int32_t partition, int64_t time_ms, int timeout_ms)
{
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    if (list == NULL)
        return -1;
    rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(reader->topic), partition)->offset =
        time_ms;
    const rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(reader->client.handle, list, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || list->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return list->elems[0].offset;
}

static int64_t
find_time(KafkaReader *reader, int32_t partition, int64_t time_ms, int64_t low, int64_t high,
          int timeout_ms)
{
    const int64_t found = lookup_time(reader, partition, time_ms, timeout_ms);
    if (found >= 0)
        return found;
    if (low >= high)
        return high;
    /* No offset means "nothing that late", or a broker that cannot tell: then it does not know the
     * oldest either. */
    return lookup_time(reader, partition, 1, timeout_ms) >= 0 ? high : low;
}

static bool
start_partition(KafkaReader *reader, int32_t partition, int64_t since_ms, int timeout_ms,
                Error *err)
{
    int64_t low = 0;
    int64_t high = 0;
    if (!find_bounds(reader, partition, timeout_ms, &low, &high, err))
        return false;
    const int64_t from = since_ms == KAFKA_SINCE_NOW
                             ? high
                             : find_time(reader, partition, since_ms, low, high, timeout_ms);
    if (rd_kafka_consume_start_queue(reader->topic, partition, from, reader->queue) != 0)
        return kafka_client_error(err, rd_kafka_last_error(), "read topic",
                                  rd_kafka_topic_name(reader->topic));
    reader->started = partition + 1;
    return true;
}

bool
kafka_reader_open(const KafkaSettings *settings, const char *topic, int64_t since_ms,
                  int timeout_ms, KafkaReader **ret_reader, Error *err)
{
    CLEANUP(kafka_reader_closep) KafkaReader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return error_out_of_memory(err);
    const int64_t deadline_ms = kafka_client_now_ms() + timeout_ms;
    if (!reader_init(reader, settings, topic, timeout_ms, err))
        return false;
    for (int32_t i = 0; i < reader->partition_count; i++) {
        const int64_t left_ms = deadline_ms - kafka_client_now_ms();
        if (!start_partition(reader, i, since_ms, left_ms > 100 ? (int)left_ms : 100, err))
            return false;
    }
    *ret_reader = reader;
    reader = NULL;
    return true;
}

static KafkaPoll
note_end(KafkaReader *reader, int32_t partition)
{
    if (partition >= 0 && partition < reader->partition_count && !reader->ended[partition]) {
        reader->ended[partition] = true;
        reader->ended_count++;
    }
    if (reader->end_told || reader->ended_count < reader->partition_count)
        return KAFKA_POLL_NOTHING;
    reader->end_told = true;
    return KAFKA_POLL_END;
}

static KafkaPoll
take_message(KafkaReader *reader, const rd_kafka_message_t *message, Record **ret_record,
             Error *err)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return note_end(reader, message->partition);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_client_error(err, message->err, "read topic",
                                 rd_kafka_topic_name(reader->topic));
        return KAFKA_POLL_ERROR;
    }
    Record *record = kafka_client_record(message);
    if (record == NULL) {
        (void)error_out_of_memory(err);
        return KAFKA_POLL_ERROR;
    }
    *ret_record = record;
    return KAFKA_POLL_RECORD;
}

KafkaPoll
kafka_reader_poll(KafkaReader *reader, int timeout_ms, Record **ret_record, Error *err)
{
    rd_kafka_poll(reader->client.handle, 0);
    rd_kafka_message_t *message = rd_kafka_consume_queue(reader->queue, timeout_ms);
    if (message == NULL)
        return KAFKA_POLL_NOTHING;
    const KafkaPoll result = take_message(reader, message, ret_record, err);
    rd_kafka_message_destroy(message);
    return result;
}

void
kafka_reader_close(KafkaReader *reader)
{
    if (reader == NULL)
        return;
    for (int32_t i = 0; i < reader->started; i++) {
        if (rd_kafka_consume_stop(reader->topic, i) != 0)
            log_debug("stopping a partition failed", LOG_INT("partition", i));
    }
    if (reader->queue != NULL)
        rd_kafka_queue_destroy(reader->queue);
    if (reader->topic != NULL)
        rd_kafka_topic_destroy(reader->topic);
    if (reader->client.handle != NULL)
        rd_kafka_destroy(reader->client.handle);
    free(reader->ended);
    free(reader);
}

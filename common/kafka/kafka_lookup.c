#include "common/kafka/kafka_lookup_private.h"

struct KafkaLookup {
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event; /* the answer; NULL while there is none */
    const rd_kafka_topic_partition_list_t *offsets;
    char *topic;
};

void
kafka_lookup_free(KafkaLookup *lookup)
{
    if (lookup == NULL)
        return;
    if (lookup->event != NULL)
        rd_kafka_event_destroy(lookup->event);
    if (lookup->queue != NULL) {
        rd_kafka_queue_io_event_enable(lookup->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(lookup->queue);
    }
    free(lookup->topic);
    free(lookup);
}

static void
options_destroyp(rd_kafka_AdminOptions_t **options)
{
    if (*options != NULL)
        rd_kafka_AdminOptions_destroy(*options);
}

static void
request_destroyp(rd_kafka_ListConsumerGroupOffsets_t **request)
{
    if (*request != NULL)
        rd_kafka_ListConsumerGroupOffsets_destroy(*request);
}

/* Takes over the error object. */
static bool
option_error(rd_kafka_error_t *failure, Error *err)
{
    if (failure == NULL)
        return true;
    (void)error_set(err, ERROR_FATAL, "kafka_error", "look up committed offsets: %s",
                    rd_kafka_error_string(failure));
    rd_kafka_error_destroy(failure);
    return false;
}

static bool
ask(KafkaLookup *lookup, rd_kafka_t *handle, const char *group, const int32_t *partitions,
    size_t count, int timeout_ms, Error *err)
{
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    CLEANUP(options_destroyp)
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    if (list == NULL || options == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, lookup->topic, partitions[i]);
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    if (!option_error(rd_kafka_AdminOptions_set_require_stable_offsets(options, 1), err))
        return false;
    if (rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof(reason)) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_FATAL, "kafka_error", "look up committed offsets: %s", reason);
    CLEANUP(request_destroyp)
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_ListConsumerGroupOffsets(handle, &request, 1, options, lookup->queue);
    return true;
}

bool
kafka_lookup_begin(rd_kafka_t *handle, const char *group, const char *topic,
                   const int32_t *partitions, size_t count, int timeout_ms, int wake_fd,
                   KafkaLookup **ret_lookup, Error *err)
{
    CLEANUP(kafka_lookup_freep) KafkaLookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return error_out_of_memory(err);
    lookup->topic = strdup(topic);
    lookup->queue = rd_kafka_queue_new(handle);
    if (lookup->topic == NULL || lookup->queue == NULL)
        return error_out_of_memory(err);
    if (wake_fd >= 0) {
        static const uint64_t one = 1;
        rd_kafka_queue_io_event_enable(lookup->queue, wake_fd, &one, sizeof(one));
    }
    if (!ask(lookup, handle, group, partitions, count, timeout_ms, err))
        return false;
    *ret_lookup = lookup;
    lookup = NULL;
    return true;
}

static KafkaAnswer
fail(rd_kafka_resp_err_t code, Error *err)
{
    if (code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
        (void)error_set(err, ERROR_RETRY, "offsets_unstable",
                        "a transaction with offsets of this group is still open");
    else
        (void)kafka_client_error(err, code, "look up committed offsets", NULL);
    return KAFKA_ANSWER_FAILED;
}

static KafkaAnswer
read_answer(KafkaLookup *lookup, Error *err)
{
    const rd_kafka_resp_err_t code = rd_kafka_event_error(lookup->event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(code, err);
    size_t count = 0;
    const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(lookup->event), &count);
    if (count != 1)
        return fail(RD_KAFKA_RESP_ERR__BAD_MSG, err);
    const rd_kafka_error_t *failure = rd_kafka_group_result_error(groups[0]);
    if (failure != NULL)
        return fail(rd_kafka_error_code(failure), err);
    lookup->offsets = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; lookup->offsets != NULL && i < lookup->offsets->cnt; i++) {
        if (lookup->offsets->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return fail(lookup->offsets->elems[i].err, err);
    }
    return KAFKA_ANSWER_READY;
}

KafkaAnswer
kafka_lookup_poll(KafkaLookup *lookup, int timeout_ms, Error *err)
{
    if (lookup->event == NULL)
        lookup->event = rd_kafka_queue_poll(lookup->queue, timeout_ms);
    return lookup->event == NULL ? KAFKA_ANSWER_PENDING : read_answer(lookup, err);
}

KafkaOffset
kafka_lookup_offset(const KafkaLookup *lookup, int32_t partition)
{
    KafkaOffset found = {.partition = partition, .offset = KAFKA_OFFSET_NONE};
    for (int i = 0; lookup->offsets != NULL && i < lookup->offsets->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &lookup->offsets->elems[i];
        if (element->partition != partition || element->offset < 0 ||
            strcmp(element->topic, lookup->topic) != 0)
            continue;
        found.offset = element->offset;
        found.metadata = element->metadata; /* librdkafka ends it with a NUL */
    }
    return found;
}

#include "common/kafka/kafka_private.h"

enum {
    /* The most librdkafka takes. 2.0.2 aborts the process when the time-out of a question to a
     * group's coordinator passes while there is none, because it counts a reference down twice; so
     * the question is never given up before. */
    TIMEOUT_MS = 3600 * 1000,
};

struct KafkaLookup {
    rd_kafka_queue_t *queue;
    char *topic;
    KafkaOffset *offsets; /* the answer; each owns its metadata */
    size_t count;
};

/* Borrowers see it as const. */
static char *
owned_metadata(const KafkaOffset *offset)
{
    return (char *)(uintptr_t)offset->metadata;
}

void
kafka_lookup_free(KafkaLookup *lookup)
{
    if (lookup == NULL)
        return;
    if (lookup->queue != NULL) {
        rd_kafka_queue_io_event_enable(lookup->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(lookup->queue);
    }
    for (size_t i = 0; i < lookup->count; i++)
        free(owned_metadata(&lookup->offsets[i]));
    free(lookup->offsets);
    free(lookup->topic);
    free(lookup);
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
    (void)error_set(err, REASON_KAFKA_BROKEN, "look up committed offsets: %s",
                    rd_kafka_error_string(failure));
    rd_kafka_error_destroy(failure);
    return false;
}

static bool
ask(KafkaLookup *lookup, rd_kafka_t *handle, const KafkaQuestion *question, Error *err)
{
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)question->count);
    CLEANUP(kafka_options_destroyp)
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    if (list == NULL || options == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < question->count; i++)
        rd_kafka_topic_partition_list_add(list, question->topic, question->partitions[i]);
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    if (!option_error(rd_kafka_AdminOptions_set_require_stable_offsets(options, 1), err))
        return false;
    if (rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, reason, sizeof(reason)) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, REASON_KAFKA_BROKEN, "look up committed offsets: %s", reason);
    CLEANUP(request_destroyp)
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(question->group, list);
    rd_kafka_ListConsumerGroupOffsets(handle, &request, 1, options, lookup->queue);
    return true;
}

bool
kafka_lookup_begin(rd_kafka_t *handle, const KafkaQuestion *question, int wake_fd,
                   KafkaLookup **ret_lookup, Error *err)
{
    CLEANUP(kafka_lookup_freep) KafkaLookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return error_out_of_memory(err);
    lookup->topic = strdup(question->topic);
    lookup->queue = rd_kafka_queue_new(handle);
    if (lookup->topic == NULL || lookup->queue == NULL)
        return error_out_of_memory(err);
    if (wake_fd >= 0) {
        static const uint64_t one = 1;
        rd_kafka_queue_io_event_enable(lookup->queue, wake_fd, &one, sizeof(one));
    }
    if (!ask(lookup, handle, question, err))
        return false;
    *ret_lookup = lookup;
    lookup = NULL;
    return true;
}

static KafkaAnswer
fail(rd_kafka_resp_err_t code, Error *err)
{
    if (code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
        (void)error_set(err, REASON_OFFSETS_UNSTABLE,
                        "a transaction with offsets of this group is still open; if for minutes, "
                        "kafka-transactions.sh find-hanging shows it");
    else
        (void)kafka_client_error(err, code, "look up committed offsets", NULL);
    return KAFKA_ANSWER_FAILED;
}

/* librdkafka's copies of the metadata do not end with a NUL. */
static bool
copy_offsets(KafkaLookup *lookup, const rd_kafka_topic_partition_list_t *list, Error *err)
{
    lookup->offsets = calloc((size_t)list->cnt + 1, sizeof(*lookup->offsets));
    if (lookup->offsets == NULL)
        return error_out_of_memory(err);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &list->elems[i];
        if (element->offset < 0 || strcmp(element->topic, lookup->topic) != 0)
            continue;
        KafkaOffset *offset = &lookup->offsets[lookup->count++];
        *offset = (KafkaOffset){.partition = element->partition, .offset = element->offset};
        if (element->metadata_size == 0)
            continue;
        offset->metadata = strndup(element->metadata, element->metadata_size);
        if (offset->metadata == NULL)
            return error_out_of_memory(err);
    }
    return true;
}

static KafkaAnswer
read_answer(KafkaLookup *lookup, rd_kafka_event_t *event, Error *err)
{
    const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(code, err);
    size_t count = 0;
    const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    if (count != 1)
        return fail(RD_KAFKA_RESP_ERR__BAD_MSG, err);
    const rd_kafka_error_t *failure = rd_kafka_group_result_error(groups[0]);
    if (failure != NULL)
        return fail(rd_kafka_error_code(failure), err);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return fail(list->elems[i].err, err);
    }
    return copy_offsets(lookup, list, err) ? KAFKA_ANSWER_READY : KAFKA_ANSWER_FAILED;
}

KafkaAnswer
kafka_lookup_poll(KafkaLookup *lookup, int timeout_ms, Error *err)
{
    CLEANUP(kafka_event_destroyp)
    rd_kafka_event_t *event = rd_kafka_queue_poll(lookup->queue, timeout_ms);
    return event == NULL ? KAFKA_ANSWER_PENDING : read_answer(lookup, event, err);
}

KafkaOffset
kafka_lookup_offset(const KafkaLookup *lookup, int32_t partition)
{
    for (size_t i = 0; i < lookup->count; i++) {
        if (lookup->offsets[i].partition == partition)
            return lookup->offsets[i];
    }
    return (KafkaOffset){.partition = partition, .offset = KAFKA_OFFSET_NONE};
}

/* Whether a consumer's topic is there, and whether its group knows that. */
#include "common/kafka/kafka_consumer_private.h"

bool
kafka_consumer_missed_topic(KafkaConsumer *consumer)
{
    const bool missed = consumer->client.topic_missed;
    consumer->client.topic_missed = false;
    return missed;
}

bool
kafka_consumer_check_topic(KafkaConsumer *consumer, int timeout_ms, Error *err)
{
    return kafka_client_check_topic(&consumer->client, consumer->topic, timeout_ms, err);
}

/* Not the admin question, which 2.0.2 cannot give up (see kafka_lookup.c). */
bool
kafka_consumer_group_is_idle(KafkaConsumer *consumer, int timeout_ms)
{
    const struct rd_kafka_group_list *list = NULL;
    const rd_kafka_resp_err_t code =
        rd_kafka_list_groups(consumer->client.handle, consumer->group, &list, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__PARTIAL)
        return false;
    const bool idle = list->group_cnt == 1 && kafka_members_are_idle(&list->groups[0]);
    rd_kafka_group_list_destroy(list);
    return idle;
}

bool
kafka_consumer_resubscribe(KafkaConsumer *consumer, Error *err)
{
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    if (list == NULL)
        return error_out_of_memory(err);
    rd_kafka_topic_partition_list_add(list, consumer->topic, RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->client.handle, list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_client_error(err, code, "subscribe to", consumer->topic);
}

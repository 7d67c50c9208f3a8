#include "common/kafka/kafka_group.h"

#include "common/kafka/kafka_private.h"

#include <string.h>

enum {
    /* As of kafka_lookup.c, and for the same reason. */
    TIMEOUT_MS = 3600 * 1000,
};

void
kafka_group_done(KafkaGroup *group)
{
    for (size_t i = 0; i < group->count; i++) {
        free(group->members[i].client_id);
        free(group->members[i].host);
        free(group->members[i].other_topic);
    }
    free(group->members);
    free(group->assignor);
    *group = (KafkaGroup){0};
}

static void
queue_destroyp(rd_kafka_queue_t **queue)
{
    if (*queue != NULL)
        rd_kafka_queue_destroy(*queue);
}

static bool
copy_text(const char *text, char **ret_copy)
{
    *ret_copy = strdup(text != NULL ? text : "");
    return *ret_copy != NULL;
}

static const char *
other_topic(const rd_kafka_MemberDescription_t *member, const char *topic)
{
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);
    const rd_kafka_topic_partition_list_t *list =
        assignment != NULL ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        if (strcmp(list->elems[i].topic, topic) != 0)
            return list->elems[i].topic;
    }
    return NULL;
}

static bool
copy_member(KafkaGroup *group, const rd_kafka_MemberDescription_t *told, const char *topic)
{
    KafkaMember *member = &group->members[group->count++];
    const char *other = other_topic(told, topic);
    return copy_text(rd_kafka_MemberDescription_client_id(told), &member->client_id) &&
           copy_text(rd_kafka_MemberDescription_host(told), &member->host) &&
           (other == NULL || copy_text(other, &member->other_topic));
}

static int
compare_members(const void *left, const void *right)
{
    const KafkaMember *a = left;
    const KafkaMember *b = right;
    const int order = strcmp(a->client_id, b->client_id);
    return order != 0 ? order : strcmp(a->host, b->host);
}

static bool
copy_group(KafkaGroup *group, const rd_kafka_ConsumerGroupDescription_t *told, const char *topic,
           Error *err)
{
    const size_t count = rd_kafka_ConsumerGroupDescription_member_count(told);
    const bool is_settled =
        rd_kafka_ConsumerGroupDescription_state(told) == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE;
    group->members = calloc(count + 1, sizeof(*group->members));
    bool copied =
        group->members != NULL &&
        copy_text(is_settled ? rd_kafka_ConsumerGroupDescription_partition_assignor(told) : "",
                  &group->assignor);
    for (size_t i = 0; copied && i < count; i++)
        copied = copy_member(group, rd_kafka_ConsumerGroupDescription_member(told, i), topic);
    if (!copied) {
        kafka_group_done(group);
        return error_out_of_memory(err);
    }
    qsort(group->members, group->count, sizeof(*group->members), compare_members);
    return true;
}

static bool
read_answer(rd_kafka_event_t *event, const char *topic, KafkaGroup *ret_group, Error *err)
{
    const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    size_t count = 0;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_client_error(err, code, "describe the group", NULL);
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    if (count != 1)
        return kafka_client_error(err, RD_KAFKA_RESP_ERR__BAD_MSG, "describe the group", NULL);
    const rd_kafka_error_t *failure = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    if (failure != NULL)
        return kafka_client_error(err, rd_kafka_error_code(failure), "describe the group", NULL);
    return copy_group(ret_group, groups[0], topic, err);
}

bool
kafka_group_look(rd_kafka_t *handle, const char *name, const char *topic, int timeout_ms,
                 KafkaGroup *ret_group, Error *err)
{
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    CLEANUP(queue_destroyp) rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    CLEANUP(kafka_options_destroyp)
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    if (queue == NULL || options == NULL)
        return error_out_of_memory(err);
    if (rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, reason, sizeof(reason)) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, REASON_KAFKA_BROKEN, "describe the group: %s", reason);
    rd_kafka_DescribeConsumerGroups(handle, &name, 1, options, queue);
    CLEANUP(kafka_event_destroyp) rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    return event != NULL ? read_answer(event, topic, ret_group, err)
                         : error_set(err, REASON_KAFKA_FAILED,
                                     "describe the group: no answer within %d ms", timeout_ms);
}

#include "common/kafka/kafka_admin.h"

#include "common/kafka/kafka_private.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    WORD_BYTES = 64,
    CONTROLLER_MS = 1000,
    NEW_TOPIC_MS = 300,
    NEW_TOPIC_PAUSE_US = 100 * 1000,
    ANSWER_SPARE_MS = 500, /* an answer comes a little after the request's own end */
};

struct KafkaAdmin {
    KafkaClient client; /* first: callbacks get the admin and hand it on as the client */
    rd_kafka_queue_t *queue;
    char security[WORD_BYTES];
    char user[WORD_BYTES];
    bool has_controller;
};

static void
new_topic_destroyp(rd_kafka_NewTopic_t **topic)
{
    if (*topic != NULL)
        rd_kafka_NewTopic_destroy(*topic);
}

static void
read_property(const KafkaAdmin *admin, const char *name, char text[WORD_BYTES])
{
    size_t size = WORD_BYTES;
    if (rd_kafka_conf_get(rd_kafka_conf(admin->client.handle), name, text, &size) !=
        RD_KAFKA_CONF_OK)
        text[0] = '\0';
}

static void
read_login(KafkaAdmin *admin)
{
    read_property(admin, "security.protocol", admin->security);
    read_property(admin, "sasl.username", admin->user);
    for (char *at = admin->security; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
}

/* The embedded broker says that a broker which does not exist is the controller; a question that
 * only the controller answers would wait until its end. */
static void
find_controller(KafkaAdmin *admin, int timeout_ms)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const int32_t controller = rd_kafka_controllerid(admin->client.handle, timeout_ms);
    admin->has_controller = true;
    if (controller < 0 || rd_kafka_metadata(admin->client.handle, 0, NULL, &metadata, timeout_ms) !=
                              RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    admin->has_controller = false;
    for (int i = 0; i < metadata->broker_cnt; i++)
        admin->has_controller = admin->has_controller || metadata->brokers[i].id == controller;
    rd_kafka_metadata_destroy(metadata);
}

/* A consumer's handle: it looks at topics without making them, which a producer's would. It has a
 * group, though it never joins it: without one librdkafka follows a null pointer when a coordinator
 * answers that it is none (any more), as one of a new cluster does. */
bool
kafka_admin_open(const KafkaSettings *settings, int timeout_ms, KafkaAdmin **ret_admin,
                 int *ret_brokers, Error *err)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = calloc(1, sizeof(*admin));
    if (admin == NULL)
        return error_out_of_memory(err);
    admin->client.interrupt = settings->interrupt;
    atomic_init(&admin->client.waiting, true);
    const KafkaProperties none = {NULL, 0};
    const KafkaProperty group = {"group.id", settings->group_id};
    const KafkaProperties fixed = {&group, settings->group_id != NULL ? 1 : 0};
    rd_kafka_conf_t *conf = NULL;
    if (!kafka_client_configure(settings, none, fixed, &conf, err) ||
        !kafka_client_open(&admin->client, RD_KAFKA_CONSUMER, conf, admin, err))
        return false;
    admin->queue = rd_kafka_queue_new(admin->client.handle);
    if (admin->queue == NULL)
        return error_out_of_memory(err);
    read_login(admin);
    if (!kafka_client_brokers(&admin->client, timeout_ms, ret_brokers, err))
        return false;
    find_controller(admin, CONTROLLER_MS);
    *ret_admin = admin;
    admin = NULL;
    return true;
}

static KafkaSight
sight_of(rd_kafka_resp_err_t code)
{
    /* The enum is librdkafka's and grows; what is not named here is another error. */
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return KAFKA_SIGHT_SEEN;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return KAFKA_SIGHT_MISSING;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        return KAFKA_SIGHT_DENIED;
    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE ||
        code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
        return KAFKA_SIGHT_UNSUPPORTED;
    return KAFKA_SIGHT_FAILED;
}

static void
read_metadata(const struct rd_kafka_metadata_topic *metadata, KafkaTopic *topic)
{
    topic->partitions = metadata->partition_cnt;
    for (int i = 0; i < metadata->partition_cnt; i++) {
        const int replicas = metadata->partitions[i].replica_cnt;
        if (i == 0 || replicas < topic->replicas)
            topic->replicas = replicas;
    }
}

static bool
look_at_topic(KafkaAdmin *admin, KafkaTopic *topic, int timeout_ms, Error *err)
{
    CLEANUP(kafka_topic_destroyp)
    rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->client.handle, topic->name, NULL);
    if (handle == NULL)
        return kafka_client_error(err, rd_kafka_last_error(), "topic", topic->name);
    const struct rd_kafka_metadata *metadata = NULL;
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(admin->client.handle, 0, handle, &metadata, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_client_error(err, code, "look at topic", topic->name);
    topic->sight = KAFKA_SIGHT_MISSING;
    if (metadata->topic_cnt > 0) {
        topic->sight = sight_of(metadata->topics[0].err);
        read_metadata(&metadata->topics[0], topic);
    }
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* -1 means without end. */
static int64_t
read_span(const char *value)
{
    const int64_t span = strtoll(value, NULL, 10);
    return span < 0 ? KAFKA_FOR_EVER : span;
}

static void
read_setting(const rd_kafka_ConfigEntry_t *entry, KafkaTopic *topic)
{
    const char *name = rd_kafka_ConfigEntry_name(entry);
    const char *value = rd_kafka_ConfigEntry_value(entry);
    if (value == NULL)
        return;
    if (strcmp(name, "retention.ms") == 0)
        topic->retention_ms = read_span(value);
    else if (strcmp(name, "segment.ms") == 0)
        topic->segment_ms = read_span(value);
    else if (strcmp(name, "max.message.bytes") == 0)
        topic->max_message_bytes = strtoll(value, NULL, 10);
    else if (strcmp(name, "min.insync.replicas") == 0)
        topic->min_insync_replicas = strtoll(value, NULL, 10);
    else if (strcmp(name, "cleanup.policy") == 0) {
        topic->compacts = strstr(value, "compact") != NULL;
        topic->deletes = strstr(value, "delete") != NULL;
    }
}

static void
read_settings(const rd_kafka_ConfigResource_t *resource, KafkaTopic *topics, size_t count)
{
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t **list = rd_kafka_ConfigResource_configs(resource, &entries);
    const char *name = rd_kafka_ConfigResource_name(resource);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(topics[i].name, name) != 0)
            continue;
        topics[i].settings_sight = sight_of(rd_kafka_ConfigResource_error(resource));
        for (size_t k = 0; topics[i].settings_sight == KAFKA_SIGHT_SEEN && k < entries; k++)
            read_setting(list[k], &topics[i]);
    }
}

static rd_kafka_AdminOptions_t *
options_new(const KafkaAdmin *admin, rd_kafka_admin_op_t operation, int timeout_ms)
{
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client.handle, operation);
    if (options != NULL &&
        rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof(reason)) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_AdminOptions_destroy(options);
        return NULL;
    }
    return options;
}

static void
ask_for_settings(KafkaAdmin *admin, const KafkaTopic *topics, size_t count,
                 const rd_kafka_AdminOptions_t *options)
{
    rd_kafka_ConfigResource_t *resources[KAFKA_ADMIN_TOPICS_MAX];
    size_t asked = 0;
    for (size_t i = 0; i < count && asked < KAFKA_ADMIN_TOPICS_MAX; i++) {
        rd_kafka_ConfigResource_t *resource =
            topics[i].sight == KAFKA_SIGHT_SEEN
                ? rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name)
                : NULL;
        if (resource != NULL)
            resources[asked++] = resource;
    }
    if (asked > 0)
        rd_kafka_DescribeConfigs(admin->client.handle, resources, asked, options, admin->queue);
    rd_kafka_ConfigResource_destroy_array(resources, asked);
}

static size_t
count_seen(const KafkaTopic *topics, size_t count)
{
    size_t seen = 0;
    for (size_t i = 0; i < count; i++)
        seen += topics[i].sight == KAFKA_SIGHT_SEEN ? 1 : 0;
    return seen;
}

static void
set_settings_sight(KafkaTopic *topics, size_t count, KafkaSight sight)
{
    for (size_t i = 0; i < count; i++)
        topics[i].settings_sight = sight;
}

/* What is not told of the settings stays unknown; that is no error. */
static bool
look_at_settings(KafkaAdmin *admin, KafkaTopic *topics, size_t count, int timeout_ms, Error *err)
{
    if (count_seen(topics, count) == 0)
        return true;
    if (!admin->has_controller) {
        set_settings_sight(topics, count, KAFKA_SIGHT_UNSUPPORTED);
        return true;
    }
    CLEANUP(kafka_options_destroyp)
    rd_kafka_AdminOptions_t *options =
        options_new(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
    if (options == NULL)
        return error_out_of_memory(err);
    ask_for_settings(admin, topics, count, options);
    CLEANUP(kafka_event_destroyp)
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, timeout_ms + ANSWER_SPARE_MS);
    const rd_kafka_DescribeConfigs_result_t *result =
        event != NULL ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    const KafkaSight sight =
        result != NULL ? sight_of(rd_kafka_event_error(event)) : KAFKA_SIGHT_FAILED;
    set_settings_sight(topics, count, sight == KAFKA_SIGHT_SEEN ? KAFKA_SIGHT_FAILED : sight);
    size_t resources = 0;
    const rd_kafka_ConfigResource_t **list =
        sight == KAFKA_SIGHT_SEEN ? rd_kafka_DescribeConfigs_result_resources(result, &resources)
                                  : NULL;
    for (size_t i = 0; i < resources; i++)
        read_settings(list[i], topics, count);
    return true;
}

/* A topic that was just made takes a moment to be known everywhere; so long it is looked for. */
static bool
find_topic(KafkaAdmin *admin, KafkaTopic *topic, int patience_ms, int timeout_ms, Error *err)
{
    const int64_t deadline_ms = kafka_client_now_ms() + patience_ms;
    for (;;) {
        if (!look_at_topic(admin, topic, timeout_ms, err))
            return false;
        if ((topic->sight != KAFKA_SIGHT_MISSING && topic->sight != KAFKA_SIGHT_FAILED) ||
            kafka_client_now_ms() >= deadline_ms)
            return true;
        usleep(NEW_TOPIC_PAUSE_US);
    }
}

bool
kafka_admin_look(KafkaAdmin *admin, KafkaTopic *topics, size_t count, KafkaPatience patience,
                 Error *err)
{
    for (size_t i = 0; i < count; i++) {
        topics[i] = (KafkaTopic){
            .name = topics[i].name,
            .settings_sight = KAFKA_SIGHT_FAILED,
            .retention_ms = -1,
            .segment_ms = -1,
            .max_message_bytes = -1,
            .min_insync_replicas = -1,
        };
        if (!find_topic(admin, &topics[i], NEW_TOPIC_MS, patience.topics_ms, err))
            return false;
    }
    return patience.settings_ms == 0 ||
           look_at_settings(admin, topics, count, patience.settings_ms, err);
}

bool
kafka_admin_reach(KafkaAdmin *admin, const KafkaTopic *topics, size_t count, int timeout_ms,
                  Error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (topics[i].settings_sight == KAFKA_SIGHT_SEEN)
            return true; /* the controller has told them, at its own address */
    }
    for (size_t i = 0; i < count; i++) {
        if (topics[i].sight == KAFKA_SIGHT_SEEN)
            return kafka_reach_leaders(&admin->client, topics[i].name, timeout_ms, err);
    }
    return true;
}

static int32_t
count_committed(const KafkaLookup *lookup, int32_t partitions)
{
    int32_t committed = 0;
    for (int32_t i = 0; i < partitions; i++)
        committed += kafka_lookup_offset(lookup, i).offset != KAFKA_OFFSET_NONE ? 1 : 0;
    return committed;
}

KafkaSight
kafka_admin_group(KafkaAdmin *admin, const char *group, const KafkaTopic *topic, int timeout_ms,
                  int32_t *ret_committed, Error *err)
{
    /* Of a topic that is not seen, one partition: the right to the group is told all the same. */
    const int32_t count = topic->partitions > 0 ? topic->partitions : 1;
    CLEANUP(autofree) int32_t *partitions = calloc((size_t)count, sizeof(*partitions));
    CLEANUP(kafka_lookup_freep) KafkaLookup *lookup = NULL;
    if (partitions == NULL) {
        (void)error_out_of_memory(err);
        return KAFKA_SIGHT_FAILED;
    }
    for (int32_t i = 0; i < count; i++)
        partitions[i] = i;
    const KafkaQuestion question = {group, topic->name, partitions, (size_t)count};
    if (!kafka_lookup_begin(admin->client.handle, &question, -1, &lookup, err))
        return KAFKA_SIGHT_FAILED;
    switch (kafka_lookup_poll(lookup, timeout_ms, err)) {
    case KAFKA_ANSWER_READY:
        *ret_committed = count_committed(lookup, count);
        return KAFKA_SIGHT_SEEN;
    case KAFKA_ANSWER_FAILED:
        return err->reason == REASON_KAFKA_REFUSED ? KAFKA_SIGHT_DENIED : KAFKA_SIGHT_FAILED;
    case KAFKA_ANSWER_PENDING:
        break;
    }
    (void)error_set(err, REASON_KAFKA_FAILED, "no coordinator answers within %d ms", timeout_ms);
    return KAFKA_SIGHT_FAILED;
}

bool
kafka_admin_members(KafkaAdmin *admin, const char *group, const char *topic, int timeout_ms,
                    KafkaGroup *ret_group, Error *err)
{
    /* librdkafka 2.0.2 locks itself up over a broker that does not know the question. The embedded
     * one alone does not. */
    if (!admin->has_controller)
        return error_set(err, REASON_KAFKA_FAILED, "this broker does not describe groups");
    return kafka_group_look(admin->client.handle, group, topic, timeout_ms, ret_group, err);
}

static void
set_number(rd_kafka_NewTopic_t *topic, const char *name, int64_t value)
{
    char text[WORD_BYTES];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    if (value != 0)
        (void)rd_kafka_NewTopic_set_config(topic, name, text);
}

static KafkaMade
made(rd_kafka_event_t *event, const char *name, Error *err)
{
    if (event == NULL) {
        (void)error_set(err, REASON_KAFKA_UNREACHABLE, "make topic %s: no answer", name);
        return KAFKA_MADE_FAILED;
    }
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *reason = rd_kafka_event_error_string(event);
    size_t count = 0;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **list = code == RD_KAFKA_RESP_ERR_NO_ERROR && result != NULL
                                               ? rd_kafka_CreateTopics_result_topics(result, &count)
                                               : NULL;
    if (list != NULL && count > 0) {
        code = rd_kafka_topic_result_error(list[0]);
        reason = rd_kafka_topic_result_error_string(list[0]);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return KAFKA_MADE;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return KAFKA_MADE_BEFORE;
    if (sight_of(code) == KAFKA_SIGHT_DENIED)
        return KAFKA_MADE_DENIED;
    (void)kafka_client_error(err, code, "make topic", name);
    if (reason != NULL)
        (void)error_set(err, err->reason, "make topic %s: %s", name, reason);
    return sight_of(code) == KAFKA_SIGHT_UNSUPPORTED ? KAFKA_MADE_UNSUPPORTED : KAFKA_MADE_FAILED;
}

/* The controller answers before the brokers know the topic, and what comes next is a program that
 * looks for it. */
static void
wait_until_known(KafkaAdmin *admin, const char *name, int timeout_ms)
{
    KafkaTopic topic = {.name = name};
    Error err = {0};
    (void)find_topic(admin, &topic, timeout_ms, timeout_ms, &err);
}

KafkaMade
kafka_admin_make(KafkaAdmin *admin, const KafkaNewTopic *wanted, int timeout_ms, Error *err)
{
    char reason[KAFKA_CLIENT_ERRSTR_BYTES] = "";
    if (!admin->has_controller)
        return KAFKA_MADE_UNSUPPORTED;
    CLEANUP(new_topic_destroyp)
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(wanted->name, wanted->partitions,
                                                       wanted->replicas, reason, sizeof(reason));
    CLEANUP(kafka_options_destroyp)
    rd_kafka_AdminOptions_t *options =
        options_new(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    if (topic == NULL || options == NULL) {
        (void)error_set(err, REASON_KAFKA_CONFIG, "make topic %s: %s", wanted->name, reason);
        return KAFKA_MADE_FAILED;
    }
    set_number(topic, "retention.ms", wanted->retention_ms);
    set_number(topic, "segment.ms", wanted->segment_ms);
    set_number(topic, "max.message.bytes", wanted->max_message_bytes);
    set_number(topic, "min.insync.replicas", wanted->min_insync_replicas);
    rd_kafka_CreateTopics(admin->client.handle, &topic, 1, options, admin->queue);
    CLEANUP(kafka_event_destroyp)
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, timeout_ms + ANSWER_SPARE_MS);
    const KafkaMade answer = made(event, wanted->name, err);
    if (answer == KAFKA_MADE)
        wait_until_known(admin, wanted->name, timeout_ms);
    return answer;
}

const char *
kafka_admin_security(const KafkaAdmin *admin)
{
    return admin->security;
}

const char *
kafka_admin_user(const KafkaAdmin *admin)
{
    return admin->user;
}

void
kafka_admin_close(KafkaAdmin *admin)
{
    if (admin == NULL)
        return;
    if (admin->queue != NULL)
        rd_kafka_queue_destroy(admin->queue);
    if (admin->client.handle != NULL)
        rd_kafka_destroy_flags(admin->client.handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(admin);
}

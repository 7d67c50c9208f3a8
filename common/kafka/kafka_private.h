/*
 * kafka_private: what the files of common/kafka share: configuration, errors, logs, reachability,
 * and librdkafka's side of a lookup, a membership and a producer.
 *
 * For the files of common/kafka only: it names librdkafka's types.
 * Threads:   a KafkaClient belongs to the thread of its wrapper; the log callback runs on
 * librdkafka's.
 */
#ifndef COMMON_KAFKA_KAFKA_PRIVATE_H
#define COMMON_KAFKA_KAFKA_PRIVATE_H

#include "common/error.h"
#include "common/kafka/kafka_group.h"
#include "common/kafka/kafka_lookup.h"
#include "common/kafka/kafka_membership.h"
#include "common/kafka/kafka_producer.h"
#include "common/kafka/kafka_reason.h"
#include "common/kafka/kafka_settings.h"
#include "common/record.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

enum {
    KAFKA_CLIENT_REASON_BYTES = KAFKA_REASON_BROKER_BYTES + KAFKA_REASON_TEXT_BYTES + 2,
    KAFKA_CLIENT_ERRSTR_BYTES = 512,
};

typedef struct KafkaProperty {
    const char *name;
    const char *value;
} KafkaProperty;

typedef struct KafkaProperties {
    const KafkaProperty *list;
    size_t count;
} KafkaProperties;

typedef struct KafkaClient {
    rd_kafka_t *handle;
    KafkaInterrupt interrupt;
    atomic_bool waiting; /* who waits will be told why it was in vain, once */
    bool authentication_failed;
    bool topic_missed;                      /* librdkafka has told that a topic is not there */
    char reason[KAFKA_CLIENT_REASON_BYTES]; /* the latest connection error, for the message */
} KafkaClient;

/* Makes a configuration: first `defaults`, then the operator's properties, then `fixed`, which
 * overrides both. ERROR_REJECT names the property that librdkafka does not take. The caller
 * destroys it. */
bool kafka_client_configure(const KafkaSettings *settings, KafkaProperties defaults,
                            KafkaProperties fixed, rd_kafka_conf_t **ret_conf,
                            Error *err) MUST_CHECK;

/* Creates the handle; takes ownership of `conf` either way. `opaque` is what callbacks get; its
 * first member must be the KafkaClient. */
bool kafka_client_open(KafkaClient *client, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                       void *opaque, Error *err) MUST_CHECK;

/* Waits until the cluster answers and knows all of the topics; serves the client's events
 * meanwhile. ERROR_HOLD "kafka_unreachable" when it does not answer in time; ERROR_REJECT
 * "topic_missing"; ERROR_HOLD "interrupted" when the settings' interrupt was asked for. */
bool kafka_client_wait(KafkaClient *client, const char *const *topics, size_t topic_count,
                       int timeout_ms, Error *err) MUST_CHECK;

/* Waits until the cluster answers; how many brokers it has. Errors as kafka_client_wait. */
bool kafka_client_brokers(KafkaClient *client, int timeout_ms, int *ret_count,
                          Error *err) MUST_CHECK;

/* The number of partitions of a topic that exists; errors as kafka_client_wait. */
bool kafka_client_partitions(KafkaClient *client, const char *topic, int timeout_ms,
                             int32_t *ret_count, Error *err) MUST_CHECK;

/* One question about one topic, which makes the client go by the answer. ERROR_HOLD
 * "topic_missing", "kafka_refused", or "kafka_unreachable" when there is no answer in time. */
bool kafka_client_check_topic(KafkaClient *client, const char *topic, int timeout_ms,
                              Error *err) MUST_CHECK;

/* Frees the handle, on a thread of its own: librdkafka 2.0.2 waits for ever for partitions that it
 * has lost count of, as it does when a topic is deleted under a consumer. False when it still does
 * after that time: its threads go on using what the client's callbacks use. */
bool kafka_client_destroy(KafkaClient *client, int timeout_ms) MUST_CHECK;

/* Whether a fatal error has ended the client: all that is left is to destroy it. */
bool kafka_client_is_broken(const KafkaClient *client) MUST_CHECK;

/* Whether the program was asked to end meanwhile. */
bool kafka_client_is_interrupted(const KafkaClient *client) MUST_CHECK;

/* Fills `err` with the kind that librdkafka's code means for us; returns false. */
bool kafka_client_error(Error *err, rd_kafka_resp_err_t code, const char *what,
                        const char *subject);

/* Copies a message with its headers; the caller frees it. NULL when out of memory. */
Record *kafka_client_record(const rd_kafka_message_t *message) MUST_CHECK;

/* Offsets with their metadata in librdkafka's form; the caller destroys it. NULL when out of
 * memory.
 */
rd_kafka_topic_partition_list_t *kafka_client_offset_list(const KafkaOffsets *offsets) MUST_CHECK;

/* Asks the question; it stays until it is answered, over outages too. `handle` must be one that has
 * a group: librdkafka crashes otherwise when the coordinator moves. `wake_fd` is written to when
 * there is an answer; -1 for none. */
bool kafka_lookup_begin(rd_kafka_t *handle, const KafkaQuestion *question, int wake_fd,
                        KafkaLookup **ret_lookup, Error *err) MUST_CHECK;

/* Whether one of the leaders of the topic's partitions can be reached; ERROR_HOLD
 * "kafka_unreachable" names where they are said to be. True where there is none to ask. */
bool kafka_reach_leaders(KafkaClient *client, const char *topic, int timeout_ms,
                         Error *err) MUST_CHECK;

/* Who is in the group, and has partitions of other topics than `topic`. To be asked when the
 * group's coordinator has answered already. On success the caller ends *ret_group. */
bool kafka_group_look(rd_kafka_t *handle, const char *name, const char *topic, int timeout_ms,
                      KafkaGroup *ret_group, Error *err) MUST_CHECK;

/* Within the rebalance callback of an assignment alone. NULL when the consumer is no member of its
 * group (any more), or when out of memory. */
KafkaMembership *kafka_membership_take(rd_kafka_t *consumer) MUST_CHECK;

const rd_kafka_consumer_group_metadata_t *
kafka_membership_metadata(const KafkaMembership *membership);

/* Borrowed. */
rd_kafka_t *kafka_producer_handle(const KafkaProducer *producer);

/* What may ask for the offsets of a group, always the same one; opened by the first call, borrowed
 * until the producer is closed. */
bool kafka_producer_asker(KafkaProducer *producer, const char *group, rd_kafka_t **ret_asker,
                          Error *err) MUST_CHECK;

/* Whether no member of the group has a partition, and none is about to be given one. What cannot be
 * read counts as a partition. */
bool kafka_members_are_idle(const struct rd_kafka_group_info *group) MUST_CHECK;

/* Milliseconds of the monotonic clock, for deadlines within this folder. */
int64_t kafka_client_now_ms(void);

static inline void
kafka_conf_destroyp(rd_kafka_conf_t **conf)
{
    if (*conf != NULL)
        rd_kafka_conf_destroy(*conf);
}

static inline void
kafka_list_destroyp(rd_kafka_topic_partition_list_t **list)
{
    if (*list != NULL)
        rd_kafka_topic_partition_list_destroy(*list);
}

static inline void
kafka_topic_destroyp(rd_kafka_topic_t **topic)
{
    if (*topic != NULL)
        rd_kafka_topic_destroy(*topic);
}

static inline void
kafka_event_destroyp(rd_kafka_event_t **event)
{
    if (*event != NULL)
        rd_kafka_event_destroy(*event);
}

static inline void
kafka_options_destroyp(rd_kafka_AdminOptions_t **options)
{
    if (*options != NULL)
        rd_kafka_AdminOptions_destroy(*options);
}

#endif

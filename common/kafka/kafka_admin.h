/*
 * kafka_admin: looks at a cluster, and makes topics that are missing. It makes none by looking, and
 * changes nothing that is there.
 *
 * Owns:      a client of its own.
 * Threads:   one thread.
 * Invariant: what the cluster does not let this login see, or cannot tell, is said so, and is no
 * failure of the look.
 */
#ifndef COMMON_KAFKA_KAFKA_ADMIN_H
#define COMMON_KAFKA_KAFKA_ADMIN_H

#include "common/error.h"
#include "common/kafka/kafka_group.h"
#include "common/kafka/kafka_settings.h"

#include <stdint.h>

typedef struct KafkaAdmin KafkaAdmin;

/* Reaches the cluster within `timeout_ms`; how many brokers it has. ERROR_REJECT names a property
 * that is not accepted; ERROR_HOLD "kafka_unreachable", "kafka_refused" or "interrupted". */
bool kafka_admin_open(const KafkaSettings *settings, int timeout_ms, KafkaAdmin **ret_admin,
                      int *ret_brokers, Error *err) MUST_CHECK;

typedef enum KafkaSight {
    KAFKA_SIGHT_SEEN,
    KAFKA_SIGHT_MISSING,     /* it is not there */
    KAFKA_SIGHT_DENIED,      /* this login may not see it */
    KAFKA_SIGHT_UNSUPPORTED, /* the broker does not know the question */
    KAFKA_SIGHT_FAILED,      /* no answer, or another error */
} KafkaSight;

#define KAFKA_FOR_EVER INT64_MAX

enum { KAFKA_ADMIN_TOPICS_MAX = 8 }; /* of one look */

/* A topic, and those of its settings that matter; -1 where a setting is not told. */
typedef struct KafkaTopic {
    const char *name; /* borrowed */
    KafkaSight sight;
    int32_t partitions;
    int32_t replicas; /* of the partition with the fewest */
    KafkaSight settings_sight;
    int64_t retention_ms; /* KAFKA_FOR_EVER */
    int64_t segment_ms;
    int64_t max_message_bytes;
    int64_t min_insync_replicas;
    bool compacts; /* cleanup.policy */
    bool deletes;
} KafkaTopic;

/* How long a look may take: at the topics, which must succeed, and at their settings (0: not at
 * all). */
typedef struct KafkaPatience {
    int topics_ms;
    int settings_ms;
} KafkaPatience;

/* Looks at `count` topics, whose names stand in `topics`, and fills the rest. */
bool kafka_admin_look(KafkaAdmin *admin, KafkaTopic *topics, size_t count, KafkaPatience patience,
                      Error *err) MUST_CHECK;

/* Whether one of the brokers that lead the topics' partitions can be reached where the cluster says
 * that it is, which may be another address than that of kafka.bootstrap.servers. True where there
 * is none to ask. On false, ERROR_HOLD "kafka_unreachable" names the addresses. */
bool kafka_admin_reach(KafkaAdmin *admin, const KafkaTopic *topics, size_t count, int timeout_ms,
                       Error *err) MUST_CHECK;

/* Whether the offsets of the group can be read; for how many of the topic's partitions some are
 * committed. FAILED when there is no answer in time, with the reason in `err`. */
KafkaSight kafka_admin_group(KafkaAdmin *admin, const char *group, const KafkaTopic *topic,
                             int timeout_ms, int32_t *ret_committed, Error *err) MUST_CHECK;

/* Who is in the group: kafka_group_look. False where that is not told: no right, no answer in time,
 * no group of consumers, a broker that does not know the question. */
bool kafka_admin_members(KafkaAdmin *admin, const char *group, const char *topic, int timeout_ms,
                         KafkaGroup *ret_group, Error *err) MUST_CHECK;

/* A topic to make; a setting of 0 is left to the broker. */
typedef struct KafkaNewTopic {
    const char *name;
    int partitions;
    int replicas;
    int64_t retention_ms;
    int64_t segment_ms;
    int64_t max_message_bytes;
    int64_t min_insync_replicas;
} KafkaNewTopic;

typedef enum KafkaMade {
    KAFKA_MADE,
    KAFKA_MADE_BEFORE, /* it was there */
    KAFKA_MADE_DENIED, /* this login may not make it */
    KAFKA_MADE_UNSUPPORTED,
    KAFKA_MADE_FAILED,
} KafkaMade;

/* Makes a topic, and waits some seconds for the brokers to know it. `err` tells of FAILED. */
KafkaMade kafka_admin_make(KafkaAdmin *admin, const KafkaNewTopic *topic, int timeout_ms,
                           Error *err) MUST_CHECK;

/* The security protocol ("SASL_SSL") and the user name, "" without one; both within `admin`. */
const char *kafka_admin_security(const KafkaAdmin *admin);
const char *kafka_admin_user(const KafkaAdmin *admin);

/* NULL is harmless. */
void kafka_admin_close(KafkaAdmin *admin);
DEFINE_FREEP(KafkaAdmin, kafka_admin_close)

#endif

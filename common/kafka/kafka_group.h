/*
 * kafka_group: who shares a consumer group.
 *
 * Owns:      copies of all texts.
 * Threads:   one at a time.
 */
#ifndef COMMON_KAFKA_KAFKA_GROUP_H
#define COMMON_KAFKA_KAFKA_GROUP_H

#include <stddef.h>

typedef struct KafkaMember {
    char *client_id;
    char *host;        /* as the broker sees it: "/10.1.2.3" */
    char *other_topic; /* of which it was assigned a partition, beside the one asked for; or NULL */
} KafkaMember;

/* Begins as {0}. */
typedef struct KafkaGroup {
    KafkaMember *members; /* in order of client id */
    size_t count;
    char *assignor; /* "" while the group rebalances, or is empty */
} KafkaGroup;

/* Frees all and leaves {0}. */
void kafka_group_done(KafkaGroup *group);

#endif

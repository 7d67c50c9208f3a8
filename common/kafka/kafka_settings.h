/*
 * kafka_settings: what a client needs to know about the cluster.
 *
 * Owns:      nothing; every string is borrowed for the client's lifetime.
 * Threads:   any.
 */
#ifndef COMMON_KAFKA_KAFKA_SETTINGS_H
#define COMMON_KAFKA_KAFKA_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Asked now and then while a client waits for the cluster at its start; true ends the waiting with
 * the error "interrupted". `asked` may be NULL. */
typedef struct KafkaInterrupt {
    bool (*asked)(void *state);
    void *state;
} KafkaInterrupt;

typedef struct KafkaSettings {
    const char *bootstrap_servers;
    const char *group_id;  /* of a consumer; others may leave it NULL */
    const char *client_id; /* NULL: librdkafka's own */
    /* Of a consumer that keeps its place in the group over a restart (group.instance.id), or NULL.
     */
    const char *instance_id;
    /* Further librdkafka properties. They override the defaults, never what a guarantee rests on.
     */
    const char *const *names;
    const char *const *values;
    size_t property_count;
    KafkaInterrupt interrupt;
} KafkaSettings;

#endif

#include "worker/cli/migrate_topics.h"

#include "common/kafka/kafka_admin.h"
#include "worker/cli/client_settings.h"

#include <stdio.h>

enum {
    REPLICAS_MAX = 3,
    MAKE_MS = 30000,
};

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static int64_t
least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* The ledger must remember every command that the topic still has. */
static void
fit_to_ledger(KafkaNewTopic *commands, int ledger_hours)
{
    const int64_t ledger_ms = ledger_hours * HOUR_MS;
    commands->segment_ms = least(DAY_MS, ledger_ms / 4);
    commands->retention_ms =
        least(3 * DAY_MS, ledger_ms - commands->segment_ms - least(HOUR_MS, ledger_ms / 4));
}

static bool
make(KafkaAdmin *admin, const KafkaNewTopic *topic, Error *err)
{
    Error reason = {0};
    switch (kafka_admin_make(admin, topic, MAKE_MS, &reason)) {
    case KAFKA_MADE:
        (void)printf("topic %s: made, %d partition%s, %d replica%s, keeps records %lld h\n",
                     topic->name, topic->partitions, topic->partitions == 1 ? "" : "s",
                     topic->replicas, topic->replicas == 1 ? "" : "s",
                     (long long)(topic->retention_ms / HOUR_MS));
        return true;
    case KAFKA_MADE_BEFORE:
        (void)printf("topic %s is there already\n", topic->name);
        return true;
    case KAFKA_MADE_UNSUPPORTED:
        (void)printf("topic %s: making topics is not supported by this broker\n", topic->name);
        return true;
    case KAFKA_MADE_DENIED:
        return error_set(err, REASON_TOPIC_MISSING,
                         "topic %s is missing, and this login may not make it, which takes CREATE",
                         topic->name);
    case KAFKA_MADE_FAILED:
        break;
    }
    *err = reason;
    return false;
}

bool
migrate_topics(const Settings *settings, int partitions, Error *err)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = NULL;
    KafkaSettings kafka;
    int brokers = 0;
    client_settings_kafka(settings, &kafka);
    if (!kafka_admin_open(&kafka, CLIENT_TIMEOUT_MS, &admin, &brokers, err))
        return false;
    const int replicas = (int)least(REPLICAS_MAX, brokers > 0 ? brokers : 1);
    KafkaNewTopic topics[] = {
        {.name = settings->topics.commands},
        {.name = settings->topics.results, .retention_ms = 7 * DAY_MS},
        {.name = settings->topics.dead_letters, .retention_ms = 30 * DAY_MS},
    };
    fit_to_ledger(&topics[0], settings->worker.ledger_retention_hours);
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        topics[i].partitions = partitions;
        topics[i].replicas = replicas;
        /* A record counts as written when two brokers have it, where there are three. */
        topics[i].min_insync_replicas = replicas == REPLICAS_MAX ? 2 : 1;
        topics[i].max_message_bytes = 1024 * 1024;
        if (!make(admin, &topics[i], err))
            return false;
    }
    return true;
}

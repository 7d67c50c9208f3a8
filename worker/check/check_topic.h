/*
 * check_topic: what is amiss with a topic that was looked at. Pure.
 *
 * Owns:      nothing.
 * Threads:   any.
 * Invariant: a topic yields one OK, or everything that is amiss with it.
 */
#ifndef WORKER_CHECK_CHECK_TOPIC_H
#define WORKER_CHECK_CHECK_TOPIC_H

#include "common/findings.h"
#include "common/kafka/kafka_admin.h"

typedef enum CheckTopicRole {
    CHECK_TOPIC_COMMANDS,
    CHECK_TOPIC_RESULTS,
    CHECK_TOPIC_DEAD_LETTERS,
} CheckTopicRole;

/* What the topic is judged by. */
typedef struct CheckTopicView {
    const char *bootstrap_servers; /* for the statements */
    const char *user;              /* "" without one */
    int brokers;
    int ledger_hours;
    bool is_start;
} CheckTopicView;

bool check_topic(const CheckTopicView *view, CheckTopicRole role, const KafkaTopic *topic,
                 Findings *findings, Error *err) MUST_CHECK;

#endif

/*
 * check_group: what is amiss with the consumer group that was looked at. Pure.
 *
 * Owns:    nothing.
 * Threads: any.
 */
#ifndef WORKER_CHECK_CHECK_GROUP_H
#define WORKER_CHECK_CHECK_GROUP_H

#include "common/findings.h"
#include "common/kafka/kafka_admin.h"

/* What was seen; all is borrowed. */
typedef struct CheckGroupView {
    const char *bootstrap_servers; /* for the statements */
    const char *user;              /* "" without one */
    const char *id;
    KafkaSight sight;
    const char *reason; /* why it could not be looked at */
    int32_t committed;  /* of so many partitions offsets are committed */
    int32_t partitions;
    const KafkaGroup *group; /* NULL where nothing is told of its members */
} CheckGroupView;

bool check_group(const CheckGroupView *view, Findings *findings, Error *err) MUST_CHECK;

#endif

/*
 * dev_broker: an in-memory broker for trying things out and for tests; nothing it holds survives.
 *
 * Owns:      the broker and its topics. It serves other processes through loopback as well.
 * Threads:   start and stop from one thread; the broker runs on threads of its own.
 * Invariant: never for production: it isolates nothing, keeps 5 MiB a partition and drops the
 * oldest silently.
 */
#ifndef COMMON_KAFKA_DEV_BROKER_H
#define COMMON_KAFKA_DEV_BROKER_H

#include "common/error.h"

typedef struct DevBroker DevBroker;

/* Starts it with these topics. */
bool dev_broker_start(int partitions, const char *const *topics, size_t topic_count,
                      DevBroker **ret_broker, Error *err) MUST_CHECK;

/* What clients put into bootstrap.servers; borrowed. */
const char *dev_broker_bootstraps(const DevBroker *broker);

/* Cuts every connection and refuses new ones, or serves again: for tests of outages. */
void dev_broker_set_reachable(DevBroker *broker, bool reachable);

/* Answers the next requests of group members as if others had joined with their group.instance.id:
 * so many of those that join, and of those that have joined. For tests. */
void dev_broker_fence(DevBroker *broker, int joins, int heartbeats);

/* Answers the next so many requests to join a group as if its members had another assignor. For
 * tests. */
void dev_broker_refuse_joins(DevBroker *broker, int joins);

/* Answers the next so many look-ups of committed offsets as a broker that is not the group's
 * coordinator any more. For tests. */
void dev_broker_move_coordinator(DevBroker *broker, int lookups);

/* NULL is harmless. */
void dev_broker_stop(DevBroker *broker);
DEFINE_FREEP(DevBroker, dev_broker_stop)

#endif

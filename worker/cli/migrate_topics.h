/*
 * migrate_topics: `migrate --topics`: makes the topics that are missing.
 *
 * Owns:      nothing.
 * Threads:   the main thread.
 * Invariant: a topic that is there is left as it is.
 */
#ifndef WORKER_CLI_MIGRATE_TOPICS_H
#define WORKER_CLI_MIGRATE_TOPICS_H

#include "worker/options.h"

enum {
    MIGRATE_PARTITIONS = 6, /* of the topic of commands, unless told otherwise */
    MIGRATE_PARTITIONS_MAX = 10000,
};

/* Prints what became of each topic. A broker that does not know the request is no failure; one that
 * refuses it, or cannot be reached, is. */
bool migrate_topics(const Settings *settings, int partitions, Error *err) MUST_CHECK;

#endif

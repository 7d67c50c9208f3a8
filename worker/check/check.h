/*
 * check: the walks over what the worker needs, in the order in which `check` prints what they find.
 *
 * Owns:      nothing; a CheckContext borrows.
 * Threads:   one at a time.
 * Invariant: a walk changes nothing, and says so with findings: it fails only for want of memory,
 * for a configuration that a client does not take, or when it was interrupted while it waited.
 */
#ifndef WORKER_CHECK_CHECK_H
#define WORKER_CHECK_CHECK_H

#include "common/findings.h"
#include "common/kafka/kafka_settings.h"
#include "worker/options.h"
#include "worker/repository/database.h"

typedef struct CheckContext {
    const Settings *settings;
    const DatabaseSettings *database;
    const KafkaSettings *kafka;
    bool is_start;    /* of `run`: what endangers no command is a warning, and nothing is waited for
                         that the start does not need */
    bool unreachable; /* a walk found that its server cannot be reached, or refuses the login */
} CheckContext;

/* Adds what it finds, also what is fine. */
typedef bool (*CheckWalk)(CheckContext *context, Findings *findings, Error *err);

/* All walks. */
bool check_walk_all(CheckContext *context, Findings *findings, Error *err) MUST_CHECK;

/* The configuration: where it comes from; that it is one is known since it was loaded. */
bool check_walk_configuration(CheckContext *context, Findings *findings, Error *err) MUST_CHECK;

/* Kafka: brokers, topics and their settings, the group. */
bool check_walk_kafka(CheckContext *context, Findings *findings, Error *err) MUST_CHECK;

/* PostgreSQL: the server, the worker's own schema, the application's tables. */
bool check_walk_database(CheckContext *context, Findings *findings, Error *err) MUST_CHECK;

#endif

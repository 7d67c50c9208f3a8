/*
 * kafka_properties: which of librdkafka's properties an operator may set, and how far.
 *
 * Owns:      the one table of properties, each with a reason where it is refused or bounded.
 * Threads:   any.
 * Invariant: a property that changes what the worker is told, or how it is called, is not free.
 */
#ifndef COMMON_KAFKA_KAFKA_PROPERTIES_H
#define COMMON_KAFKA_KAFKA_PROPERTIES_H

#include "common/error.h"

typedef enum KafkaPropertyRule {
    KAFKA_PROPERTY_UNKNOWN, /* of a newer librdkafka: passed on as it is */
    KAFKA_PROPERTY_FREE,    /* any value that librdkafka takes */
    KAFKA_PROPERTY_BOUNDED, /* a number within bounds */
    KAFKA_PROPERTY_REFUSED,
    KAFKA_PROPERTY_OPTION, /* an option of the program's own */
} KafkaPropertyRule;

KafkaPropertyRule kafka_property_rule(const char *name);

/* Fails with ERROR_REJECT and what is said after the name: "cannot be set: …", "is 7, but takes …",
 * "is no property of librdkafka 2.0.2". Never quotes what may be a secret. */
bool kafka_property_check(const char *name, const char *value, Error *err) MUST_CHECK;

/* Whether the value of such a property may be a secret. */
bool kafka_property_is_secret(const char *name);

#endif

/*
 * kafka_brokers: is a list of brokers one? Pure.
 *
 * Threads: any.
 */
#ifndef COMMON_KAFKA_KAFKA_BROKERS_H
#define COMMON_KAFKA_KAFKA_BROKERS_H

#include "common/error.h"

/* host, host:port or [IPv6]:port, with commas, each perhaps after a security protocol of Kafka's
 * and "://". Fails with ERROR_REJECT and what is said after the option's name: "holds "x:0", …". */
bool kafka_brokers_check(const char *brokers, Error *err) MUST_CHECK;

#endif

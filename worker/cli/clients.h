/*
 * clients: the settings in the form that Kafka and PostgreSQL clients take them, and the signals
 * that end a program.
 *
 * Owns:    nothing; what is filled borrows from the Settings.
 * Threads: the main thread.
 */
#ifndef WORKER_CLI_CLIENTS_H
#define WORKER_CLI_CLIENTS_H

#include "common/kafka/kafka_settings.h"
#include "worker/options.h"
#include "worker/repository/database.h"

enum {
    CLIENTS_TIMEOUT_MS =
        10000, /* longest wait for Kafka or PostgreSQL before the program says it cannot reach it */
};

void clients_kafka_settings(const Settings *settings, KafkaSettings *ret_kafka);
void clients_database_settings(const Settings *settings, DatabaseSettings *ret_database);

/* Blocks SIGTERM and SIGINT for this thread and those it starts, and returns a descriptor that
 * becomes readable when one arrives; -1 when that failed. The caller closes it. */
int clients_open_signals(Error *err) MUST_CHECK;

/* True once a signal has arrived; never waits. */
bool clients_signalled(int signal_fd);

#endif

/*
 * client_settings: the settings in the form that Kafka and PostgreSQL clients take them.
 *
 * Owns:    nothing; what is filled borrows from the Settings.
 * Threads: the main thread.
 */
#ifndef WORKER_CLI_CLIENT_SETTINGS_H
#define WORKER_CLI_CLIENT_SETTINGS_H

#include "common/kafka/kafka_settings.h"
#include "worker/options.h"
#include "worker/repository/database.h"

enum {
    CLIENT_TIMEOUT_MS =
        10000, /* longest wait for Kafka or PostgreSQL before the program says it cannot reach it */
};

void client_settings_kafka(const Settings *settings, KafkaSettings *ret_kafka);
void client_settings_database(const Settings *settings, DatabaseSettings *ret_database);

#endif

#include "worker/cli/client_settings.h"

#include <stdio.h>

void
client_settings_kafka(const Settings *settings, KafkaSettings *ret_kafka)
{
    *ret_kafka = (KafkaSettings){
        .bootstrap_servers = settings->kafka.bootstrap_servers,
        .group_id = settings->kafka.group_id,
        .client_id = settings->worker.id,
        .names = (const char *const *)settings->kafka.properties.names,
        .values = (const char *const *)settings->kafka.properties.values,
        .property_count = settings->kafka.properties.count,
    };
}

void
client_settings_database(const Settings *settings, DatabaseSettings *ret_database)
{
    *ret_database = (DatabaseSettings){
        .dsn = settings->postgres.dsn,
        .tables =
            {
                .users = settings->tables.users,
                .sessions = settings->tables.sessions,
                .messages = settings->tables.messages,
                .image_sent = settings->tables.image_sent,
                .video_sent = settings->tables.video_sent,
                .bookings = settings->tables.bookings,
                .session_references = settings->tables.session_references,
                .time_zone = settings->tables.time_zone,
                .time_zone_is_given = settings->tables.time_zone_is_given,
                .message_sender_user = settings->tables.message_sender_user,
                .message_sender_others = settings->tables.message_sender_others,
                .booking_status_pending = settings->tables.booking_status_pending,
                .booking_status_expired = settings->tables.booking_status_expired,
                .allow_missing_indexes = settings->tables.allow_missing_indexes,
            },
        .prepared_statements = settings->postgres.prepared_statements,
        .connect_timeout_ms = settings->postgres.connect_timeout_ms < CLIENT_TIMEOUT_MS
                                  ? settings->postgres.connect_timeout_ms
                                  : CLIENT_TIMEOUT_MS,
        .statement_timeout_ms = settings->postgres.statement_timeout_ms,
        .locked_timeout_ms = settings->worker.locked_timeout_ms,
        .clock_skew_ms = settings->worker.clock_skew_ms,
        .connections = settings->worker.executors + 1, /* upkeep has one of its own */
    };
    /* A name that is too long is cut off here, as PostgreSQL would. */
    (void)snprintf(ret_database->application_name, sizeof(ret_database->application_name),
                   "cleanup-worker/%s", settings->worker.id);
}

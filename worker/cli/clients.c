#include "worker/cli/clients.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

void
clients_kafka_settings(const Settings *settings, KafkaSettings *ret_kafka)
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
clients_database_settings(const Settings *settings, DatabaseSettings *ret_database)
{
    *ret_database = (DatabaseSettings){
        .dsn = settings->postgres.dsn,
        .tables =
            {
                .users = settings->tables.users,
                .properties = settings->tables.properties,
                .sessions = settings->tables.sessions,
                .messages = settings->tables.messages,
                .image_sent = settings->tables.image_sent,
                .video_sent = settings->tables.video_sent,
                .bookings = settings->tables.bookings,
                .session_references = settings->tables.session_references,
            },
        .prepared_statements = settings->postgres.prepared_statements,
        .connect_timeout_ms = settings->postgres.connect_timeout_ms < CLIENTS_TIMEOUT_MS
                                  ? settings->postgres.connect_timeout_ms
                                  : CLIENTS_TIMEOUT_MS,
        .statement_timeout_ms = settings->postgres.statement_timeout_ms,
        .clock_skew_ms = settings->worker.clock_skew_ms,
    };
    /* A name that is too long is cut off here, as PostgreSQL would. */
    (void)snprintf(ret_database->application_name, sizeof(ret_database->application_name),
                   "cleanup-worker/%s", settings->worker.id);
}

int
clients_open_signals(Error *err)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    const int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        (void)error_set(err, ERROR_FATAL, "signals", "watch for signals: %s", strerror(errno));
    return fd;
}

bool
clients_signalled(int signal_fd)
{
    struct pollfd readable = {.fd = signal_fd, .events = POLLIN, .revents = 0};
    return poll(&readable, 1, 0) > 0;
}

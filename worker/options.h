/*
 * options: the one table of options and the settings it fills.
 *
 * Owns:      a Settings owns its strings.
 * Threads:   settings_load once before the others start; a loaded Settings is only read.
 * Invariant: parser, --help, deploy/cleanup-worker.ini and the table in deploy/CONFIGURATION.md all
 * come from the table in options.c.
 */
#ifndef WORKER_OPTIONS_H
#define WORKER_OPTIONS_H

#include "common/config.h"

typedef enum DeliveryMode { DELIVERY_EXACTLY_ONCE, DELIVERY_AT_LEAST_ONCE } DeliveryMode;

typedef struct Settings {
    struct {
        char *bootstrap_servers;
        char *group_id;
        ConfigPairs properties; /* every other librdkafka property */
    } kafka;
    struct {
        char *commands;
        char *results;
        char *dead_letters;
    } topics;
    struct {
        char *dsn;
        bool prepared_statements;
        int statement_timeout_ms;
        int connect_timeout_ms;
    } postgres;
    struct {
        char *id;
        bool id_is_given; /* by the operator, not made up */
        char *transactional_id_prefix;
        int delivery; /* DeliveryMode */
        int executors;
        int max_attempts;
        int shutdown_grace_ms;
        int lock_wait_ms;
        int locked_timeout_ms;
        int preview_timeout_ms;
        int ledger_retention_hours;
        int batch_sessions;
        int progress_interval_ms;
        int set_commands;
        int queue_commands;
        int queue_kib;
        int retry_backoff_ms;
        int retry_backoff_max_ms;
        int hold_backoff_max_ms;
        int clock_skew_ms;
    } worker;
    struct {
        char *users;
        char *sessions;
        char *messages;
        char *image_sent;
        char *video_sent;
        char *bookings;
        char *session_references;
        char *time_zone;
        bool time_zone_is_given; /* by the operator */
        char *message_sender_user;
        char *message_sender_others;
        char *booking_status_pending;
        char *booking_status_expired;
        bool allow_missing_indexes;
    } tables;
    struct {
        double min_inactive_hours;
        double min_expiration_minutes;
        int max_row_errors;
    } limits;
    struct {
        int level;  /* LogLevel */
        int format; /* LogFormat */
    } log;
    struct {
        bool tables_properties;
    } retired;               /* which of the retired options were given */
    const char *config_path; /* of the sources, or NULL */
    ConfigSeen seen;         /* of their environment */
} Settings;

/* Where values come from, the later over the earlier. */
typedef struct SettingsSources {
    const char *config_path;        /* INI file, or NULL */
    char *const *environment;       /* as environ, or NULL */
    const char *const *assignments; /* "section.key=value", in order */
    size_t assignment_count;
} SettingsSources;

/* worker.id is made up (host name and a random suffix) where it is not set. The caller frees with
 * settings_free. Fails with ERROR_REJECT and one sentence for the user. */
bool settings_load(const SettingsSources *sources, Settings **ret_settings, Error *err) MUST_CHECK;

/* Fails with ERROR_REJECT when nothing says which database is meant: neither postgres.dsn nor one
 * of libpq's variables. */
bool settings_need_database(const Settings *settings, Error *err) MUST_CHECK;

void settings_free(Settings *settings);
DEFINE_FREEP(Settings, settings_free)

/* Calls `tell` for every option that was given and has no effect any more. */
void settings_each_retired(Settings *settings, ConfigTell tell, void *state);

/* The options part of --help; the sample INI file; the Markdown table. */
void settings_print_help(FILE *out);
void settings_print_sample(FILE *out);
void settings_print_table(FILE *out);

#endif

#include "worker/options.h"

#include "common/kafka/kafka_brokers.h"
#include "common/kafka/kafka_properties.h"
#include "common/pg/pg_dsn.h"
#include "common/text.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define ID_CHARACTERS                                                                              \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"                                         \
    "0123456789._-"
#define FIELD(name) offsetof(Settings, name)
#define TEXT(section, key, field, initial, help)                                                   \
    {                                                                                              \
        section, key, CONFIG_STRING, FIELD(field), 1, 1000, initial, NULL, false, help             \
    }
#define NAME(section, key, field, min, max, initial, help)                                         \
    {                                                                                              \
        section, key, CONFIG_STRING, FIELD(field), min, max, initial, "A-Za-z0-9._-", false, help  \
    }
#define MAYBE_TEXT(section, key, field, secret, help)                                              \
    {                                                                                              \
        section, key, CONFIG_STRING, FIELD(field), 0, 4000, "", NULL, secret, help                 \
    }
#define WHOLE(section, key, field, min, max, initial, help)                                        \
    {                                                                                              \
        section, key, CONFIG_INTEGER, FIELD(field), min, max, initial, NULL, false, help           \
    }
#define REAL(section, key, field, min, max, initial, help)                                         \
    {                                                                                              \
        section, key, CONFIG_REAL, FIELD(field), min, max, initial, NULL, false, help              \
    }
#define SPAN(section, key, field, min_ms, max_ms, initial, help)                                   \
    {                                                                                              \
        section, key, CONFIG_DURATION, FIELD(field), min_ms, max_ms, initial, NULL, false, help    \
    }
#define WORD(section, key, field, words, initial, help)                                            \
    {                                                                                              \
        section, key, CONFIG_ENUM, FIELD(field), 0, 0, initial, words, false, help                 \
    }
#define SWITCH(section, key, field, initial, help)                                                 \
    {                                                                                              \
        section, key, CONFIG_BOOLEAN, FIELD(field), 0, 0, initial, NULL, false, help               \
    }

/* An option of the version before: naming it brings a warning, for one version. */
#define RETIRED(section, key, field, why)                                                          \
    {                                                                                              \
        section, key, CONFIG_RETIRED, FIELD(field), 0, 0, NULL, NULL, false, why                   \
    }

static const ConfigOption options[] = {
    TEXT("kafka", "bootstrap.servers", kafka.bootstrap_servers, "localhost:9092",
         "brokers to start from, host:port with commas; every other librdkafka property may stand "
         "in this section too"),
    TEXT("kafka", "group.id", kafka.group_id, "cleanup-workers", "consumer group of the pool"),
    NAME("topics", "commands", topics.commands, 1, 249, "cleanup.commands",
         "where commands come from"),
    NAME("topics", "results", topics.results, 1, 249, "cleanup.results", "where results go"),
    NAME("topics", "dead_letters", topics.dead_letters, 1, 249, "cleanup.dead-letters",
         "where rejected and failed commands go"),
    MAYBE_TEXT("postgres", "dsn", postgres.dsn, true,
               "libpq connection string; what it leaves out comes from PG… variables, service and "
               "password files"),
    SWITCH("postgres", "prepared_statements", postgres.prepared_statements, "true",
           "false behind PgBouncer older than 1.21, which the worker finds out and tells"),
    SPAN("postgres", "statement_timeout", postgres.statement_timeout_ms, 1000, 600000, "30s",
         "longest time of one statement"),
    SPAN("postgres", "connect_timeout", postgres.connect_timeout_ms, 1000, 60000, "10s",
         "longest time to connect"),
    NAME("worker", "id", worker.id, 0, 128, "",
         "name of this worker in results and logs; empty: host name and a random suffix"),
    NAME("worker", "transactional_id_prefix", worker.transactional_id_prefix, 0, 64,
         "cleanup-worker-",
         "with worker.id behind it the worker's transactional.id, so that one prefixed ACL names "
         "those of the pool"),
    WORD("worker", "delivery", worker.delivery, "exactly_once|at_least_once", "exactly_once",
         "results and offsets in Kafka transactions, or without them"),
    WHOLE("worker", "executors", worker.executors, 1, 64, "2",
          "units executed at once, a PostgreSQL connection each"),
    WHOLE("worker", "max_attempts", worker.max_attempts, 1, 100, "5",
          "tries of a command before it fails"),
    SPAN("worker", "shutdown_grace", worker.shutdown_grace_ms, 1000, 3600000, "25s",
         "longest time from SIGTERM to the end"),
    SPAN("worker", "lock_wait", worker.lock_wait_ms, 0, 60000, "5s",
         "how long rows that others lock are tried again at a command's end"),
    SPAN("worker", "locked_timeout", worker.locked_timeout_ms, 100, 60000, "1s",
         "longest time of one statement while rows of the application are locked"),
    SPAN("worker", "preview_timeout", worker.preview_timeout_ms, 100, 3600000, "60s",
         "longest time of a preview or dry run"),
    WHOLE("worker", "ledger_retention_hours", worker.ledger_retention_hours, 2, 8760, "360",
          "how far back the ledger remembers"),
    WHOLE("worker", "batch_sessions", worker.batch_sessions, 10, 100000, "1000",
          "most rows of one batch of a long command"),
    SPAN("worker", "progress_interval", worker.progress_interval_ms, 0, 600000, "5s",
         "how often a long command tells how far it has come; 0ms: never"),
    WHOLE("worker", "set_commands", worker.set_commands, 1, 10000, "2000",
          "most per-user commands of one transaction; fewer when they would keep rows locked for "
          "more than 100 ms"),
    WHOLE("worker", "queue_commands", worker.queue_commands, 10, 100000, "100000",
          "most commands of one partition kept in memory"),
    WHOLE("worker", "queue_kib", worker.queue_kib, 64, 1048576, "12288",
          "KiB of commands kept in memory, an equal share for each partition, and as much for "
          "results on their way"),
    SPAN("worker", "retry_backoff", worker.retry_backoff_ms, 1, 60000, "100ms",
         "pause before the second try of a command"),
    SPAN("worker", "retry_backoff_max", worker.retry_backoff_max_ms, 1, 600000, "10s",
         "longest pause between two tries of a command"),
    SPAN("worker", "hold_backoff_max", worker.hold_backoff_max_ms, 100, 60000, "1s",
         "longest pause between two looks whether PostgreSQL is back"),
    SPAN("worker", "clock_skew", worker.clock_skew_ms, 1000, 86400000, "5m",
         "how far the clocks of worker and database may be apart"),
    TEXT("tables", "users", tables.users, "users", "table, as an SQL identifier"),
    TEXT("tables", "sessions", tables.sessions, "sessions", "table, as an SQL identifier"),
    TEXT("tables", "messages", tables.messages, "messages", "table, as an SQL identifier"),
    TEXT("tables", "image_sent", tables.image_sent, "\"imageSent\"", "table, as an SQL identifier"),
    TEXT("tables", "video_sent", tables.video_sent, "\"videoSent\"", "table, as an SQL identifier"),
    TEXT("tables", "bookings", tables.bookings, "bookings", "table, as an SQL identifier"),
    MAYBE_TEXT("tables", "session_references", tables.session_references, false,
               "further tables that may reference sessions or their records, with commas; sessions "
               "with a row there are kept"),
    MAYBE_TEXT("tables", "time_zone", tables.time_zone, false,
               "zone of the times in columns without one, a name of pg_timezone_names; not set: "
               "UTC, and a column whose default is the clock of the session is refused"),
    TEXT("tables", "message_sender_user", tables.message_sender_user, "user",
         "senders whose messages keep their user's sessions, with commas"),
    TEXT("tables", "message_sender_others", tables.message_sender_others, "bot",
         "senders that are no user, with commas"),
    TEXT("tables", "booking_status_pending", tables.booking_status_pending, "Pending",
         "status of the bookings that expire"),
    TEXT("tables", "booking_status_expired", tables.booking_status_expired, "Expired",
         "status they get"),
    SWITCH("tables", "allow_missing_indexes", tables.allow_missing_indexes, "false",
           "true: a large table without an index the worker needs is a warning only"),
    REAL("limits", "min_inactive_hours", limits.min_inactive_hours, 0, 87600, "1",
         "commands below this inactive_hours are rejected"),
    REAL("limits", "min_expiration_minutes", limits.min_expiration_minutes, 0, 525600, "1",
         "commands below this expiration_minutes are rejected"),
    WHOLE("limits", "max_row_errors", limits.max_row_errors, 0, 10000, "100",
          "a command that meets more rows than this that cannot be changed fails"),
    WORD("log", "level", log.level, "debug|info|warn|error", "info", "least level that is logged"),
    WORD("log", "format", log.format, "logfmt|json", "logfmt", "form of a log line"),
    RETIRED("tables", "properties", retired.tables_properties, "no statement reads that table"),
};

static Config
config_of(Settings *settings)
{
    return (Config){
        .options = options,
        .option_count = ARRAY_LEN(options),
        .values = settings,
        .pass = {"kafka", settings != NULL ? &settings->kafka.properties : NULL,
                 kafka_property_check},
        .environment_prefix = "CLEANUP_",
        .environment_reserved = "CLEANUP_TEST_",
        .seen = settings != NULL ? &settings->seen : NULL,
    };
}

/* "<host name>-<8 random hex digits>", so that two workers of one host differ. */
static bool
make_up_id(Settings *settings, Error *err)
{
    settings->worker.id_is_given = settings->worker.id[0] != '\0';
    if (settings->worker.id_is_given)
        return true;
    char host[64] = "worker";
    uint32_t suffix = 0;
    (void)gethostname(host, sizeof(host) - 1);
    for (char *at = host; *at != '\0'; at++)
        *at = strchr(ID_CHARACTERS, *at) != NULL ? *at : '-';
    if (getrandom(&suffix, sizeof(suffix), 0) != (ssize_t)sizeof(suffix))
        return error_set(err, REASON_RANDOM, "the system gives no random bytes");
    char id[96];
    (void)snprintf(id, sizeof(id), "%s-%08x", host, suffix);
    char *copy = strdup(id);
    if (copy == NULL)
        return error_out_of_memory(err);
    free(settings->worker.id);
    settings->worker.id = copy;
    return true;
}

static bool
choose_time_zone(Settings *settings, Error *err)
{
    settings->tables.time_zone_is_given = settings->tables.time_zone[0] != '\0';
    if (settings->tables.time_zone_is_given)
        return true;
    free(settings->tables.time_zone);
    settings->tables.time_zone = NULL;
    return text_copy("UTC", &settings->tables.time_zone, err);
}

/* What Kafka's and PostgreSQL's clients would find only when they connect. */
static bool
check_addresses(const Settings *settings, Error *err)
{
    Error reason;
    if (!kafka_brokers_check(settings->kafka.bootstrap_servers, &reason))
        return error_set(err, REASON_CONFIG, "kafka.bootstrap.servers %s", reason.text);
    if (settings->postgres.dsn[0] != '\0' && !pg_dsn_check(settings->postgres.dsn, &reason))
        return error_set(err, REASON_CONFIG, "postgres.dsn: %s", reason.text);
    return true;
}

/* What no single option can tell. */
static bool
check_together(const Settings *settings, Error *err)
{
    const char *const commands = settings->topics.commands;
    const char *const results = settings->topics.results;
    const char *const dead_letters = settings->topics.dead_letters;
    if (strcmp(commands, results) == 0 || strcmp(commands, dead_letters) == 0 ||
        strcmp(results, dead_letters) == 0)
        return error_set(err, REASON_CONFIG,
                         "topics.commands, topics.results and topics.dead_letters are \"%s\", "
                         "\"%s\" and \"%s\", but take three different topics",
                         commands, results, dead_letters);
    if (settings->worker.retry_backoff_ms > settings->worker.retry_backoff_max_ms)
        return error_set(err, REASON_CONFIG,
                         "worker.retry_backoff is %d ms, but takes at most "
                         "worker.retry_backoff_max, which is %d ms",
                         settings->worker.retry_backoff_ms, settings->worker.retry_backoff_max_ms);
    return true;
}

static bool
load_sources(const Config *config, const SettingsSources *sources, Error *err)
{
    if (!config_set_defaults(config, err))
        return false;
    if (sources->config_path != NULL && !config_read_file(config, sources->config_path, err))
        return false;
    if (sources->environment != NULL && !config_read_environment(config, sources->environment, err))
        return false;
    for (size_t i = 0; i < sources->assignment_count; i++) {
        if (!config_set_assignment(config, sources->assignments[i], err))
            return false;
    }
    return true;
}

bool
settings_load(const SettingsSources *sources, Settings **ret_settings, Error *err)
{
    CLEANUP(settings_freep) Settings *settings = calloc(1, sizeof(*settings));
    if (settings == NULL)
        return error_out_of_memory(err);
    const Config config = config_of(settings);
    if (!load_sources(&config, sources, err) || !check_together(settings, err) ||
        !check_addresses(settings, err) || !make_up_id(settings, err) ||
        !choose_time_zone(settings, err))
        return false;
    settings->config_path = sources->config_path;
    *ret_settings = settings;
    settings = NULL;
    return true;
}

bool
settings_need_database(const Settings *settings, Error *err)
{
    if (settings->postgres.dsn[0] != '\0' || pg_dsn_in_environment())
        return true;
    return error_set(err, REASON_CONFIG,
                     "postgres.dsn is empty, and none of PGHOST, PGDATABASE, PGUSER and PGSERVICE "
                     "is set; set CLEANUP_POSTGRES_DSN=\"host=… dbname=… user=…\"");
}

void
settings_free(Settings *settings)
{
    if (settings == NULL)
        return;
    const Config config = config_of(settings);
    config_done(&config);
    free(settings);
}

void
settings_each_retired(Settings *settings, ConfigTell tell, void *state)
{
    const Config config = config_of(settings);
    config_each_retired(&config, tell, state);
}

void
settings_print_help(FILE *out)
{
    const Config config = config_of(NULL);
    config_print_help(&config, out);
}

void
settings_print_sample(FILE *out)
{
    const Config config = config_of(NULL);
    config_print_sample(&config, out);
}

void
settings_print_table(FILE *out)
{
    const Config config = config_of(NULL);
    config_print_markdown(&config, out);
}

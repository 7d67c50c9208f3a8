#include "common/kafka/kafka_reader.h"
#include "common/log.h"
#include "worker/cli/cli.h"
#include "worker/cli/client_settings.h"
#include "worker/cli/commands.h"
#include "worker/cli/result_view.h"
#include "worker/cli/signals.h"
#include "worker/message/progress.h"

#include <string.h>
#include <unistd.h>

enum { POLL_MS = 100 };

typedef struct Arguments {
    bool has_since;
    int64_t since_ms;   /* since 1970 */
    long count;         /* 0 = no end */
    int64_t timeout_ms; /* 0 = none */
    bool progress;
} Arguments;

typedef struct Watch {
    const Arguments *arguments;
    KafkaReader *reader;
    int signal_fd;
    bool json;
    bool color;
    long seen;
} Watch;

enum { OPTION_SINCE, OPTION_COUNT, OPTION_TIMEOUT, OPTION_PROGRESS };

static const CliOption options[] = {
    [OPTION_SINCE] = {"since", "10m|TIME",
                      "begin with the results of the last 10 minutes, or since an RFC 3339 time"},
    [OPTION_COUNT] = {"count", "N", "end after N results"},
    [OPTION_TIMEOUT] = {"timeout", "60s",
                        "end after that time; exit 1 when --count was not reached"},
    [OPTION_PROGRESS] = {"progress", NULL, "show how far long commands have come, too"},
};

static bool
take_since(Arguments *arguments, const char *value, Error *err)
{
    const int64_t now_us = clock_now_us(clock_system());
    int64_t span_ms = 0;
    int64_t time_us = 0;
    if (cli_read_duration(value, &span_ms))
        arguments->since_ms = now_us / CLOCK_US_PER_MS - span_ms;
    else if (clock_parse(value, &time_us))
        arguments->since_ms = time_us / CLOCK_US_PER_MS;
    else
        return error_set(err, REASON_USAGE,
                         "--since takes a duration (10m) or an RFC 3339 time, not \"%s\"", value);
    if (arguments->since_ms < 0)
        arguments->since_ms = 0;
    arguments->has_since = true;
    return true;
}

static bool
take(void *state, size_t index, const char *value, Error *err)
{
    Arguments *arguments = state;
    if (index == OPTION_SINCE)
        return take_since(arguments, value, err);
    if (index == OPTION_PROGRESS) {
        arguments->progress = true;
        return true;
    }
    if (index == OPTION_COUNT)
        return cli_read_integer(value, 1, 1000000000, &arguments->count) ||
               error_set(err, REASON_USAGE, "--count takes a number above 0, not \"%s\"", value);
    return (cli_read_duration(value, &arguments->timeout_ms) && arguments->timeout_ms > 0) ||
           error_set(err, REASON_USAGE, "--timeout takes a duration (60s), not \"%s\"", value);
}

/* False when the reader of the output has gone. */
static bool
show(Watch *watch, const Record *record)
{
    ResultView view;
    const Arguments *arguments = watch->arguments;
    /* A broker that cannot look up times is read from its beginning. */
    if (arguments->has_since && record->timestamp_ms < arguments->since_ms)
        return true;
    const bool progress = progress_is_record(record);
    if (progress && !arguments->progress)
        return true;
    if (progress ? !result_view_read_progress(record, &view) : !result_view_read(record, &view)) {
        log_warn("a record is no result", LOG_STR("topic", record->topic),
                 LOG_INT("partition", record->partition), LOG_INT("offset", record->offset));
        return true;
    }
    if (watch->json)
        (void)fprintf(stdout, "%.*s\n", (int)record->value.size, record->value.data);
    else
        result_view_print_row(stdout, &view, watch->color);
    result_view_done(&view);
    watch->seen += progress ? 0 : 1;
    return fflush(stdout) == 0;
}

static bool
is_over(const Watch *watch, int64_t deadline_ms)
{
    const Arguments *arguments = watch->arguments;
    return (arguments->count > 0 && watch->seen >= arguments->count) ||
           (arguments->timeout_ms > 0 && clock_monotonic_ms(clock_system()) >= deadline_ms) ||
           signals_arrived(watch->signal_fd);
}

static bool
follow(Watch *watch, int64_t deadline_ms, Error *err)
{
    while (!is_over(watch, deadline_ms)) {
        CLEANUP(record_freep) Record *record = NULL;
        Error passing;
        switch (kafka_reader_poll(watch->reader, POLL_MS, &record, &passing)) {
        case KAFKA_POLL_RECORD:
            if (!show(watch, record))
                return true;
            break;
        case KAFKA_POLL_ERROR:
            if (passing.kind == ERROR_FATAL) {
                *err = passing;
                return false;
            }
            log_warn("waiting for Kafka", LOG_ERR(&passing));
            break;
        case KAFKA_POLL_NOTHING:
        case KAFKA_POLL_END:
            break;
        }
    }
    return true;
}

static int
watch_results(const CliSpec *spec, const CliLine *line, const Settings *settings)
{
    const Arguments *arguments = spec->state;
    const bool json = cli_wants_json(line);
    KafkaSettings kafka;
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    Error err;
    const int64_t start_ms = clock_monotonic_ms(clock_system());
    int signal_fd = signals_open(&err);
    if (signal_fd < 0)
        return cli_fail(spec->name, &err);
    client_settings_kafka(settings, &kafka);
    kafka.interrupt = (KafkaInterrupt){signals_arrived_at, &signal_fd};
    const int64_t since_ms = arguments->has_since ? arguments->since_ms : KAFKA_SINCE_NOW;
    if (!kafka_reader_open(&kafka, settings->topics.results, since_ms, CLIENT_TIMEOUT_MS, &reader,
                           &err)) {
        (void)close(signal_fd);
        return cli_fail(spec->name, &err);
    }
    Watch watch = {arguments, reader, signal_fd, json, result_view_wants_color(stdout), 0};
    if (!json) {
        result_view_print_header(stdout, watch.color);
        (void)fflush(stdout);
    }
    const bool followed = follow(&watch, start_ms + arguments->timeout_ms, &err);
    const bool interrupted = signals_arrived(signal_fd);
    (void)close(signal_fd);
    if (!followed)
        return cli_fail(spec->name, &err);
    if (arguments->count > 0 && watch.seen < arguments->count && !interrupted) {
        (void)fprintf(stderr, "cleanup-worker watch: %ld of %ld results came in time\n", watch.seen,
                      arguments->count);
        return CLI_FAILED;
    }
    return CLI_DONE;
}

int
command_watch(int argc, char **argv)
{
    Arguments arguments = {0};
    const CliSpec spec = {
        .name = "watch",
        .arguments = "",
        .about = "Follows the results from now on, as a table or as JSON, one object a line, until "
                 "SIGINT.",
        .formats = "text|json",
        .options = options,
        .option_count = ARRAY_LEN(options),
        .take = take,
        .log = CLI_LOG_TOOL,
        .run = watch_results,
        .state = &arguments,
    };
    return cli_run(&spec, argc, argv);
}

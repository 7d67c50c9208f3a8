#include "common/clock.h"
#include "common/kafka/kafka_admin.h"
#include "common/kafka/kafka_producer.h"
#include "common/kafka/kafka_reader.h"
#include "common/log.h"
#include "worker/cli/cli.h"
#include "worker/cli/client_settings.h"
#include "worker/cli/commands.h"
#include "worker/cli/request.h"
#include "worker/cli/request_check.h"
#include "worker/cli/result_view.h"
#include "worker/message/progress.h"

#include <string.h>
#include <unistd.h>

enum { POLL_MS = 100 };

typedef struct Arguments {
    RequestOptions request;
    const char *raw;
    bool wait;
    int64_t timeout_ms;
} Arguments;

enum {
    OPTION_ID,
    OPTION_REQUESTED_BY,
    OPTION_EXPIRES_IN,
    OPTION_RAW,
    OPTION_WAIT,
    OPTION_TIMEOUT,
};

static const CliOption options[] = {
    [OPTION_ID] = {"id", "ID", "the command's id; a random UUID when absent"},
    [OPTION_REQUESTED_BY] = {"requested-by", "WHO", "who asks; comes back in the result"},
    [OPTION_EXPIRES_IN] = {"expires-in", "10m", "do not start it later than that"},
    [OPTION_RAW] = {"raw", "JSON", "send these bytes as they are, instead of TASK"},
    [OPTION_WAIT] = {"wait", NULL, "wait for the result, print it; exit 1 unless it succeeded"},
    [OPTION_TIMEOUT] = {"timeout", "60s", "how long to wait (60s)"},
};

static bool
take_duration(const char *name, const char *value, int64_t *ret_ms, Error *err)
{
    long seconds = 0;
    if (cli_read_integer(value, 0, 1000000000, &seconds)) {
        *ret_ms = (int64_t)seconds * 1000;
        return true;
    }
    return cli_read_duration(value, ret_ms) ||
           error_set(err, REASON_USAGE, "--%s takes a duration (10m), not \"%s\"", name, value);
}

static bool
take(void *state, size_t index, const char *value, Error *err)
{
    Arguments *arguments = state;
    switch (index) {
    case OPTION_ID:
        arguments->request.id = value;
        return true;
    case OPTION_REQUESTED_BY:
        arguments->request.requested_by = value;
        return true;
    case OPTION_EXPIRES_IN:
        arguments->request.expires = true;
        return take_duration("expires-in", value, &arguments->request.expires_in_ms, err);
    case OPTION_RAW:
        arguments->raw = value;
        return true;
    case OPTION_WAIT:
        arguments->wait = true;
        return true;
    default:
        return take_duration("timeout", value, &arguments->timeout_ms, err);
    }
}

typedef struct DeliveryReport {
    bool failed;
    Error failure;
} DeliveryReport;

static void
note_delivery(void *state, void *opaque, const Error *failure)
{
    (void)opaque;
    DeliveryReport *report = state;
    if (failure != NULL) {
        report->failed = true;
        report->failure = *failure;
    }
}

static bool
check_topic(const KafkaTopic *topic, Error *err)
{
    switch (topic->sight) {
    case KAFKA_SIGHT_MISSING:
        return error_set(err, REASON_TOPIC_MISSING,
                         "topic %s does not exist; `cleanup-worker migrate --topics` makes it",
                         topic->name);
    case KAFKA_SIGHT_DENIED:
        return error_set(err, REASON_KAFKA_REFUSED, "topic %s: this login is not allowed to see it",
                         topic->name);
    case KAFKA_SIGHT_SEEN:
    case KAFKA_SIGHT_UNSUPPORTED:
    case KAFKA_SIGHT_FAILED:
        break;
    }
    return true;
}

/* Kafka may make a topic that a producer asks for; a command on it would wait for ever. */
static bool
check_topics(const KafkaSettings *kafka, const Settings *settings, bool wait, Error *err)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = NULL;
    KafkaTopic topics[] = {{.name = settings->topics.commands}, {.name = settings->topics.results}};
    const KafkaPatience patience = {.topics_ms = CLIENT_TIMEOUT_MS};
    int brokers = 0;
    return kafka_admin_open(kafka, CLIENT_TIMEOUT_MS, &admin, &brokers, err) &&
           kafka_admin_look(admin, topics, wait ? 2 : 1, patience, err) &&
           check_topic(&topics[0], err) && (!wait || check_topic(&topics[1], err));
}

/* Where the record stands now. */
typedef struct Place {
    int32_t partition;
    int64_t offset;
} Place;

static bool
deliver(const KafkaSettings *kafka, const char *topic, const Request *request, Place *ret_place,
        Error *err)
{
    DeliveryReport report = {0};
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    const Record record = {
        .topic = topic,
        .partition = -1,
        .offset = -1,
        .timestamp_ms = clock_now_us(clock_system()) / CLOCK_US_PER_MS,
        .key = request->key != NULL ? BYTES_TEXT(request->key) : (Bytes){NULL, 0},
        .value = BYTES_TEXT(request->json),
    };
    if (!kafka_producer_open(kafka, CLIENT_TIMEOUT_MS, note_delivery, &report, &producer, err) ||
        kafka_producer_send(producer, &record, NULL, err) != KAFKA_SEND_OK ||
        !kafka_producer_flush(producer, CLIENT_TIMEOUT_MS + 1000, err))
        return error_wrap(err, "send to topic %s", topic);
    if (report.failed) {
        *err = report.failure;
        return error_wrap(err, "send to topic %s", topic);
    }
    if (!kafka_producer_last_place(producer, &ret_place->partition, &ret_place->offset))
        return error_set(err, REASON_KAFKA_UNREACHABLE, "send to topic %s: no delivery report",
                         topic);
    return true;
}

/* Takes the result out of the stream; false with an Error, or *ret_found stays false when the time
 * is over. */
static bool
find_result(KafkaReader *reader, const char *id, int64_t timeout_ms, Record **ret_record,
            Error *err)
{
    const int64_t deadline_ms = clock_monotonic_ms(clock_system()) + timeout_ms;
    while (clock_monotonic_ms(clock_system()) < deadline_ms) {
        CLEANUP(record_freep) Record *record = NULL;
        switch (kafka_reader_poll(reader, POLL_MS, &record, err)) {
        case KAFKA_POLL_RECORD:
            if (record->key.data == NULL || record->key.size != strlen(id) ||
                memcmp(record->key.data, id, record->key.size) != 0 || progress_is_record(record))
                break;
            *ret_record = record;
            record = NULL;
            return true;
        case KAFKA_POLL_ERROR:
            if (err->kind == ERROR_FATAL)
                return false;
            log_warn("waiting for Kafka", LOG_ERR(err));
            break;
        case KAFKA_POLL_NOTHING:
        case KAFKA_POLL_END:
            break;
        }
    }
    return error_set(
        err, REASON_NO_RESULT,
        "no result of command %s within %lld s; is a worker running, and is the id new?", id,
        (long long)(timeout_ms / 1000));
}

static int
print_result(const CliSpec *spec, const Record *record, bool json)
{
    ResultView view;
    if (!result_view_read(record, &view)) {
        (void)fprintf(stderr, "cleanup-worker %s: the record with this id is no result\n",
                      spec->name);
        return CLI_FAILED;
    }
    if (json)
        (void)printf("%.*s\n", (int)record->value.size, record->value.data);
    else
        result_view_print_summary(stdout, &view, result_view_wants_color(stdout));
    const bool succeeded = view.succeeded;
    result_view_done(&view);
    return succeeded ? CLI_DONE : CLI_FAILED;
}

/* In words for people; a script gets the id alone, or JSON. */
static void
print_sent(const Request *request, const char *topic, const Place *place, bool json)
{
    if (json)
        (void)printf(request->id != NULL ? "{\"command_id\":\"%s\"}\n" : "{\"command_id\":null}\n",
                     request->id);
    else if (isatty(STDOUT_FILENO))
        (void)printf("sent %s to %s[%d] @ %lld\n",
                     request->id != NULL ? request->id : "a command without an id", topic,
                     place->partition, (long long)place->offset);
    else if (request->id != NULL)
        (void)printf("%s\n", request->id);
    (void)fflush(stdout);
}

static int
send_request(const CliSpec *spec, const Settings *settings, const Arguments *arguments,
             const Request *request, bool json)
{
    KafkaSettings kafka;
    Place place = {0};
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    CLEANUP(record_freep) Record *record = NULL;
    Error err;
    client_settings_kafka(settings, &kafka);
    if (!check_topics(&kafka, settings, arguments->wait, &err))
        return cli_fail(spec->name, &err);
    /* The reader takes its place before the command is sent, so that no result slips by. */
    if (arguments->wait && !kafka_reader_open(&kafka, settings->topics.results, KAFKA_SINCE_NOW,
                                              CLIENT_TIMEOUT_MS, &reader, &err))
        return cli_fail(spec->name, &err);
    if (!deliver(&kafka, settings->topics.commands, request, &place, &err))
        return cli_fail(spec->name, &err);
    if (!arguments->wait || !json)
        print_sent(request, settings->topics.commands, &place, json);
    if (!arguments->wait)
        return CLI_DONE;
    if (!find_result(reader, request->id, arguments->timeout_ms, &record, &err))
        return cli_fail(spec->name, &err);
    return print_result(spec, record, json);
}

static int
send_line(const CliSpec *spec, const CliLine *line, const Settings *settings)
{
    const Arguments *arguments = spec->state;
    CLEANUP(request_done) Request request = {0};
    Error err;
    const bool json = cli_wants_json(line);
    if (arguments->raw != NULL && line->operand_count > 0)
        return cli_fail_usage(spec->name, "--raw stands instead of TASK");
    if (arguments->raw == NULL && line->operand_count == 0)
        return cli_fail_usage(spec->name, "TASK is missing");
    const bool made = arguments->raw != NULL
                          ? request_from_raw(arguments->raw, &arguments->request, &request, &err)
                          : request_from_words(line->operands, line->operand_count,
                                               &arguments->request, &request, &err);
    if (!made || (arguments->raw == NULL && !request_check(&request, &err)))
        return err.kind == ERROR_REJECT ? cli_fail_usage(spec->name, "%s", err.text)
                                        : cli_fail(spec->name, &err);
    if (arguments->wait && request.id == NULL)
        return cli_fail_usage(spec->name, "--wait wants a command_id in the JSON, or --id");
    return send_request(spec, settings, arguments, &request, json);
}

int
command_send(int argc, char **argv)
{
    Arguments arguments = {.timeout_ms = 60000};
    const CliSpec spec = {
        .name = "send",
        .arguments = "TASK [param=value…]",
        .about = "Puts a command on the topic and prints its id. Values that look like numbers or "
                 "booleans are sent as\n"
                 "such, all others as strings. What no worker would take is refused, unless it is "
                 "--raw.",
        .formats = "text|json",
        .options = options,
        .option_count = ARRAY_LEN(options),
        .take = take,
        .log = CLI_LOG_TOOL,
        .run = send_line,
        .state = &arguments,
    };
    return cli_run(&spec, argc, argv);
}

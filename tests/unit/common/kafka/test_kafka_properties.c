#include "common/kafka/kafka_properties.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

enum { KNOWN_VERSION = 0x020002ff }; /* the one whose list the table must have whole */

static void
assert_refused(const char *name, const char *value, const char *says)
{
    Error err = {0};
    if (kafka_property_check(name, value, &err))
        fail_msg("%s=%s was taken", name, value);
    assert_int_equal(err.kind, ERROR_REJECT);
    if (strstr(err.text, says) == NULL)
        fail_msg("%s=%s: “%s” does not say “%s”", name, value, err.text, says);
}

static void
assert_taken(const char *name, const char *value)
{
    Error err = {0};
    if (!kafka_property_check(name, value, &err))
        fail_msg("%s=%s: %s", name, value, err.text);
}

/* Everything that rd_kafka_conf_dump tells, hidden properties too. */
static size_t
count_unclassified_of_dump(const char **pairs, size_t count)
{
    size_t unclassified = 0;
    for (size_t i = 0; i < count; i += 2) {
        if (kafka_property_rule(pairs[i]) == KAFKA_PROPERTY_UNKNOWN) {
            print_message("not classified: %s\n", pairs[i]);
            unclassified++;
        }
    }
    rd_kafka_conf_dump_free(pairs, count);
    return unclassified;
}

/* The library's own table for people, aliases and properties without a value too: a name, "|". */
static size_t
count_unclassified_of_table(size_t *ret_rows)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    rd_kafka_conf_properties_show(file);
    rewind(file);
    char line[4096];
    size_t unclassified = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char name[128];
        char bar = ' ';
        if (sscanf(line, "%127s %c", name, &bar) != 2 || bar != '|' ||
            strcmp(name, "Property") == 0 || name[0] == '-')
            continue;
        ++*ret_rows;
        if (kafka_property_rule(name) == KAFKA_PROPERTY_UNKNOWN) {
            print_message("not classified: %s\n", name);
            unclassified++;
        }
    }
    (void)fclose(file);
    return unclassified;
}

static void
test_table_has_every_property_of_the_library(void **state)
{
    (void)state;
    size_t count = 0;
    size_t rows = 0;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char **pairs = rd_kafka_conf_dump(conf, &count);
    assert_true(count > 100);
    size_t unclassified = count_unclassified_of_dump(pairs, count);
    rd_kafka_topic_conf_t *topic_conf = rd_kafka_topic_conf_new();
    pairs = rd_kafka_topic_conf_dump(topic_conf, &count);
    unclassified += count_unclassified_of_dump(pairs, count);
    rd_kafka_topic_conf_destroy(topic_conf);
    rd_kafka_conf_destroy(conf);
    unclassified += count_unclassified_of_table(&rows);
    assert_true(rows > 150);
    /* A newer library may have more; what it has passes. */
    if (rd_kafka_version() <= KNOWN_VERSION)
        assert_int_equal(unclassified, 0);
}

static void
test_check_property_the_guarantees_rest_on_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "enable.auto.commit",
        "enable.auto.offset.store",
        "isolation.level",
        "enable.idempotence",
        "transactional.id",
        "group.instance.id",
        "acks",
        "request.required.acks",
        "auto.offset.reset",
        "transaction.timeout.ms",
        "partition.assignment.strategy",
        "delivery.report.only.error",
        "plugin.library.paths",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "enable.gapless.guarantee",
        "retries",
        "message.send.max.retries",
        "allow.auto.create.topics",
        "test.mock.num.brokers",
        "auto.commit.interval.ms",
        "offset.store.method",
        "queuing.strategy",
        "partitioner",
        "statistics.interval.ms",
        "enable.partition.eof",
        "check.crcs",
        "client.id",
        "metadata.broker.list",
        "log_cb",
        "interceptors",
        "internal.termination.signal",
        "enabled_events",
        "log.queue",
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(kafka_property_rule(refused[i]), KAFKA_PROPERTY_REFUSED);
        assert_refused(refused[i], "1", "cannot be set: ");
    }
}

static void
test_check_bounded_property_takes_what_lies_within(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *low, *least, *most, *high;
    } cases[] = {
        {"max.poll.interval.ms", "9999", "10000", "3600000", "3600001"},
        {"socket.timeout.ms", "999", "1000", "10000", "10001"},
        {"max.in.flight", "0", "1", "5", "6"},
        {"linger.ms", "-1", "0.5", "1000", "1000.5"},
        {"message.max.bytes", "999999", "1000000", "10000000", "1000000001"},
        {"session.timeout.ms", "999", "1000", "1800000", "1800001"},
        {"topic.metadata.refresh.interval.ms", "-1", "1000", "900000", "900001"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_refused(cases[i].name, cases[i].low, "but takes ");
        assert_taken(cases[i].name, cases[i].least);
        assert_taken(cases[i].name, cases[i].most);
        assert_refused(cases[i].name, cases[i].high, "but takes ");
        assert_refused(cases[i].name, "many", "is \"many\", but takes ");
    }
    assert_taken("connections.max.idle.ms", "0");
    assert_refused("connections.max.idle.ms", "59999", "but takes 0 or 60000 to 2147483647: ");
    assert_taken("connections.max.idle.ms", "60000");
}

static void
test_check_free_property_takes_what_librdkafka_takes(void **state)
{
    (void)state;
    assert_taken("security.protocol", "sasl_ssl");
    assert_taken("sasl.username", "worker");
    assert_taken("compression.type", "zstd");
    assert_taken("debug", "broker,topic");
    assert_refused("security.protocol", "tls", "is not accepted by librdkafka: Invalid value");
    assert_refused("socket.keepalive.enable", "maybe", "is not accepted by librdkafka: ");
}

static void
test_check_faulty_secret_is_not_quoted(void **state)
{
    (void)state;
    Error err = {0};
    assert_true(kafka_property_is_secret("sasl.oauthbearer.method"));
    assert_false(kafka_property_check("sasl.oauthbearer.method", "hunter2", &err));
    assert_string_equal(err.text, "is not accepted by librdkafka");
    assert_true(kafka_property_is_secret("sasl.password"));
    assert_false(kafka_property_is_secret("sasl.username"));
}

static void
test_check_unknown_property_names_the_nearest(void **state)
{
    (void)state;
    assert_refused("bootstrap.server", "x:1", "; did you mean bootstrap.servers?");
    assert_refused("sasl.mechansim", "PLAIN", "; did you mean sasl.mechanism?");
    assert_refused("no.such.thing", "1", "is no property of librdkafka ");
    assert_int_equal(kafka_property_rule("no.such.thing"), KAFKA_PROPERTY_UNKNOWN);
    /* A hint never leads to what would be refused next. */
    Error err = {0};
    assert_false(kafka_property_check("enable.auto.commits", "1", &err));
    assert_null(strstr(err.text, "did you mean enable.auto.commit?"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_has_every_property_of_the_library),
        cmocka_unit_test(test_check_property_the_guarantees_rest_on_is_refused_with_a_reason),
        cmocka_unit_test(test_check_bounded_property_takes_what_lies_within),
        cmocka_unit_test(test_check_free_property_takes_what_librdkafka_takes),
        cmocka_unit_test(test_check_faulty_secret_is_not_quoted),
        cmocka_unit_test(test_check_unknown_property_names_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

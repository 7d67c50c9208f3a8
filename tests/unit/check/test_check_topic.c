#include "worker/check/check_topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_MS INT64_C(3600000)

/* Three brokers, a ledger of 15 days. */
static const CheckTopicView view = {"kafka:9092", "cleanup", 3, 360, false};

/* As Kafka makes a topic that it is asked for. */
static const KafkaTopic usual = {
    .name = "topic",
    .sight = KAFKA_SIGHT_SEEN,
    .partitions = 6,
    .replicas = 3,
    .settings_sight = KAFKA_SIGHT_SEEN,
    .retention_ms = 168 * HOUR_MS,
    .segment_ms = 168 * HOUR_MS,
    .max_message_bytes = 1048588,
    .min_insync_replicas = 2,
    .compacts = false,
    .deletes = true,
};

/* The topic's only finding has this level and code. */
static void
assert_found_in(const CheckTopicView *with, CheckTopicRole role, const KafkaTopic *topic,
                FindingLevel level, const char *code, const char *mend)
{
    CLEANUP(findings_done) Findings findings = {0};
    Error err;
    assert_true(check_topic(with, role, topic, &findings, &err));
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.list[0].subject, "topic");
    if (findings.list[0].level != level || strcmp(findings.list[0].code, code) != 0)
        fail_msg("%s %s, not %s", finding_level_name(findings.list[0].level), findings.list[0].code,
                 code);
    if (mend == NULL)
        assert_null(findings.list[0].mend);
    else if (strstr(findings.list[0].mend, mend) == NULL)
        fail_msg("“%s” does not mend with “%s”", findings.list[0].mend, mend);
}

static void
assert_found(CheckTopicRole role, const KafkaTopic *topic, FindingLevel level, const char *code,
             const char *mend)
{
    assert_found_in(&view, role, topic, level, code, mend);
}

static void
assert_fine(CheckTopicRole role, const KafkaTopic *topic)
{
    assert_found(role, topic, FINDING_OK, "topic", NULL);
}

static void
test_check_topic_as_kafka_makes_it_is_fine(void **state)
{
    (void)state;
    assert_fine(CHECK_TOPIC_COMMANDS, &usual);
    assert_fine(CHECK_TOPIC_RESULTS, &usual);
    assert_fine(CHECK_TOPIC_DEAD_LETTERS, &usual);
}

static void
test_check_topic_missing_or_hidden_fails(void **state)
{
    (void)state;
    KafkaTopic topic = usual;
    topic.sight = KAFKA_SIGHT_MISSING;
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_FAIL, "topic_missing", "migrate --topics");
    topic.sight = KAFKA_SIGHT_DENIED;
    assert_found(CHECK_TOPIC_COMMANDS, &topic, FINDING_FAIL, "topic_denied",
                 "User:cleanup --operation Read --topic topic");
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_FAIL, "topic_denied", "--operation Write");
    topic.sight = KAFKA_SIGHT_FAILED;
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_UNKNOWN, "topic_unread", NULL);
}

static void
test_check_settings_not_told_are_unknown(void **state)
{
    (void)state;
    KafkaTopic topic = {.name = "topic",
                        .sight = KAFKA_SIGHT_SEEN,
                        .partitions = 1,
                        .replicas = 3,
                        .retention_ms = -1,
                        .segment_ms = -1,
                        .max_message_bytes = -1,
                        .min_insync_replicas = -1};
    topic.settings_sight = KAFKA_SIGHT_UNSUPPORTED;
    assert_found(CHECK_TOPIC_COMMANDS, &topic, FINDING_UNKNOWN, "topic_settings_unread", NULL);
    topic.settings_sight = KAFKA_SIGHT_FAILED;
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_UNKNOWN, "topic_settings_unread", NULL);
    topic.settings_sight = KAFKA_SIGHT_DENIED;
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_UNKNOWN, "topic_settings_denied",
                 "--operation DescribeConfigs");
}

static void
test_check_commands_kept_longer_than_the_ledger_fail_and_name_the_value(void **state)
{
    (void)state;
    KafkaTopic topic = usual;
    topic.retention_ms = 192 * HOUR_MS;
    assert_fine(CHECK_TOPIC_COMMANDS, &topic);
    topic.retention_ms++;
    assert_found(CHECK_TOPIC_COMMANDS, &topic, FINDING_FAIL, "topic_outlives_ledger",
                 "--add-config retention.ms=687600000"); /* 360 - 168 - 1 hours */
    assert_fine(CHECK_TOPIC_RESULTS, &topic);
    topic.retention_ms = KAFKA_FOR_EVER;
    assert_found(CHECK_TOPIC_COMMANDS, &topic, FINDING_FAIL, "topic_outlives_ledger",
                 "retention.ms=687600000");
    topic.retention_ms = HOUR_MS;
    topic.segment_ms = 400 * HOUR_MS;
    assert_found(CHECK_TOPIC_COMMANDS, &topic, FINDING_FAIL, "topic_outlives_ledger",
                 "retention.ms=969300000,segment.ms=323100000");
    topic = usual;
    topic.deletes = false;
    assert_found(CHECK_TOPIC_COMMANDS, &topic, FINDING_FAIL, "topic_outlives_ledger",
                 ",cleanup.policy=delete");
}

static void
test_check_commands_kept_longer_than_the_ledger_only_warn_at_the_start(void **state)
{
    (void)state;
    CheckTopicView start = view;
    start.is_start = true;
    KafkaTopic topic = usual;
    topic.retention_ms = KAFKA_FOR_EVER;
    assert_found_in(&start, CHECK_TOPIC_COMMANDS, &topic, FINDING_WARN, "topic_outlives_ledger",
                    "retention.ms=");
}

static void
test_check_compacted_topic_fails_where_records_would_be_lost(void **state)
{
    (void)state;
    KafkaTopic topic = usual;
    topic.compacts = true;
    assert_found(CHECK_TOPIC_COMMANDS, &topic, FINDING_FAIL, "topic_compacts",
                 "cleanup.policy=delete");
    assert_found(CHECK_TOPIC_DEAD_LETTERS, &topic, FINDING_FAIL, "topic_compacts",
                 "cleanup.policy=delete");
    assert_fine(CHECK_TOPIC_RESULTS, &topic);
}

static void
test_check_results_too_narrow_for_the_longest_fail(void **state)
{
    (void)state;
    KafkaTopic topic = usual;
    topic.max_message_bytes = 1048576;
    assert_fine(CHECK_TOPIC_RESULTS, &topic);
    topic.max_message_bytes = 1048575;
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_WARN, "topic_narrow",
                 "max.message.bytes=1048576");
    topic.max_message_bytes = 589823;
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_FAIL, "topic_too_narrow",
                 "max.message.bytes=1048576");
    assert_fine(CHECK_TOPIC_DEAD_LETTERS, &topic);
}

static void
test_check_replicas_that_cannot_be_in_sync_fail(void **state)
{
    (void)state;
    KafkaTopic topic = usual;
    topic.replicas = 2;
    topic.min_insync_replicas = 3;
    CheckTopicView start = view;
    start.is_start = true;
    assert_found_in(&start, CHECK_TOPIC_RESULTS, &topic, FINDING_WARN, "topic_never_in_sync",
                    "min.insync.replicas=1");
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_FAIL, "topic_never_in_sync",
                 "min.insync.replicas=1");
    assert_fine(CHECK_TOPIC_COMMANDS, &topic);
    topic.replicas = 1;
    topic.min_insync_replicas = 1;
    assert_found(CHECK_TOPIC_RESULTS, &topic, FINDING_WARN, "topic_on_one_broker", NULL);
    CheckTopicView single = view;
    single.brokers = 1;
    assert_found_in(&single, CHECK_TOPIC_RESULTS, &topic, FINDING_OK, "topic", NULL);
}

static void
test_check_everything_amiss_is_told_at_once(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    Error err;
    KafkaTopic topic = usual;
    topic.retention_ms = KAFKA_FOR_EVER;
    topic.compacts = true;
    topic.replicas = 1;
    assert_true(check_topic(&view, CHECK_TOPIC_COMMANDS, &topic, &findings, &err));
    assert_int_equal(findings.count, 3);
    assert_int_equal(findings_count(&findings, FINDING_FAIL), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_topic_as_kafka_makes_it_is_fine),
        cmocka_unit_test(test_check_topic_missing_or_hidden_fails),
        cmocka_unit_test(test_check_settings_not_told_are_unknown),
        cmocka_unit_test(test_check_commands_kept_longer_than_the_ledger_fail_and_name_the_value),
        cmocka_unit_test(test_check_commands_kept_longer_than_the_ledger_only_warn_at_the_start),
        cmocka_unit_test(test_check_compacted_topic_fails_where_records_would_be_lost),
        cmocka_unit_test(test_check_results_too_narrow_for_the_longest_fail),
        cmocka_unit_test(test_check_replicas_that_cannot_be_in_sync_fail),
        cmocka_unit_test(test_check_everything_amiss_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

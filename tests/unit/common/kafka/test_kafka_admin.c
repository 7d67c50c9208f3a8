/* Against the embedded broker, which knows little of administration. */
#include "common/kafka/dev_broker.h"
#include "common/kafka/kafka_admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 5000 };

static int
start_broker(void **state)
{
    static const char *const topics[] = {"commands"};
    DevBroker *broker = NULL;
    Error err;
    if (!dev_broker_start(3, topics, ARRAY_LEN(topics), &broker, &err))
        return -1;
    *state = broker;
    return 0;
}

static int
stop_broker(void **state)
{
    dev_broker_stop(*state);
    return 0;
}

static KafkaAdmin *
open_admin(const DevBroker *broker)
{
    const KafkaSettings settings = {.bootstrap_servers = dev_broker_bootstraps(broker)};
    KafkaAdmin *admin = NULL;
    Error err;
    int brokers = 0;
    if (!kafka_admin_open(&settings, TIMEOUT_MS, &admin, &brokers, &err))
        fail_msg("%s", err.text);
    assert_int_equal(brokers, 1);
    return admin;
}

static void
test_open_tells_how_it_is_connected(void **state)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = open_admin(*state);
    assert_string_equal(kafka_admin_security(admin), "PLAINTEXT");
    assert_string_equal(kafka_admin_user(admin), "");
}

static void
test_look_topic_is_described_and_settings_are_not_supported(void **state)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = open_admin(*state);
    KafkaTopic topic = {.name = "commands"};
    Error err;
    if (!kafka_admin_look(admin, &topic, 1, (KafkaPatience){TIMEOUT_MS, TIMEOUT_MS}, &err))
        fail_msg("%s", err.text);
    assert_int_equal(topic.sight, KAFKA_SIGHT_SEEN);
    assert_int_equal(topic.partitions, 3);
    assert_int_equal(topic.replicas, 1);
    assert_int_equal(topic.settings_sight, KAFKA_SIGHT_UNSUPPORTED);
    assert_int_equal(topic.retention_ms, -1);
}

static void
test_group_without_offsets_is_seen(void **state)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = open_admin(*state);
    const KafkaTopic topic = {.name = "commands", .partitions = 3};
    int32_t committed = -1;
    Error err;
    assert_int_equal(kafka_admin_group(admin, "group", &topic, TIMEOUT_MS, &committed, &err),
                     KAFKA_SIGHT_SEEN);
    assert_int_equal(committed, 0);
}

static void
test_members_where_the_broker_does_not_tell_is_no_fault(void **state)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = open_admin(*state);
    CLEANUP(kafka_group_done) KafkaGroup group = {0};
    Error err = {0};
    assert_false(kafka_admin_members(admin, "group", "commands", TIMEOUT_MS, &group, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_int_equal(group.count, 0);
}

static void
test_reach_leader_that_answers_is_reached(void **state)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = open_admin(*state);
    const KafkaTopic topics[] = {{.name = "no-such-topic", .sight = KAFKA_SIGHT_MISSING},
                                 {.name = "commands", .sight = KAFKA_SIGHT_SEEN}};
    Error err;
    assert_true(kafka_admin_reach(admin, topics, 1, TIMEOUT_MS, &err));
    if (!kafka_admin_reach(admin, topics, ARRAY_LEN(topics), TIMEOUT_MS, &err))
        fail_msg("%s", err.text);
}

static void
test_make_topic_is_not_supported(void **state)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = open_admin(*state);
    const KafkaNewTopic topic = {.name = "new", .partitions = 2, .replicas = 1};
    Error err;
    assert_int_equal(kafka_admin_make(admin, &topic, TIMEOUT_MS, &err), KAFKA_MADE_UNSUPPORTED);
}

static void
test_open_broker_away_is_told_in_one_sentence(void **state)
{
    (void)state;
    const KafkaSettings settings = {.bootstrap_servers = "127.0.0.1:1"};
    KafkaAdmin *admin = NULL;
    Error err = {0};
    int brokers = 0;
    assert_false(kafka_admin_open(&settings, 500, &admin, &brokers, &err));
    assert_int_equal(err.reason, REASON_KAFKA_UNREACHABLE);
    assert_string_equal(err.text,
                        "Kafka cannot be reached within 0.5 s: 127.0.0.1:1: Connection refused");
}

static bool
ask_twice(void *state)
{
    int *asked = state;
    return ++*asked > 2;
}

static void
test_open_broker_away_ends_when_it_is_interrupted(void **state)
{
    (void)state;
    int asked = 0;
    const KafkaSettings settings = {.bootstrap_servers = "127.0.0.1:1",
                                    .interrupt = {ask_twice, &asked}};
    KafkaAdmin *admin = NULL;
    Error err = {0};
    int brokers = 0;
    assert_false(kafka_admin_open(&settings, 600000, &admin, &brokers, &err));
    assert_int_equal(err.reason, REASON_INTERRUPTED);
    assert_int_equal(asked, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_tells_how_it_is_connected),
        cmocka_unit_test(test_look_topic_is_described_and_settings_are_not_supported),
        cmocka_unit_test(test_group_without_offsets_is_seen),
        cmocka_unit_test(test_members_where_the_broker_does_not_tell_is_no_fault),
        cmocka_unit_test(test_reach_leader_that_answers_is_reached),
        cmocka_unit_test(test_make_topic_is_not_supported),
        cmocka_unit_test(test_open_broker_away_is_told_in_one_sentence),
        cmocka_unit_test(test_open_broker_away_ends_when_it_is_interrupted),
    };
    return cmocka_run_group_tests(tests, start_broker, stop_broker);
}

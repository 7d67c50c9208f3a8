#include "common/kafka/kafka_reason.h"
#include "common/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_read_text_of_librdkafka_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *told;
        const char *broker;
        const char *text;
    } cases[] = {
        {"[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: "
         "Connection refused (after 0ms in state CONNECT)",
         "127.0.0.1:1", "Connection refused"},
        {"127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms "
         "in state CONNECT, 1 identical error(s) suppressed)",
         "127.0.0.1:1", "Connection refused"},
        {"nohost.invalid:1/bootstrap: Failed to resolve 'nohost.invalid:1': Name or service not "
         "known (after 1ms in state CONNECT)",
         "nohost.invalid:1", "Name or service not known"},
        {"[thrd:sasl_ssl://kafka:9093/2]: sasl_ssl://kafka:9093/2: SASL authentication error: no",
         "kafka:9093", "SASL authentication error: no"},
        {"[thrd:GroupCoordinator]: GroupCoordinator: kafka:9092: Disconnected (after 12ms in state "
         "UP)",
         "kafka:9092", "Disconnected"},
        {"1/1 brokers are down", "", "1/1 brokers are down"},
        {"Fatal error: fenced: by another", "", "Fatal error: fenced: by another"},
        {"", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        KafkaReason reason;
        kafka_reason_read(cases[i].told, &reason);
        assert_string_equal(reason.broker, cases[i].broker);
        assert_string_equal(reason.text, cases[i].text);
    }
}

static void
test_read_long_text_is_cut(void **state)
{
    (void)state;
    char told[1000];
    memset(told, 'x', sizeof(told) - 1);
    told[sizeof(told) - 1] = '\0';
    told[500] = ':';
    told[501] = ' ';
    told[300] = ':';
    KafkaReason reason;
    kafka_reason_read(told, &reason);
    assert_int_equal(strlen(reason.broker), KAFKA_REASON_BROKER_BYTES - 1);
    assert_int_equal(strlen(reason.text), KAFKA_REASON_TEXT_BYTES - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_text_of_librdkafka_is_taken_apart),
        cmocka_unit_test(test_read_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

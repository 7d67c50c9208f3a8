#include "common/kafka/kafka_brokers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_check_hosts_with_and_without_ports_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "kafka:9092",     "kafka",           "kafka-1.example.org:65535",
        "a:1,b:2",        "a:1, b:2",        "a:1,",
        ",a:1,,b:2,",     "127.0.0.1:9092",  "[::1]:9092",
        "[fe80::1%1]:80", "SSL://kafka:443", "sasl_ssl://kafka:443,kafka_2:1",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        Error err;
        if (!kafka_brokers_check(good[i], &err))
            fail_msg("%s: %s", good[i], err.text);
    }
}

static void
test_check_broker_that_is_none_is_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *says;
    } cases[] = {
        {"http://x:9092", "holds \"http://x:9092\", but a broker is host:port, without http://"},
        {"a:1,https://x", "\"https://x\""},
        {"x:9092/topic", "without http:// or a path"},
        {"x:0", "\"x:0\", but a broker's port is a number from 1 to 65535"},
        {"x:65536", "from 1 to 65535"},
        {"x:99999999999999999999", "from 1 to 65535"},
        {"x:", "from 1 to 65535"},
        {"x:kafka", "from 1 to 65535"},
        {"x:9092:9093", "from 1 to 65535"},
        {":9092", "but a broker is host:port"},
        {"::1", "[IPv6]:port"},
        {"[::1:9092", "[IPv6]:port"},
        {"[]:9092", "[IPv6]:port"},
        {"a;b:1", "but a broker is host:port"},
        {"user@host:1", "but a broker is host:port"},
        {"", "names no broker"},
        {" , ,", "names no broker"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Error err = {0};
        assert_false(kafka_brokers_check(cases[i].list, &err));
        assert_int_equal(err.kind, ERROR_REJECT);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: “%s” does not say “%s”", cases[i].list, err.text, cases[i].says);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_hosts_with_and_without_ports_are_taken),
        cmocka_unit_test(test_check_broker_that_is_none_is_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

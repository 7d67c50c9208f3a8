#include "worker/check/check_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS = 12 };

static char host[] = "/10.1.2.3";
static char range[] = "range";

static const CheckGroupView view = {
    .bootstrap_servers = "kafka:9092",
    .user = "cleanup",
    .id = "workers",
    .sight = KAFKA_SIGHT_SEEN,
    .reason = "",
    .committed = 2,
    .partitions = 6,
};

static void
look(KafkaMember *members, size_t count, char *assignor, Findings *ret_findings)
{
    const KafkaGroup group = {members, count, assignor};
    CheckGroupView seen = view;
    Error err;
    seen.group = &group;
    assert_true(check_group(&seen, ret_findings, &err));
}

static void
assert_finding(const Findings *findings, size_t index, FindingLevel level, const char *code,
               const char *what)
{
    assert_true(index < findings->count);
    assert_int_equal(findings->list[index].level, level);
    assert_string_equal(findings->list[index].code, code);
    assert_string_equal(findings->list[index].what, what);
}

static void
test_check_group_of_workers_names_its_members(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    char a[] = "host-1";
    char b[] = "host\n2";
    KafkaMember members[] = {{a, host, NULL}, {a, host, NULL}, {b, host, NULL}};
    look(members, 3, range, &findings);
    assert_int_equal(findings.count, 1);
    assert_finding(&findings, 0, FINDING_OK, "group",
                   "workers, offsets in 2 of 6 partitions, 3 members: host-1, host?2");
}

static void
test_check_group_whose_members_are_not_told_is_fine(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    char none[] = "";
    Error err;
    assert_true(check_group(&view, &findings, &err));
    look(NULL, 0, none, &findings);
    assert_int_equal(findings.count, 2);
    assert_finding(&findings, 0, FINDING_OK, "group", "workers, offsets in 2 of 6 partitions");
    assert_finding(&findings, 1, FINDING_OK, "group", "workers, offsets in 2 of 6 partitions");
}

static void
test_check_group_of_many_members_names_the_first(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    char names[MEMBERS][2];
    KafkaMember members[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        names[i][0] = (char)('a' + i);
        names[i][1] = '\0';
        members[i] = (KafkaMember){names[i], host, NULL};
    }
    look(members, MEMBERS, range, &findings);
    assert_finding(&findings, 0, FINDING_OK, "group",
                   "workers, offsets in 2 of 6 partitions, 12 members: a, b, c, d, e, f, g, h, i, "
                   "j, …");
}

static void
test_check_group_with_strangers_warns_with_the_statement(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    char names[][24] = {"consumer-workers-1", "host-1", "rdkafka", "report"};
    char orders[] = "orders";
    KafkaMember members[] = {{names[0], host, NULL},
                             {names[1], host, NULL},
                             {names[2], host, NULL},
                             {names[3], host, orders}};
    look(members, ARRAY_LEN(members), range, &findings);
    assert_int_equal(findings.count, 2);
    assert_finding(
        &findings, 1, FINDING_WARN, "group_shared",
        "consumer-workers-1 (/10.1.2.3) is no worker by its name; rdkafka (/10.1.2.3) is "
        "no worker by its name; report (/10.1.2.3) reads orders, too");
    assert_non_null(strstr(findings.list[1].mend, "--bootstrap-server kafka:9092"));
    assert_non_null(strstr(findings.list[1].mend, "--group workers"));
}

static void
test_check_group_with_another_assignor_warns(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    char a[] = "app";
    char sticky[] = "cooperative-sticky";
    KafkaMember member = {a, host, NULL};
    look(&member, 1, sticky, &findings);
    assert_int_equal(findings.count, 2);
    assert_finding(&findings, 1, FINDING_WARN, "group_assignor",
                   "its members use the assignor cooperative-sticky, workers use range");
}

static void
test_check_group_denied_or_untold(void **state)
{
    (void)state;
    CLEANUP(findings_done) Findings findings = {0};
    CheckGroupView seen = view;
    Error err;
    seen.sight = KAFKA_SIGHT_DENIED;
    assert_true(check_group(&seen, &findings, &err));
    seen.sight = KAFKA_SIGHT_FAILED;
    seen.reason = "no coordinator";
    assert_true(check_group(&seen, &findings, &err));
    assert_int_equal(findings.list[0].level, FINDING_FAIL);
    assert_string_equal(findings.list[0].code, "group_denied");
    assert_non_null(strstr(findings.list[0].mend, "User:cleanup --operation Read --group workers"));
    assert_finding(&findings, 1, FINDING_UNKNOWN, "group", "workers: no coordinator");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_group_of_workers_names_its_members),
        cmocka_unit_test(test_check_group_whose_members_are_not_told_is_fine),
        cmocka_unit_test(test_check_group_of_many_members_names_the_first),
        cmocka_unit_test(test_check_group_with_strangers_warns_with_the_statement),
        cmocka_unit_test(test_check_group_with_another_assignor_warns),
        cmocka_unit_test(test_check_group_denied_or_untold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const Finding fine = {FINDING_OK, "kafka", "Kafka", "3 brokers", NULL, NULL, NULL};
static const Finding lacking = {
    FINDING_FAIL,
    "missing_privilege",
    "privilege",
    "cleanup_worker may not delete from \"videoSent\", which holds the videos of the sessions",
    "Sessions with a video could not be deleted, so that every command that meets one would fail.",
    "GRANT DELETE ON \"videoSent\" TO cleanup_worker;\nGRANT SELECT ON \"videoSent\" TO x;",
    "sessions"};

static void
add(Findings *findings, const Finding *finding)
{
    Error err = {0};
    assert_true(findings_add(findings, finding, &err));
}

static void
assert_printed(const Findings *findings, FindingLevel least, bool json, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    if (json)
        assert_true(findings_print_json(findings, least, out));
    else
        findings_print(findings, least, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void
test_add_many_findings_keeps_their_order_and_copies_the_texts(void **state)
{
    CLEANUP(findings_done) Findings findings = {0};
    char what[] = "0";
    (void)state;
    for (char digit = '0'; digit < '9'; digit++) {
        what[0] = digit;
        for (int i = 0; i < 4; i++)
            add(&findings, &(Finding){FINDING_OK, "code", "subject", what, NULL, NULL, NULL});
    }
    assert_int_equal(findings.count, 36);
    assert_string_equal(findings.list[0].what, "0");
    assert_string_equal(findings.list[35].what, "8");
    assert_null(findings.list[0].why);
}

static void
test_count_and_first_of_a_level_look_at_that_level_alone(void **state)
{
    CLEANUP(findings_done) Findings findings = {0};
    (void)state;
    assert_null(findings_first(&findings, FINDING_FAIL));
    add(&findings, &fine);
    add(&findings, &lacking);
    add(&findings, &fine);
    assert_int_equal(findings_count(&findings, FINDING_OK), 2);
    assert_int_equal(findings_count(&findings, FINDING_WARN), 0);
    assert_string_equal(findings_first(&findings, FINDING_FAIL)->code, "missing_privilege");
}

static void
test_print_a_long_finding_wraps_sentences_and_leaves_statements(void **state)
{
    CLEANUP(findings_done) Findings findings = {0};
    (void)state;
    add(&findings, &fine);
    add(&findings, &lacking);
    assert_printed(
        &findings, FINDING_OK, false,
        "OK    Kafka                3 brokers\n"
        "FAIL  privilege            cleanup_worker may not delete from \"videoSent\", which\n"
        "                           holds the videos of the sessions\n"
        "        Sessions with a video could not be deleted, so that every command that\n"
        "        meets one would fail.\n"
        "        GRANT DELETE ON \"videoSent\" TO cleanup_worker;\n"
        "        GRANT SELECT ON \"videoSent\" TO x;\n");
}

static void
test_print_a_word_wider_than_the_line_keeps_it_whole(void **state)
{
    CLEANUP(findings_done) Findings findings = {0};
    (void)state;
    add(&findings,
        &(Finding){FINDING_WARN, "c", "s",
                   "/a/path/that/is/longer/than/the/fifty/five/columns/that/there/are/left is long",
                   NULL, NULL, NULL});
    assert_printed(&findings, FINDING_OK, false,
                   "WARN  s                    "
                   "/a/path/that/is/longer/than/the/fifty/five/columns/that/there/are/left\n"
                   "                           is long\n");
}

static void
test_print_json_from_a_level_on_is_one_object_a_line(void **state)
{
    CLEANUP(findings_done) Findings findings = {0};
    (void)state;
    add(&findings, &fine);
    add(&findings,
        &(Finding){FINDING_WARN, "index", "index", "none on \"a\"", "slow", NULL, "sessions"});
    assert_printed(&findings, FINDING_WARN, true,
                   "{\"level\":\"WARN\",\"code\":\"index\",\"subject\":\"index\",\"what\":\"none "
                   "on \\\"a\\\"\",\"why\":\"slow\",\"mend\":null,\"concerns\":\"sessions\"}\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_many_findings_keeps_their_order_and_copies_the_texts),
        cmocka_unit_test(test_count_and_first_of_a_level_look_at_that_level_alone),
        cmocka_unit_test(test_print_a_long_finding_wraps_sentences_and_leaves_statements),
        cmocka_unit_test(test_print_a_word_wider_than_the_line_keeps_it_whole),
        cmocka_unit_test(test_print_json_from_a_level_on_is_one_object_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

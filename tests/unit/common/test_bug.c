#include "common/bug.h"
#include "common/log.h"
#include "tests/support/aborts.h"

static void
go_wrong(void *state)
{
    (void)state;
    log_init(LOG_ERROR, LOG_FORMAT_LOGFMT);
    bug_transition("machine-1", "state-a", "state-b");
}

static void
test_transition_dies_by_sigabrt_and_names_both_states(void **state)
{
    (void)state;
    assert_true(aborts_between(go_wrong, NULL, "from=state-a", "to=state-b"));
    assert_true(aborts_between(go_wrong, NULL, "machine=machine-1", "level=error"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transition_dies_by_sigabrt_and_names_both_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

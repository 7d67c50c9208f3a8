#include "worker/cli/request_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Puts the request together from its words, as `send` does, and checks it. */
static bool
check_words(const char *const *words, size_t count, const char *id, Error *err)
{
    CLEANUP(request_done) Request request = {0};
    const RequestOptions options = {.id = id};
    if (!request_from_words((char *const *)(uintptr_t)words, count, &options, &request, err))
        fail_msg("%s", err->text);
    return request_check(&request, err);
}

static void
assert_taken(const char *const *words, size_t count)
{
    Error err = {0};
    if (!check_words(words, count, NULL, &err))
        fail_msg("%s: %s", words[0], err.text);
}

static void
assert_refused(const char *task, const char *param, const char *id, const char *sentence)
{
    const char *const words[] = {task, param};
    Error err = {0};
    assert_false(check_words(words, param != NULL ? 2 : 1, id, &err));
    assert_int_equal(err.reason, REASON_USAGE);
    assert_string_equal(err.text, sentence);
}

static void
test_check_what_a_worker_takes_passes(void **state)
{
    (void)state;
    static const char *const all[] = {"scheduled_cleanup", "inactive_hours=0.001", "dry_run=true"};
    static const char *const user[] = {"cleanup_inactive_sessions_for_user",
                                       "user_id=0d0c0d0c-0000-4000-8000-000000000001"};
    static const char *const old[] = {"app.scheduler.run_cleanup_now"};
    assert_taken(all, ARRAY_LEN(all));
    assert_taken(user, ARRAY_LEN(user));
    assert_taken(old, ARRAY_LEN(old));
}

static void
test_check_mistyped_task_names_the_nearest(void **state)
{
    (void)state;
    assert_refused("scheduled_clenaup", NULL, NULL,
                   "there is no task \"scheduled_clenaup\"; did you mean scheduled_cleanup?");
    assert_refused("vacuum", NULL, NULL, "there is no task \"vacuum\"");
}

static void
test_check_mistyped_param_names_the_nearest_of_its_task(void **state)
{
    (void)state;
    assert_refused("expire_pending_bookings", "expiration_minute=5", NULL,
                   "expire_pending_bookings takes no param \"expiration_minute\"; did you mean "
                   "expiration_minutes?");
    assert_refused("expire_pending_bookings", "inactive_hour=5", NULL,
                   "expire_pending_bookings takes no param \"inactive_hour\"");
    assert_refused("app.scheduler.cleanup_inactive_sessions", "x=5", NULL,
                   "cleanup_inactive_sessions takes no param \"x\"");
}

static void
test_check_faulty_value_or_id_says_what_it_takes(void **state)
{
    (void)state;
    assert_refused("expire_pending_bookings", "expiration_minutes=many", NULL,
                   "expiration_minutes is \"many\", but takes a number above 0 and at most 525600");
    assert_refused(
        "cleanup_inactive_sessions_for_user", NULL, NULL,
        "cleanup_inactive_sessions_for_user needs the param user_id: a UUID as a string");
    assert_refused("scheduled_cleanup", NULL, "a b",
                   "command_id takes 1 to 64 characters of A-Z a-z 0-9 . _ : -");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_what_a_worker_takes_passes),
        cmocka_unit_test(test_check_mistyped_task_names_the_nearest),
        cmocka_unit_test(test_check_mistyped_param_names_the_nearest_of_its_task),
        cmocka_unit_test(test_check_faulty_value_or_id_says_what_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

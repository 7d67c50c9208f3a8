#include "tests/support/every_task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FOR_USER(number)                                                                           \
    "\"task\":\"cleanup_inactive_sessions_for_user\","                                             \
    "\"params\":{\"user_id\":\"00000000-0000-4000-8000-00000000000" number "\"}"

/* In this order; `count` is what the member at `path` says. */
static const struct {
    const char *members;
    const char *path;
    int64_t count;
} commands[] = {
    {"\"task\":\"get_inactive_sessions_preview\"", "data.total", 3},
    {"\"task\":\"cleanup_inactive_sessions\",\"params\":{\"dry_run\":true}",
     "data.deleted_image_records", 6},
    {FOR_USER("1"), "data.deleted_image_records", 2},
    {FOR_USER("4"), "data.deleted_sessions", 0},
    {"\"task\":\"get_expired_bookings_preview\"", "data.total", 2},
    {"\"task\":\"expire_pending_bookings\",\"params\":{\"expiration_minutes\":150}",
     "data.expired_bookings", 1},
    {"\"task\":\"scheduled_cleanup\"", "data.session_cleanup.deleted_sessions", 2},
    {"\"task\":\"cleanup_inactive_sessions\"", "data.deleted_sessions", 0},
};

void
every_task_fill(PgConn *app)
{
    postgres_clear(app);
    for (int user = 1; user <= 4; user++)
        application_add_user(app, user, 48);
    application_add_message(app, 4, "user", 1);
    application_add_message(app, 3, "user", 30);
    application_add_booking(app, "b1", "Pending", 3);
    application_add_booking(app, "b2", "Pending", 2);
    application_add_booking(app, "b3", "Confirmed", 2);
}

/* The requester is one that no LATIN1 database can hold. */
static void
run_twice(TestWorker *worker, size_t index)
{
    CLEANUP(sent_done) SentCommand sent = {0};
    CLEANUP(task_outcome_done) TaskOutcome first = {0};
    CLEANUP(task_outcome_done) TaskOutcome second = {0};
    sent_make(&sent, (int64_t)index,
              "{\"command_id\":\"c%zu\",\"requested_by\":\"\xE6\x97\xA5\xE6\x9C\xAC\",%s}", index,
              commands[index].members);
    worker_run(worker, &sent, &first);
    assert_int_equal(first.step, TASK_FINISHED);
    assert_outcome_text(&first, "status", "succeeded");
    assert_outcome_text(&first, "requested_by", "\xE6\x97\xA5\xE6\x9C\xAC");
    assert_int_equal(outcome_number(&first, commands[index].path), commands[index].count);
    worker_run(worker, &sent, &second);
    assert_published_again(&second, &first);
}

void
every_task_run(PgConn *app, const DatabaseSettings *settings)
{
    TestWorker worker;
    worker_open(&worker, settings, "w1");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        run_twice(&worker, i);
    worker_done(&worker);
    assert_int_equal(application_count_sessions(app), 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired'"),
                     2);
}

/* What the application does at the moments that hurt: each case is one place between two of the
 * worker's statements. */
#include "tests/support/cleaner.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static DatabaseSettings settings;
static PgConn *app;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

/* User 1 and user 2, each with one inactive session. */
static int
two_users(void **state)
{
    (void)state;
    postgres_clear(app);
    application_add_user(app, 1, 48);
    application_add_user(app, 2, 48);
    return 0;
}

static void
test_lock_message_in_flight_skips_the_user(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 2);
    postgres_exec(app, "BEGIN");
    application_add_message(app, 1, "user", 0);
    cleaner_lock(&cleaner);
    assert_int_equal(cleaner.candidates.count, 2);
    assert_false(cleaner.locked[0]);
    assert_true(cleaner.locked[1]);
    cleaner_finish(&cleaner);
    postgres_exec(app, "COMMIT");
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(cleaner.counts[1].sessions, 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's1'"), 1);
}

static void
test_delete_message_committed_after_first_look_deletes_nothing(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 1);
    assert_int_equal(cleaner.candidates.count, 1);
    application_add_message(app, 1, "user", 0);
    cleaner_lock(&cleaner);
    assert_true(cleaner.locked[0]);
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(cleaner.counts[0].images, 0);
    assert_int_equal(application_count_sessions(app), 2);
}

static void
test_delete_under_repeatable_read_default_sees_the_new_message(void **state)
{
    (void)state;
    postgres_exec(app, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET "
                       "default_transaction_isolation = ''repeatable read''', current_database()); "
                       "END $$");
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 1);
    application_add_message(app, 1, "user", 0);
    cleaner_lock(&cleaner);
    cleaner_finish(&cleaner);
    postgres_exec(app, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I RESET "
                       "default_transaction_isolation', current_database()); END $$");
    assert_int_equal(cleaner.candidates.count, 1);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(application_count_sessions(app), 2);
}

static void
test_delete_session_recreated_for_another_user_is_kept(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    application_add_message(app, 2, "user", 0);
    cleaner_begin(&cleaner, &settings, 1);
    postgres_exec(app, "DELETE FROM \"imageSent\" WHERE session_id = 's1'; "
                       "DELETE FROM \"videoSent\" WHERE session_id = 's1'; "
                       "DELETE FROM sessions WHERE id = 's1'");
    application_add_session(app, "s1", 2, 48);
    cleaner_lock(&cleaner);
    assert_true(cleaner.locked[0]); /* there is nothing to wait for */
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(application_count_sessions(app), 2);
}

static void
test_delete_session_recreated_for_a_locked_inactive_user_is_kept(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 2);
    assert_int_equal(cleaner.candidates.count, 2);
    postgres_exec(app, "UPDATE sessions SET user_id = '" USER_FORMAT "' WHERE id = 's1'", 2);
    cleaner_lock(&cleaner);
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(cleaner.counts[1].sessions, 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's1'"), 1);
}

static void
test_delete_session_renewed_meanwhile_is_kept(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 1);
    postgres_exec(app, "UPDATE sessions SET created_at = now() AT TIME ZONE 'UTC' WHERE id = 's1'");
    cleaner_lock(&cleaner);
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(application_count_sessions(app), 2);
}

static void
test_lock_vanished_session_counts_as_locked(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 1);
    postgres_exec(app,
                  "DELETE FROM \"imageSent\"; DELETE FROM \"videoSent\"; DELETE FROM sessions");
    cleaner_lock(&cleaner);
    assert_true(cleaner.locked[0]);
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 0);
}

static void
test_lock_image_insert_in_flight_skips_the_session(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 1);
    postgres_exec(app, "BEGIN; INSERT INTO \"imageSent\" (session_id, property_id) "
                       "SELECT 's1', property_id FROM properties");
    cleaner_lock(&cleaner);
    assert_false(cleaner.locked[0]);
    cleaner_finish(&cleaner);
    postgres_exec(app, "COMMIT");
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(
        postgres_number(app, "SELECT count(*) FROM \"imageSent\" WHERE session_id = 's1'"), 3);
}

static void
test_lock_child_held_by_others_skips_the_session(void **state)
{
    (void)state;
    static const char *const children[] = {"\"imageSent\"", "\"videoSent\""};
    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        CLEANUP(cleaner_done) Cleaner cleaner = {0};
        cleaner_begin(&cleaner, &settings, 1);
        postgres_exec(app,
                      "BEGIN; SELECT FROM %s WHERE id = (SELECT min(id) FROM %s "
                      "WHERE session_id = 's1') FOR UPDATE",
                      children[i], children[i]);
        cleaner_lock(&cleaner);
        assert_false(cleaner.locked[0]);
        cleaner_finish(&cleaner);
        postgres_exec(app, "COMMIT");
        assert_int_equal(application_count_sessions(app), 2);
    }
}

/* What a thread of the application does: its statement waits for the user that the worker has
 * locked. */
static void *
insert_message_and_commit(void *unused)
{
    Error err = {0};
    PGresult *result = NULL;
    (void)unused;
    const bool done = pg_conn_exec(app,
                                   "INSERT INTO messages (user_id, sender) SELECT user_id, 'user' "
                                   "FROM sessions WHERE id = 's1'; COMMIT",
                                   &result, &err);
    pg_result_free(result);
    return done ? app : NULL;
}

static void
test_lock_session_updated_before_a_message_spares_the_application(void **state)
{
    (void)state;
    CLEANUP(pg_conn_freep) PgConn *observer = postgres_connect();
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    pthread_t thread;
    void *succeeded = NULL;
    cleaner_begin(&cleaner, &settings, 2);
    postgres_exec(app, "BEGIN; UPDATE sessions SET booking_id = 'b' WHERE id = 's1'");
    cleaner_lock(&cleaner);
    assert_false(cleaner.locked[0]);
    assert_true(cleaner.locked[1]);
    assert_int_equal(pthread_create(&thread, NULL, insert_message_and_commit, NULL), 0);
    postgres_wait_until(observer,
                        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = "
                        "'Lock' AND application_name = 'application' "
                        "AND datname = current_database())");
    cleaner_finish(&cleaner);
    assert_int_equal(pthread_join(thread, &succeeded), 0);
    assert_non_null(succeeded);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(cleaner.counts[1].sessions, 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM messages"), 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's1'"), 1);
}

static void
test_message_while_locked_waits_and_its_user_stays(void **state)
{
    (void)state;
    CLEANUP(pg_conn_freep) PgConn *observer = postgres_connect();
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    pthread_t thread;
    void *succeeded = NULL;
    cleaner_begin(&cleaner, &settings, 1);
    cleaner_lock(&cleaner);
    assert_true(cleaner.locked[0]);
    postgres_exec(app, "BEGIN");
    assert_int_equal(pthread_create(&thread, NULL, insert_message_and_commit, NULL), 0);
    postgres_wait_until(observer,
                        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = "
                        "'Lock' AND application_name = 'application' "
                        "AND datname = current_database())");
    cleaner_finish(&cleaner);
    assert_int_equal(pthread_join(thread, &succeeded), 0);
    assert_non_null(succeeded);
    assert_int_equal(cleaner.counts[0].sessions, 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM users"), 2);
}

/* First look and locks of a set, in one statement. */
static void
find_and_lock(Cleaner *cleaner)
{
    Error err = {0};
    bool *locked = NULL;
    const SessionRequests requests = {cleaner->requests, cleaner->request_count};
    session_candidates_done(&cleaner->candidates);
    ASSERT_OK(database_limit_statements(cleaner->database, &err), &err);
    ASSERT_OK(session_find_and_lock(cleaner->database, &requests, 100, &cleaner->candidates,
                                    &locked, &err),
              &err);
    ASSERT_OK(database_stop_waiting(cleaner->database, &err), &err);
    ASSERT_OK(session_lock_rest(cleaner->database, &cleaner->candidates, false, locked, &err),
              &err);
    memcpy(cleaner->locked, locked, cleaner->candidates.count * sizeof(*locked));
}

static void
test_find_and_lock_skips_users_and_sessions_that_others_hold(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    application_add_user(app, 3, 48);
    application_add_session(app, "t3", 3, 48);
    postgres_exec(app, "BEGIN");
    application_add_message(app, 1, "user", 0);
    postgres_exec(app, "SELECT FROM sessions WHERE id = 't3' FOR KEY SHARE");
    cleaner_begin(&cleaner, &settings, 3);
    find_and_lock(&cleaner);
    assert_int_equal(cleaner.candidates.count, 4);
    for (size_t i = 0; i < cleaner.candidates.count; i++) {
        const char *id = cleaner.candidates.session_ids[i];
        const bool held = strcmp(id, "s1") == 0 || strcmp(id, "t3") == 0;
        assert_int_equal(cleaner.locked[i], !held);
        assert_int_equal(cleaner.candidates.ordinals[i], id[1] - '1');
    }
    cleaner_finish(&cleaner);
    postgres_exec(app, "COMMIT");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id IN ('s1', 't3')"),
                     2);
    assert_int_equal(application_count_sessions(app), 2);
}

/* What the statement that looks and locks has not seen, the next one sees. */
static void
test_delete_message_behind_the_locks_deletes_nothing(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 2);
    find_and_lock(&cleaner);
    assert_true(cleaner.locked[0] && cleaner.locked[1]);
    postgres_exec(app, "SET session_replication_role = replica"); /* no foreign key waits */
    application_add_message(app, 1, "user", 0);
    postgres_exec(app, "RESET session_replication_role");
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(cleaner.counts[1].sessions, 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's1'"), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lock_message_in_flight_skips_the_user, two_users),
        cmocka_unit_test_setup(test_delete_message_committed_after_first_look_deletes_nothing,
                               two_users),
        cmocka_unit_test_setup(test_delete_under_repeatable_read_default_sees_the_new_message,
                               two_users),
        cmocka_unit_test_setup(test_delete_session_recreated_for_another_user_is_kept, two_users),
        cmocka_unit_test_setup(test_delete_session_recreated_for_a_locked_inactive_user_is_kept,
                               two_users),
        cmocka_unit_test_setup(test_delete_session_renewed_meanwhile_is_kept, two_users),
        cmocka_unit_test_setup(test_lock_vanished_session_counts_as_locked, two_users),
        cmocka_unit_test_setup(test_lock_image_insert_in_flight_skips_the_session, two_users),
        cmocka_unit_test_setup(test_lock_child_held_by_others_skips_the_session, two_users),
        cmocka_unit_test_setup(test_lock_session_updated_before_a_message_spares_the_application,
                               two_users),
        cmocka_unit_test_setup(test_message_while_locked_waits_and_its_user_stays, two_users),
        cmocka_unit_test_setup(test_find_and_lock_skips_users_and_sessions_that_others_hold,
                               two_users),
        cmocka_unit_test_setup(test_delete_message_behind_the_locks_deletes_nothing, two_users),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

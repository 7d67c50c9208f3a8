#include "tests/support/cleaner.h"

#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    MANY_SESSIONS = 10000,
    WINDOW_ROWS = 600,
};

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

static int
clear(void **state)
{
    (void)state;
    postgres_clear(app);
    return 0;
}

static size_t
count_candidates(int users)
{
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, users);
    return cleaner.candidates.count;
}

static void
test_find_user_with_old_messages_or_bots_is_a_candidate(void **state)
{
    (void)state;
    application_add_user(app, 1, 48);
    application_add_message(app, 1, "user", 25);
    application_add_message(app, 1, "bot", 0);
    assert_int_equal(count_candidates(1), 1);
    application_add_message(app, 1, "user", 23);
    assert_int_equal(count_candidates(1), 0);
}

static void
test_find_null_message_time_keeps_and_null_session_time_is_old(void **state)
{
    (void)state;
    application_add_user(app, 1, 48);
    application_add_user(app, 2, 48);
    postgres_exec(app, "UPDATE sessions SET created_at = NULL WHERE id = 's1'");
    postgres_exec(app,
                  "INSERT INTO messages (user_id, sender, \"timestamp\") "
                  "VALUES ('" USER_FORMAT "', 'user', NULL)",
                  2);
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 2);
    assert_int_equal(cleaner.candidates.count, 1);
    assert_string_equal(cleaner.candidates.session_ids[0], "s1");
}

static void
test_find_new_session_is_no_candidate(void **state)
{
    (void)state;
    application_add_user(app, 1, 1);
    assert_int_equal(count_candidates(1), 0);
}

static void
test_delete_counts_per_request(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    application_add_session(app, "s1b", 1, 48);
    application_add_session(app, "s1new", 1, 1);
    application_add_message(app, 2, "user", 1);
    cleaner_begin(&cleaner, &settings, 4);
    cleaner_lock(&cleaner);
    cleaner_finish(&cleaner);
    static const SessionCounts expected[] = {{.sessions = 2, .images = 2, .videos = 1},
                                             {0},
                                             {.sessions = 1, .images = 2, .videos = 1},
                                             {0}};
    assert_memory_equal(cleaner.counts, expected, sizeof(expected));
    assert_int_equal(application_count_sessions(app), 2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM \"imageSent\""), 2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM \"videoSent\""), 1);
}

static void
test_delete_same_user_twice_counts_once(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    application_add_user(app, 1, 48);
    cleaner_begin(&cleaner, &settings, 1);
    session_candidates_done(&cleaner.candidates);
    Error err = {0};
    cleaner.requests[1] = cleaner.requests[0];
    cleaner.request_count = 2;
    const SessionRequests requests = {cleaner.requests, 2};
    bool *locked = NULL;
    ASSERT_OK(
        session_find_and_lock(cleaner.database, &requests, 100, &cleaner.candidates, &locked, &err),
        &err);
    assert_int_equal(cleaner.candidates.count, 2);
    assert_true(locked[0] && locked[1]);
    cleaner_lock(&cleaner);
    assert_true(cleaner.locked[0] && cleaner.locked[1]);
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 1);
    assert_int_equal(cleaner.counts[0].images, 2);
    assert_int_equal(cleaner.counts[1].sessions, 0);
}

static void
test_delete_unlocked_candidate_stays(void **state)
{
    (void)state;
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    application_add_user(app, 1, 48);
    cleaner_begin(&cleaner, &settings, 1);
    cleaner_lock(&cleaner);
    cleaner.locked[0] = false;
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(application_count_sessions(app), 1);
}

/* Runs one window and moves the cursor; returns how many rows it read. */
static size_t
clean_window(Database *database, const char *user_id, char cursor_user[64], char cursor_id[64],
             int64_t *deleted)
{
    Error err = {0};
    int64_t now_us;
    SessionCounts counts = {0};
    bool locked[WINDOW_ROWS];
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    const int64_t cutoff_us = now_us - INT64_C(24) * 3600 * CLOCK_US_PER_SECOND;
    const SessionRequest request = {"", cutoff_us};
    const SessionRequests requests = {&request, 1};
    const SessionWindow window = {cutoff_us, user_id, user_id, cursor_user, cursor_id, WINDOW_ROWS};
    ASSERT_OK(session_find_window(database, &window, &candidates, &err), &err);
    ASSERT_OK(session_lock(database, &candidates, locked, &err), &err);
    SessionDeletion deletion = {.counts = &counts};
    ASSERT_OK(session_delete_locked(database, &candidates, locked, &requests, &deletion, &err),
              &err);
    ASSERT_OK(database_commit(database, &err), &err);
    *deleted += counts.sessions;
    if (candidates.last_user_id != NULL) {
        (void)snprintf(cursor_user, 64, "%s", candidates.last_user_id);
        (void)snprintf(cursor_id, 64, "%s", candidates.last_session_id);
    }
    return candidates.window;
}

static int
clean_all(const char *user_id, int64_t *deleted)
{
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    char cursor_user[64] = "";
    char cursor_id[64] = "";
    int windows = 1;
    while (clean_window(database, user_id, cursor_user, cursor_id, deleted) == WINDOW_ROWS)
        windows++;
    return windows;
}

static void
add_many_sessions(void)
{
    application_add_user(app, 1, 48);
    application_add_user(app, 2, 48);
    application_add_user(app, 3, 48);
    application_add_message(app, 3, "user", 1);
    postgres_exec(app,
                  "INSERT INTO sessions (id, user_id, created_at) "
                  "SELECT 'many-' || n, '" USER_FORMAT "', "
                  "now() AT TIME ZONE 'UTC' - interval '30 days' "
                  "FROM generate_series(1, %d) AS n",
                  2, MANY_SESSIONS);
}

static void
test_window_user_with_many_sessions_is_cleaned_in_windows(void **state)
{
    (void)state;
    int64_t deleted = 0;
    add_many_sessions();
    const int windows = clean_all("", &deleted);
    assert_int_equal(deleted, MANY_SESSIONS + 2);
    assert_int_equal(windows, (MANY_SESSIONS + 3) / WINDOW_ROWS + 1);
    assert_int_equal(application_count_sessions(app), 1);
}

static void
test_window_of_one_user_leaves_the_others(void **state)
{
    (void)state;
    int64_t deleted = 0;
    char user_id[40];
    add_many_sessions();
    (void)snprintf(user_id, sizeof(user_id), USER_FORMAT, 2);
    (void)clean_all(user_id, &deleted);
    assert_int_equal(deleted, MANY_SESSIONS + 1);
    assert_int_equal(application_count_sessions(app), 2);
}

static void
test_window_moves_over_active_users(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    Error err = {0};
    int64_t now_us;
    for (int user = 1; user <= 3; user++) {
        application_add_user(app, user, 48);
        application_add_message(app, user, "user", 1);
    }
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    const SessionWindow window = {now_us - INT64_C(86400) * CLOCK_US_PER_SECOND, "", "", "", "", 2};
    ASSERT_OK(session_find_window(database, &window, &candidates, &err), &err);
    assert_int_equal(candidates.count, 0);
    assert_int_equal(candidates.window, 2);
    assert_string_equal(candidates.last_session_id, "s2");
}

static void
test_delete_session_with_listed_reference_is_kept_and_counted(void **state)
{
    (void)state;
    DatabaseSettings other = settings;
    other.tables.session_references = " \"Audit, log\" ,notes";
    postgres_exec(app, "CREATE TABLE \"Audit, log\" (session varchar(64) REFERENCES sessions); "
                       "CREATE TABLE notes (session varchar(64) REFERENCES sessions)");
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    postgres_exec(app, "INSERT INTO \"Audit, log\" VALUES ('s1'); INSERT INTO notes VALUES ('s2')");
    Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &other, 3);
    cleaner_lock(&cleaner);
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].referenced, 1);
    assert_int_equal(cleaner.counts[0].sessions, 0);
    assert_int_equal(cleaner.counts[0].images, 0);
    assert_int_equal(cleaner.counts[1].referenced, 1);
    assert_int_equal(cleaner.counts[2].sessions, 1);
    Error err = {0};
    int64_t now_us;
    SessionCounts counts;
    ASSERT_OK(database_begin(cleaner.database, DATABASE_READ, 0, &now_us, &err), &err);
    ASSERT_OK(session_count(cleaner.database, now_us, "", &counts, &err), &err);
    assert_int_equal(counts.referenced, 2);
    assert_int_equal(counts.sessions, 0);
    cleaner_done(&cleaner);
    postgres_exec(app, "DROP TABLE \"Audit, log\", notes");
}

static char *
preview(const char *user_id, int limit, int64_t *ret_total)
{
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    int64_t now_us;
    Preview found = {0};
    ASSERT_OK(database_begin(database, DATABASE_READ, 0, &now_us, &err), &err);
    const SessionRequest request = {user_id, now_us - INT64_C(86400) * CLOCK_US_PER_SECOND};
    ASSERT_OK(session_preview(database, &request, limit, &found, &err), &err);
    *ret_total = found.total;
    char *copy = strdup(found.data); /* its own ends with the database */
    assert_non_null(copy);
    return copy;
}

static void
test_preview_lists_oldest_first_with_matching_totals(void **state)
{
    (void)state;
    application_add_user(app, 1, 48);
    application_add_user(app, 2, 72);
    application_add_user(app, 3, 48);
    application_add_user(app, 4, 48);
    application_add_message(app, 3, "user", 1);
    postgres_exec(app, "UPDATE sessions SET created_at = NULL WHERE id = 's4'");
    postgres_exec(app, "UPDATE sessions SET created_at = '2020-01-02 03:04:05.000007' "
                       "WHERE id = 's2'");
    postgres_exec(app,
                  "INSERT INTO messages (user_id, sender, \"timestamp\") VALUES ('" USER_FORMAT
                  "', 'user', '2020-02-03 04:05:06')",
                  2);
    int64_t total;
    CLEANUP(autofree) char *data = preview("", 2, &total);
    const char *expected =
        "{\"inactive_sessions\":["
        "{\"session_id\":\"s4\",\"user_id\":\"00000000-0000-4000-8000-000000000004\","
        "\"created_at\":null,\"last_user_message_time\":null,"
        "\"property_id\":\"10000000-0000-4000-8000-000000000001\"},"
        "{\"session_id\":\"s2\",\"user_id\":\"00000000-0000-4000-8000-000000000002\","
        "\"created_at\":\"2020-01-02T03:04:05.000007Z\","
        "\"last_user_message_time\":\"2020-02-03T04:05:06.000000Z\","
        "\"property_id\":\"10000000-0000-4000-8000-000000000001\"}],"
        "\"total\":3,\"truncated\":true,\"image_records\":6,\"video_records\":3,"
        "\"cutoff_time\":\"";
    assert_memory_equal(data, expected, strlen(expected));
    assert_int_equal(total, 3);
}

static void
test_preview_of_one_user_or_none(void **state)
{
    (void)state;
    application_add_user(app, 1, 48);
    application_add_user(app, 2, 48);
    char user_id[40];
    (void)snprintf(user_id, sizeof(user_id), USER_FORMAT, 2);
    int64_t total;
    CLEANUP(autofree) char *first = preview(user_id, 100, &total);
    assert_int_equal(total, 1);
    (void)snprintf(user_id, sizeof(user_id), USER_FORMAT, 9);
    CLEANUP(autofree) char *second = preview(user_id, 100, &total);
    assert_int_equal(total, 0);
    CLEANUP(json_deletep) cJSON *one = cJSON_Parse(first);
    CLEANUP(json_deletep) cJSON *none = cJSON_Parse(second);
    assert_int_equal(cJSON_GetObjectItem(one, "total")->valueint, 1);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(one, "truncated")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(one, "inactive_sessions")), 1);
    assert_int_equal(cJSON_GetObjectItem(none, "total")->valueint, 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(none, "inactive_sessions")), 0);
}

static void
test_count_agrees_with_what_is_deleted(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    Error err = {0};
    int64_t now_us;
    SessionCounts counts;
    for (int user = 1; user <= 3; user++)
        application_add_user(app, user, 48);
    application_add_message(app, 2, "user", 1);
    ASSERT_OK(database_begin(database, DATABASE_READ, 0, &now_us, &err), &err);
    ASSERT_OK(
        session_count(database, now_us - INT64_C(86400) * CLOCK_US_PER_SECOND, "", &counts, &err),
        &err);
    database_rollback(database);
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &settings, 3);
    cleaner_lock(&cleaner);
    cleaner_finish(&cleaner);
    int64_t deleted[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        deleted[0] += cleaner.counts[i].sessions;
        deleted[1] += cleaner.counts[i].images;
        deleted[2] += cleaner.counts[i].videos;
    }
    assert_int_equal(counts.sessions, 2);
    assert_int_equal(deleted[0], counts.sessions);
    assert_int_equal(deleted[1], counts.images);
    assert_int_equal(deleted[2], counts.videos);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_find_user_with_old_messages_or_bots_is_a_candidate, clear),
        cmocka_unit_test_setup(test_find_null_message_time_keeps_and_null_session_time_is_old,
                               clear),
        cmocka_unit_test_setup(test_find_new_session_is_no_candidate, clear),
        cmocka_unit_test_setup(test_delete_counts_per_request, clear),
        cmocka_unit_test_setup(test_delete_same_user_twice_counts_once, clear),
        cmocka_unit_test_setup(test_delete_unlocked_candidate_stays, clear),
        cmocka_unit_test_setup(test_window_user_with_many_sessions_is_cleaned_in_windows, clear),
        cmocka_unit_test_setup(test_window_of_one_user_leaves_the_others, clear),
        cmocka_unit_test_setup(test_window_moves_over_active_users, clear),
        cmocka_unit_test_setup(test_delete_session_with_listed_reference_is_kept_and_counted,
                               clear),
        cmocka_unit_test_setup(test_preview_lists_oldest_first_with_matching_totals, clear),
        cmocka_unit_test_setup(test_preview_of_one_user_or_none, clear),
        cmocka_unit_test_setup(test_count_agrees_with_what_is_deleted, clear),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

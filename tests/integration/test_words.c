/*
 * Who counts as a user, and which bookings expire: by the words of the options, in columns of all
 * the types that hold words.
 */
#include "tests/support/application.h"
#include "worker/repository/booking_repository.h"
#include "worker/repository/session_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
    USERS_MAX = 16,
    LIST_BYTES = 256,
    OLD_HOURS = 48,
};

static PgConn *app;
static DatabaseSettings settings;

static int
begin(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    postgres_exec(app, "ALTER TABLE messages ALTER sender DROP NOT NULL, "
                       "DROP CONSTRAINT messages_sender_check; DROP INDEX bookings_pending; "
                       "ALTER TABLE bookings ALTER status DROP DEFAULT");
    return failed;
}

static int
end(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

/* A user for each sender, NULL for one more, with an old session and a message of this hour. */
static void
add_senders(const char *const *senders)
{
    for (int user = 1;; user++) {
        application_add_user(app, user, OLD_HOURS);
        postgres_exec(app,
                      "INSERT INTO messages (user_id, sender) VALUES ('" USER_FORMAT "', %s%s%s)",
                      user, senders[user - 1] != NULL ? "$$" : "",
                      senders[user - 1] != NULL ? senders[user - 1] : "NULL",
                      senders[user - 1] != NULL ? "$$" : "");
        if (senders[user - 1] == NULL)
            return;
    }
}

/* The numbers of the sessions that look inactive, each followed by a blank. */
static void
find_inactive(char ret_list[LIST_BYTES])
{
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(session_candidates_done) SessionCandidates candidates = {0};
    Error err = {0};
    int64_t now_us;
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    const SessionWindow window = {
        now_us - INT64_C(24) * 3600 * CLOCK_US_PER_SECOND, "", "", "", "", USERS_MAX};
    ASSERT_OK(session_find_window(database, &window, &candidates, &err), &err);
    ret_list[0] = '\0';
    for (size_t i = 0; i < candidates.count; i++) {
        (void)strncat(ret_list, candidates.session_ids[i] + 1, 8);
        (void)strncat(ret_list, " ", 2);
    }
    database_rollback(database);
}

static void
expect_inactive(const char *expected)
{
    char found[LIST_BYTES];
    find_inactive(found);
    assert_string_equal(found, expected);
}

static void
set_sender_type(const char *type)
{
    postgres_exec(app, "ALTER TABLE messages ALTER sender TYPE %s USING sender::%s", type, type);
}

static void
test_message_of_an_unknown_sender_keeps_its_users_session(void **state)
{
    (void)state;
    static const char *const senders[] = {"user", "USER", "agent", "bot", "Bot", NULL};
    static const char *const types[] = {"text", "varchar(10)", "char(10)"};
    add_senders(senders);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        set_sender_type(types[i]);
        expect_inactive("4 ");
    }
}

static void
test_senders_who_are_no_users_are_those_of_the_option(void **state)
{
    (void)state;
    static const char *const senders[] = {"user", "agent", "o'bot", "bot", NULL};
    add_senders(senders);
    settings.tables.message_sender_others = "agent, o'bot";
    expect_inactive("2 3 ");
    settings.tables.message_sender_others = "";
    expect_inactive("");
}

static void
test_senders_of_an_enum_need_not_have_every_word(void **state)
{
    (void)state;
    static const char *const senders[] = {"user", "bot", NULL};
    postgres_exec(app, "CREATE TYPE who AS ENUM ('user', 'bot'); CREATE DOMAIN whose AS who");
    set_sender_type("whose");
    add_senders(senders);
    settings.tables.message_sender_others = "bot,agent";
    expect_inactive("2 ");
}

/* In a schema that no search path names. */
static void
add_citext(void)
{
    postgres_exec(app, "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions");
}

static void
test_senders_of_citext_are_the_same_in_any_case(void **state)
{
    (void)state;
    static const char *const senders[] = {"USER", "BOT", "bot", NULL};
    add_citext();
    set_sender_type("extensions.citext");
    add_senders(senders);
    settings.tables.message_sender_others = "Bot";
    expect_inactive("2 3 ");
}

/* Whether the one booking expires, by a batch and in a dry run. */
static bool
expires(void)
{
    CLEANUP(database_freep) Database *database = postgres_open(&settings);
    CLEANUP(booking_batch_done) BookingBatch batch = {0};
    Error err = {0};
    int64_t now_us;
    int64_t total;
    bool locked = false;
    bool expired = false;
    bool kept = false;
    const BookingChange change = {&expired, &kept};
    BookingList listed;
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    ASSERT_OK(booking_count(database, now_us, &total, &listed, &err), &err);
    const BookingWindow window = {now_us, "", "", 1};
    ASSERT_OK(booking_find_expired(database, &window, &batch, &err), &err);
    assert_int_equal(batch.count, total);
    const char *id = "b";
    const BookingList bookings = {&id, 1};
    ASSERT_OK(booking_lock(database, &bookings, &locked, &err), &err);
    ASSERT_OK(booking_expire_locked(database, now_us, &bookings, &locked, &change, &err), &err);
    assert_int_equal(expired, total);
    ASSERT_OK(database_commit(database, &err), &err);
    return expired;
}

static void
expect_word(const char *type, const char *status, const char *expected)
{
    postgres_exec(app,
                  "DELETE FROM bookings; ALTER TABLE bookings ALTER status TYPE %s USING "
                  "status::text::%s; INSERT INTO bookings (booking_id, status, created_at) VALUES "
                  "('b', $$%s$$, '2025-01-01')",
                  type, type, status);
    assert_int_equal(expires(), strcmp(status, expected) != 0);
    assert_int_equal(
        postgres_number(app, "SELECT count(*) FROM bookings WHERE status::text = $$%s$$", expected),
        1);
}

static void
test_bookings_of_the_pending_word_get_the_expired_word(void **state)
{
    (void)state;
    static const char *const types[] = {"text", "varchar(20)", "char(20)", "mood"};
    postgres_exec(app, "CREATE TYPE mood AS ENUM ('it''s open', 'it''s over', 'Pending')");
    settings.tables.booking_status_pending = "it's open";
    settings.tables.booking_status_expired = "it's over";
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        expect_word(types[i], "it's open", "it's over");
        expect_word(types[i], "Pending", "Pending");
    }
}

static void
test_bookings_of_citext_are_pending_in_any_case(void **state)
{
    (void)state;
    add_citext();
    expect_word("extensions.citext", "PENDING", "Expired");
    expect_word("extensions.citext", "Confirmed", "Confirmed");
    expect_word("text", "PENDING", "PENDING");
}

/* Statistics know the words, too. */
static void
test_estimate_counts_the_pending_word(void **state)
{
    (void)state;
    CLEANUP(database_freep) Database *database = NULL;
    Error err = {0};
    int64_t now_us;
    int64_t rows;
    postgres_exec(app, "ALTER TABLE bookings ALTER status TYPE text; INSERT INTO bookings "
                       "(booking_id, status) SELECT n::text, CASE WHEN n <= 30 THEN 'open' ELSE "
                       "'Pending' END FROM generate_series(1, 100) n; ANALYZE bookings");
    settings.tables.booking_status_pending = "open";
    database = postgres_open(&settings);
    ASSERT_OK(database_begin(database, DATABASE_READ, 0, &now_us, &err), &err);
    ASSERT_OK(booking_estimate(database, &rows, &err), &err);
    assert_int_equal(rows, 30);
}

int
main(void)
{
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_message_of_an_unknown_sender_keeps_its_users_session,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_senders_who_are_no_users_are_those_of_the_option,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_senders_of_an_enum_need_not_have_every_word, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_senders_of_citext_are_the_same_in_any_case, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_bookings_of_the_pending_word_get_the_expired_word,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_bookings_of_citext_are_pending_in_any_case, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_estimate_counts_the_pending_word, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

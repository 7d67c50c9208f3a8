/* Senders and statuses: what a walk finds, and that its statements mend it. */
#include "tests/support/application.h"
#include "tests/support/look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static PgConn *app;

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    app = postgres_connect();
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

static void
begin_words(Look *look)
{
    look_init(look);
    postgres_clear(app);
    postgres_exec(app, "INSERT INTO users VALUES ('" USER_FORMAT "')", 1);
    look->blind = true; /* PostgreSQL refuses words that an enum does not know */
}

static void
add_senders(const char *sender, int count)
{
    postgres_exec(app,
                  "INSERT INTO messages (user_id, sender) SELECT '" USER_FORMAT "', '%s' "
                  "FROM generate_series(1, %d)",
                  1, sender, count);
}

static void
test_walk_over_senders_that_check_shows_lists_them(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    postgres_exec(app,
                  "ALTER TABLE messages DROP CONSTRAINT messages_sender_check; ALTER TABLE "
                  "messages ADD CONSTRAINT c CHECK (sender IN ('user', 'bot', 'agent', 'it''s'))");
    look_mends(&look, app, "sender_word", "has 'agent', 'it''s', which no option names");
    assert_string_equal(look.settings.tables.message_sender_user, "user,agent,it's");
    assert_string_equal(look.settings.tables.message_sender_others, "bot");
    postgres_exec(app, "ALTER TABLE messages DROP CONSTRAINT c");
}

static void
test_walk_over_senders_of_another_case_names_the_near_miss(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    add_senders("USER", 50);
    add_senders("Bot", 50);
    postgres_exec(app, "ANALYZE messages");
    look_mends(&look, app, "sender_word", "has 'Bot' (nearly 'bot'), 'USER' (nearly 'user')");
    assert_string_equal(look.settings.tables.message_sender_user, "user,USER");
    assert_string_equal(look.settings.tables.message_sender_others, "bot,Bot");
}

static void
test_walk_over_a_table_that_was_never_analyzed_looks_at_its_newest_rows(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    postgres_exec(app, "ALTER TABLE messages SET (autovacuum_enabled = off)");
    add_senders("bot", 20000);
    add_senders("USER", 1);
    look_mends(&look, app, "sender_word", "'USER' (nearly 'user')");
    postgres_exec(app, "DELETE FROM messages WHERE sender = 'USER'");
}

static void
test_walk_over_a_sender_with_blanks_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    add_senders("user ", 50);
    postgres_exec(app, "ANALYZE messages");
    look_mends(&look, app, "sender_word", "'user ' (nearly 'user')");
    assert_string_equal(look.settings.tables.message_sender_user, "user,user ");
}

static void
test_walk_over_an_enum_of_senders_without_the_user_says_so(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    postgres_exec(app,
                  "CREATE TYPE who AS ENUM ('guest', 'bot'); ALTER TABLE messages ALTER COLUMN "
                  "sender TYPE who USING sender::who");
    (void)look_find_among(&look, FINDING_FAIL, "sender_word", "cannot be 'user'");
    look_apply(&look, app, look_find_among(&look, FINDING_FAIL, "sender_word", "has 'guest'"));
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE messages ALTER COLUMN sender TYPE char(10); DROP TYPE who");
    add_senders("user", 20);
    postgres_exec(app, "ANALYZE messages");
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE messages ALTER COLUMN sender TYPE varchar(10)");
}

static void
test_walk_over_many_senders_lists_ten(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    postgres_exec(app,
                  "INSERT INTO messages (user_id, sender) SELECT '" USER_FORMAT "', 'name ' || "
                  "n %% 12 FROM generate_series(1, 1200) AS n; ANALYZE messages",
                  1);
    look_mends(&look, app, "sender_word", "'name 7' and 2 more, which");
    postgres_exec(app, "TRUNCATE messages; ANALYZE messages");
}

static void
test_walk_over_statuses_of_another_case_is_mended_by_the_option(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    postgres_exec(app, "ALTER TYPE booking_status RENAME VALUE 'Pending' TO 'pending'; "
                       "ALTER TYPE booking_status RENAME VALUE 'Expired' TO 'EXPIRED'");
    look_apply(&look, app,
               look_find_among(&look, FINDING_FAIL, "status_word",
                               "cannot be 'Pending', nearly 'pending'"));
    look_mends(&look, app, "status_word", "cannot be 'Expired', nearly 'EXPIRED'");
    assert_string_equal(look.settings.tables.booking_status_pending, "pending");
    assert_string_equal(look.settings.tables.booking_status_expired, "EXPIRED");
    postgres_exec(app, "ALTER TYPE booking_status RENAME VALUE 'pending' TO 'Pending'; "
                       "ALTER TYPE booking_status RENAME VALUE 'EXPIRED' TO 'Expired'");
}

static void
test_walk_over_statuses_without_the_words_lists_those_there_are(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    postgres_exec(app, "ALTER TYPE booking_status RENAME VALUE 'Pending' TO 'Open'");
    const Finding *finding =
        look_find(&look, FINDING_FAIL, "status_word", "it takes 'Open', 'Waiting'");
    assert_null(finding->mend);
    postgres_exec(app, "ALTER TYPE booking_status RENAME VALUE 'Open' TO 'Pending'; "
                       "ALTER TYPE booking_status RENAME VALUE 'Expired' TO 'Lapsed'");
    look_mends(&look, app, "status_word", "cannot be 'Expired', it takes");
}

static void
test_walk_over_statuses_that_a_check_or_statistics_show_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    look.settings.tables.bookings = "trips";
    postgres_exec(app, "CREATE TABLE trips (LIKE bookings); ALTER TABLE trips ADD PRIMARY KEY "
                       "(booking_id);  ALTER TABLE trips ALTER COLUMN "
                       "status TYPE text; CREATE INDEX ON trips (created_at); ALTER TABLE trips "
                       "ADD CONSTRAINT c CHECK (status = 'Pending' OR status = "
                       "'expired')");
    look_mends(&look, app, "status_word", "cannot be 'Expired', nearly 'expired'");
    look.settings.tables.booking_status_expired = "Expired";
    postgres_exec(app,
                  "ALTER TABLE trips DROP CONSTRAINT c; INSERT INTO trips (booking_id, status) "
                  "SELECT n::text, 'PENDING' FROM generate_series(1, 50) AS n");
    postgres_exec(app, "ANALYZE trips");
    look_mends(&look, app, "status_word", "has 'PENDING', nearly the 'Pending'");
    postgres_exec(app, "DROP TABLE trips");
}

static void
test_walk_does_not_let_an_added_label_hide_the_other_one(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_words(&look);
    postgres_exec(app, "ALTER TYPE booking_status ADD VALUE 'pending'");
    postgres_exec(app, "ANALYZE bookings");
    look_passes(&look);
    postgres_exec(
        app, "ALTER TABLE bookings SET (autovacuum_enabled = off); INSERT INTO bookings "
             "(booking_id, status) SELECT n::text, 'pending' FROM generate_series(1, 50) AS n");
    postgres_exec(app, "ANALYZE bookings");
    look_mends(&look, app, "status_word", "has 'pending', nearly the 'Pending'");
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_over_senders_that_check_shows_lists_them),
        cmocka_unit_test(test_walk_over_senders_of_another_case_names_the_near_miss),
        cmocka_unit_test(test_walk_over_a_table_that_was_never_analyzed_looks_at_its_newest_rows),
        cmocka_unit_test(test_walk_over_a_sender_with_blanks_is_mended),
        cmocka_unit_test(test_walk_over_an_enum_of_senders_without_the_user_says_so),
        cmocka_unit_test(test_walk_over_many_senders_lists_ten),
        cmocka_unit_test(test_walk_over_statuses_of_another_case_is_mended_by_the_option),
        cmocka_unit_test(test_walk_over_statuses_without_the_words_lists_those_there_are),
        cmocka_unit_test(test_walk_over_statuses_that_a_check_or_statistics_show_is_mended),
        cmocka_unit_test(test_walk_does_not_let_an_added_label_hide_the_other_one),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

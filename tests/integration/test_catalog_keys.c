/* Foreign keys, references and publications: what a walk finds, and that its statements mend it. */
#include "tests/support/application.h"
#include "tests/support/cleaner.h"
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
test_walk_over_foreign_keys_missing_deferrable_or_not_valid_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "ALTER TABLE messages DROP CONSTRAINT messages_user_id_fkey");
    look_mends(&look, app, "foreign_key_missing", "none on public.messages (user_id)");
    postgres_exec(app, "ALTER TABLE messages ALTER CONSTRAINT messages_user_id_fkey DEFERRABLE");
    look_mends(&look, app, "foreign_key_deferrable", "messages_user_id_fkey of public.messages");
    postgres_exec(app, "ALTER TABLE messages DROP CONSTRAINT messages_user_id_fkey; ALTER TABLE "
                       "messages ADD CONSTRAINT \"Fk\" FOREIGN KEY (user_id) REFERENCES users NOT "
                       "VALID");
    look_mends(&look, app, "foreign_key_not_valid", "\"Fk\" of public.messages");
    postgres_exec(app, "ALTER TABLE \"imageSent\" DROP CONSTRAINT \"imageSent_session_id_fkey\"");
    look_mends(&look, app, "foreign_key_missing", "none on public.\"imageSent\" (session_id)");
    postgres_exec(app, "ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey");
    look_mends(&look, app, "foreign_key_missing", "none on public.sessions (user_id)");
}

static void
test_walk_over_foreign_keys_that_are_switched_off_is_mended(void **state)
{
    (void)state;
    static const char *const tables[] = {"messages", "sessions", "users", "\"videoSent\""};
    static const char *const modes[] = {"DISABLE TRIGGER ALL", "ENABLE REPLICA TRIGGER"};
    CLEANUP(look_done) Look look;
    look_init(&look);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        postgres_exec(app, "ALTER TABLE %s DISABLE TRIGGER ALL", tables[i]);
        const Finding *finding =
            look_find_among(&look, FINDING_FAIL, "foreign_key_disabled", "is switched off");
        while (finding != NULL) {
            look_apply(&look, app, finding);
            look_walk(&look);
            finding = findings_first(&look.findings, FINDING_FAIL);
        }
        look_passes(&look);
    }
    postgres_exec(app,
                  "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE messages %s %%I', tgname) FROM "
                  "pg_trigger WHERE tgrelid = 'messages'::regclass LIMIT 1); END $$",
                  modes[1]);
    look_mends(&look, app, "foreign_key_disabled", "public.messages");
    postgres_exec(app, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; "
                       "END'; CREATE TRIGGER own BEFORE UPDATE ON messages FOR EACH ROW EXECUTE "
                       "FUNCTION f(); ALTER TABLE messages DISABLE TRIGGER own");
    look_passes(&look);
    postgres_exec(app, "DROP FUNCTION f CASCADE");
}

static void
test_walk_over_an_unlisted_reference_is_mended_by_listing_it(void **state)
{
    (void)state;
    static const char *const actions[] = {"CASCADE", "SET NULL", "NO ACTION", "RESTRICT"};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        CLEANUP(look_done) Look look;
        look_init(&look);
        postgres_exec(app,
                      "CREATE TABLE \"My notes\" (session varchar(64) CONSTRAINT notes_session "
                      "REFERENCES sessions ON DELETE %s); CREATE INDEX ON \"My notes\" "
                      "(session); CREATE TABLE tags (session varchar(64) REFERENCES sessions)",
                      actions[i]);
        (void)look_find_among(&look, FINDING_FAIL, "reference_unlisted", "public.tags");
        look_apply(&look, app,
                   look_find_among(&look, FINDING_FAIL, "reference_unlisted",
                                   "public.\"My notes\" references sessions"));
        assert_string_equal(look.settings.tables.session_references,
                            "public.\"My notes\",public.tags");
        look_apply(&look, app,
                   look_find(&look, FINDING_WARN, "index_missing", "public.tags (session)"));
        look_passes(&look);
        postgres_exec(app, "DROP TABLE \"My notes\", tags");
    }
}

static void
test_walk_over_a_reference_to_a_record_names_what_makes_it_safe(void **state)
{
    (void)state;
    static const char *const actions[] = {"CASCADE", "SET NULL"};
    static const char *const tables[] = {"\"imageSent\"", "\"videoSent\""};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        CLEANUP(look_done) Look look;
        look_init(&look);
        postgres_exec(app,
                      "CREATE TABLE reactions (record int REFERENCES %s ON DELETE %s); "
                      "CREATE INDEX ON reactions (record)",
                      tables[i], actions[i]);
        look_mends(&look, app, "reference_acts", "of public.reactions follows deletes of");
        assert_string_equal(look.settings.tables.session_references, "public.reactions");
        postgres_exec(app, "DROP TABLE reactions");
    }
}

static void
test_walk_over_a_listed_reference_to_a_record_keeps_its_session(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "CREATE TABLE reactions (image int REFERENCES \"imageSent\"); "
                       "CREATE INDEX ON reactions (image)");
    look_mends(&look, app, "reference_unlisted", "public.reactions references \"imageSent\"");
    application_add_user(app, 1, 48);
    application_add_user(app, 2, 48);
    postgres_exec(app, "INSERT INTO reactions SELECT id FROM \"imageSent\" WHERE session_id = 's1' "
                       "LIMIT 1");
    CLEANUP(cleaner_done) Cleaner cleaner = {0};
    cleaner_begin(&cleaner, &look.settings, 2);
    cleaner_lock(&cleaner);
    cleaner_finish(&cleaner);
    assert_int_equal(cleaner.counts[0].referenced, 1);
    assert_int_equal(cleaner.counts[1].sessions, 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM sessions WHERE id = 's1'"), 1);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM \"imageSent\""), 2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM reactions"), 1);
    postgres_clear(app);
    postgres_exec(app, "DROP TABLE reactions");
}

static void
test_walk_over_listed_references_that_cannot_be_relied_on_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    look.settings.tables.session_references = "notes";
    postgres_exec(app, "CREATE TABLE notes (session varchar(64) CONSTRAINT notes_session "
                       "REFERENCES sessions); CREATE INDEX ON notes (session)");
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE notes ALTER CONSTRAINT notes_session DEFERRABLE");
    look_mends(&look, app, "foreign_key_deferrable", "notes_session of public.notes");
    postgres_exec(app, "ALTER TABLE notes DISABLE TRIGGER ALL");
    look_mends(&look, app, "foreign_key_disabled", "notes_session of public.notes");
    postgres_exec(app, "ALTER TABLE notes DROP CONSTRAINT notes_session; ALTER TABLE notes ADD "
                       "CONSTRAINT again FOREIGN KEY (session) REFERENCES sessions NOT VALID");
    look_mends(&look, app, "foreign_key_not_valid", "again of public.notes");
    postgres_exec(app, "ALTER TABLE notes DROP CONSTRAINT again");
    (void)look_find(&look, FINDING_FAIL, "reference_missing", "notes");
    postgres_exec(app, "DROP TABLE notes");
}

static void
test_walk_over_a_published_table_without_identity_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app, "CREATE PUBLICATION all_of_it FOR ALL TABLES");
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE sessions REPLICA IDENTITY NOTHING");
    look_mends(&look, app, "replica_identity", "all_of_it publishes public.sessions");
    postgres_exec(app, "ALTER TABLE \"imageSent\" DROP CONSTRAINT \"imageSent_pkey\"");
    look_mends(&look, app, "replica_identity", "publishes public.\"imageSent\"");
    postgres_exec(app, "ALTER TABLE messages REPLICA IDENTITY NOTHING");
    look_passes(&look);
    postgres_exec(app, "DROP PUBLICATION all_of_it; ALTER TABLE bookings REPLICA IDENTITY NOTHING; "
                       "CREATE PUBLICATION inserts FOR TABLE bookings WITH (publish = 'insert')");
    look_passes(&look);
    postgres_exec(app, "ALTER PUBLICATION inserts SET (publish = 'insert, update')");
    look_mends(&look, app, "replica_identity", "inserts publishes public.bookings");
    postgres_exec(app, "DROP PUBLICATION inserts");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_over_foreign_keys_missing_deferrable_or_not_valid_is_mended),
        cmocka_unit_test(test_walk_over_foreign_keys_that_are_switched_off_is_mended),
        cmocka_unit_test(test_walk_over_an_unlisted_reference_is_mended_by_listing_it),
        cmocka_unit_test(test_walk_over_a_reference_to_a_record_names_what_makes_it_safe),
        cmocka_unit_test(test_walk_over_a_listed_reference_to_a_record_keeps_its_session),
        cmocka_unit_test(test_walk_over_listed_references_that_cannot_be_relied_on_is_mended),
        cmocka_unit_test(test_walk_over_a_published_table_without_identity_is_mended),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

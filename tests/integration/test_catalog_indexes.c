/* Missing indexes: what a walk finds, and that its statements mend it. */
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

/* Indexes as in the sample, whatever the test before left. */
static void
begin_indexes(Look *look)
{
    look_init(look);
    postgres_exec(
        app, "DO $$ DECLARE i regclass; BEGIN FOR i IN SELECT indexrelid FROM pg_index WHERE "
             "indrelid IN ('sessions'::regclass, 'messages'::regclass, "
             "'\"imageSent\"'::regclass, '\"videoSent\"'::regclass, 'bookings'::regclass) "
             "AND NOT indisprimary LOOP EXECUTE 'DROP INDEX ' || i; END LOOP; END $$; "
             "DROP TABLE IF EXISTS notes, reactions, parted; "
             "ALTER TABLE bookings DROP CONSTRAINT IF EXISTS bookings_pkey; "
             "ALTER TABLE bookings ADD PRIMARY KEY (booking_id); "
             "CREATE INDEX sessions_user_id ON sessions (user_id, id); "
             "CREATE INDEX messages_user_id_timestamp ON messages (user_id, \"timestamp\"); "
             "CREATE INDEX image_sent_session_id ON \"imageSent\" (session_id); "
             "CREATE INDEX video_sent_session_id ON \"videoSent\" (session_id); "
             "CREATE INDEX bookings_pending ON bookings (created_at, booking_id) WHERE status = "
             "'Pending'");
}

/* As the catalog remembers it. */
static void
pretend_rows(const char *table, int rows)
{
    postgres_exec(app, "UPDATE pg_class SET reltuples = %d WHERE oid = '%s'::regclass", rows,
                  table);
}

static void
assert_index_is_missed(const char *index, const char *table, const char *text)
{
    CLEANUP(look_done) Look look;
    begin_indexes(&look);
    postgres_exec(app, "DROP INDEX %s", index);
    pretend_rows(table, 100);
    (void)look_find(&look, FINDING_WARN, "index_missing", text);
    pretend_rows(table, 10001);
    look.settings.tables.allow_missing_indexes = true;
    (void)look_find(&look, FINDING_WARN, "index_missing", text);
    look.settings.tables.allow_missing_indexes = false;
    look_mends(&look, app, "index_missing", text);
}

static void
test_walk_without_an_index_warns_and_refuses_of_a_large_table(void **state)
{
    (void)state;
    assert_index_is_missed("image_sent_session_id", "\"imageSent\"",
                           "none on public.\"imageSent\" (session_id)");
    assert_index_is_missed("video_sent_session_id", "\"videoSent\"",
                           "none on public.\"videoSent\" (session_id)");
    assert_index_is_missed("messages_user_id_timestamp", "messages",
                           "none on public.messages (user_id");
    assert_index_is_missed("sessions_user_id", "sessions", "none on public.sessions (user_id, id)");
}

static void
test_walk_without_an_index_of_bookings_only_warns(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_indexes(&look);
    postgres_exec(app, "DROP INDEX bookings_pending");
    pretend_rows("bookings", 1000000);
    look_apply(
        &look, app,
        look_find(&look, FINDING_WARN, "index_missing", "none on public.bookings (created_at"));
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE bookings DROP CONSTRAINT bookings_pkey");
    pretend_rows("bookings", 1000000);
    look_mends(&look, app, "index_missing", "none on public.bookings (booking_id)");
}

static void
test_walk_over_an_index_that_does_not_serve_finds_it_missing(void **state)
{
    (void)state;
    static const char *const useless[] = {
        "(property_id, session_id)",
        "(session_id) WHERE property_id IS NULL",
        "(lower(session_id))",
        "USING brin (property_id)",
    };
    CLEANUP(look_done) Look look;
    begin_indexes(&look);
    postgres_exec(app, "DROP INDEX image_sent_session_id");
    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        postgres_exec(app, "CREATE INDEX useless ON \"imageSent\" %s", useless[i]);
        pretend_rows("\"imageSent\"", 20000);
        (void)look_find(&look, FINDING_FAIL, "index_missing", "\"imageSent\" (session_id)");
        postgres_exec(app, "DROP INDEX useless");
    }
    postgres_exec(app, "CREATE INDEX ON \"imageSent\" USING hash (session_id)");
    look_passes(&look);
}

static void
test_walk_over_an_invalid_index_drops_it_first(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_indexes(&look);
    postgres_exec(app, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
                       "'sessions_user_id'::regclass");
    const Finding *finding =
        look_find(&look, FINDING_WARN, "index_missing", "public.sessions (user_id, id)");
    assert_int_equal(strncmp(finding->mend, "DROP INDEX CONCURRENTLY public.sessions_user_id;", 48),
                     0);
    look_apply(&look, app, finding);
    look_passes(&look);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
}

static void
test_walk_over_a_reference_without_an_index_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_indexes(&look);
    look.settings.tables.session_references = "notes,reactions";
    postgres_exec(app, "CREATE TABLE notes (session varchar(64) REFERENCES sessions); "
                       "CREATE TABLE reactions (image int REFERENCES \"imageSent\")");
    pretend_rows("notes", 20000);
    (void)look_find_among(&look, FINDING_WARN, "index_missing", "public.reactions (image)");
    look_apply(&look, app,
               look_find_among(&look, FINDING_FAIL, "index_missing", "public.notes (session)"));
    look_apply(&look, app,
               look_find(&look, FINDING_WARN, "index_missing", "public.reactions (image)"));
    look_passes(&look);
    postgres_exec(app, "DROP TABLE notes, reactions");
}

static void
test_walk_over_partitions_without_an_index_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    begin_indexes(&look);
    look.settings.tables.messages = "parted";
    postgres_exec(app,
                  "CREATE TABLE parted (LIKE messages INCLUDING DEFAULTS, FOREIGN KEY (user_id) "
                  "REFERENCES users) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF "
                  "parted FOR VALUES FROM (0) TO (100); CREATE TABLE parted_2 PARTITION OF parted "
                  "FOR VALUES FROM (100) TO (200); CREATE INDEX ON parted_1 (user_id)");
    pretend_rows("parted_1", 6000);
    pretend_rows("parted_2", 6000);
    look_mends(&look, app, "index_missing",
               "none on public.parted (user_id, \"timestamp\"), about 12000 rows");
    postgres_exec(app, "DROP TABLE parted");
}

static void
test_mend_creates_indexes_once_and_names_what_fails(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    CLEANUP(findings_done) Findings failed = {0};
    Error err = {0};
    int64_t done = 0;
    begin_indexes(&look);
    postgres_exec(app, "DROP INDEX image_sent_session_id, video_sent_session_id");
    (void)look_find_among(&look, FINDING_WARN, "index_missing", "imageSent");
    Finding wrong = {.level = FINDING_FAIL,
                     .code = "x",
                     .subject = "x",
                     .what = "x",
                     .mend = "CREATE INDEX ON nothing (at_all);"};
    assert_true(findings_add(&look.findings, &wrong, &err));
    CLEANUP(database_freep) Database *database = postgres_open(&look.settings);
    ASSERT_OK(catalog_mend(database, &look.findings, &done, &failed, &err), &err);
    assert_int_equal(done, 2);
    assert_int_equal(failed.count, 1);
    assert_non_null(strstr(failed.list[0].what, "nothing"));
    look_passes(&look);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_without_an_index_warns_and_refuses_of_a_large_table),
        cmocka_unit_test(test_walk_without_an_index_of_bookings_only_warns),
        cmocka_unit_test(test_walk_over_an_index_that_does_not_serve_finds_it_missing),
        cmocka_unit_test(test_walk_over_an_invalid_index_drops_it_first),
        cmocka_unit_test(test_walk_over_a_reference_without_an_index_is_mended),
        cmocka_unit_test(test_walk_over_partitions_without_an_index_is_mended),
        cmocka_unit_test(test_mend_creates_indexes_once_and_names_what_fails),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

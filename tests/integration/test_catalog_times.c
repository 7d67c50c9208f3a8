/* Time zones and newest rows: what a walk finds, and that its statements mend it. */
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

static char database[64];

static void
set_zone(const char *zone)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error err = {0};
    ASSERT_OK(pg_conn_exec(app, "SELECT quote_ident(current_database())", &result, &err), &err);
    (void)snprintf(database, sizeof(database), "%s", pg_result_text(result, 0, 0));
    postgres_exec(app, "ALTER DATABASE %s SET TimeZone = '%s'", database, zone);
}

static void
reset_zone(void)
{
    postgres_exec(
        app,
        "ALTER DATABASE %s RESET TimeZone; ALTER TABLE bookings ALTER COLUMN created_at SET "
        "DEFAULT (now() AT TIME ZONE 'UTC'), ALTER COLUMN updated_at SET DEFAULT "
        "(now() AT TIME ZONE 'UTC')",
        database);
}

static void
test_walk_over_a_local_default_in_another_zone_is_mended(void **state)
{
    (void)state;
    static const char *const defaults[] = {
        "now()",
        "CURRENT_TIMESTAMP",
        "LOCALTIMESTAMP",
        "transaction_timestamp()",
        "clock_timestamp()::timestamp",
        "statement_timestamp() + interval '0 s'",
        "'now'::text::timestamp",
        "date_trunc('second', now())",
    };
    CLEANUP(look_done) Look look;
    look_init(&look);
    set_zone("America/Los_Angeles");
    look_passes(&look);
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        postgres_exec(app, "ALTER TABLE bookings ALTER COLUMN created_at SET DEFAULT %s",
                      defaults[i]);
        look_mends(&look, app, "time_zone_default",
                   "public.bookings.created_at defaults to the clock of America/Los_Angeles");
    }
    reset_zone();
}

static void
test_walk_over_a_local_default_passes_with_the_option(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    set_zone("America/Los_Angeles");
    postgres_exec(app, "ALTER TABLE sessions ALTER COLUMN created_at SET DEFAULT now(); "
                       "ALTER TABLE messages ALTER COLUMN \"timestamp\" SET DEFAULT now(); "
                       "ALTER TABLE bookings ALTER COLUMN created_at SET DEFAULT now()");
    (void)look_find_among(&look, FINDING_FAIL, "time_zone_default",
                          "public.messages.\"timestamp\"");
    assert_int_equal(findings_count(&look.findings, FINDING_FAIL), 3);
    look.settings.tables.time_zone = "America/Los_Angeles";
    look.settings.tables.time_zone_is_given = true;
    look_apply(&look, app,
               look_find_among(&look, FINDING_WARN, "time_zone_default", "bookings.updated_at"));
    look_walk(&look);
    assert_int_equal(findings_count(&look.findings, FINDING_FAIL), 0);
    assert_int_equal(findings_count(&look.findings, FINDING_WARN), 3);
    look.settings.tables.time_zone = "UTC";
    look_walk(&look);
    for (size_t i = 0; i < look.findings.count; i++) {
        if (look.findings.list[i].level >= FINDING_WARN)
            look_apply(&look, app, &look.findings.list[i]);
    }
    look_passes(&look);
    reset_zone();
    look_passes(&look);
}

static void
test_walk_over_a_default_in_a_zone_of_its_own_is_judged_by_that(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    set_zone("America/Los_Angeles");
    postgres_exec(app, "ALTER TABLE sessions ALTER COLUMN created_at SET DEFAULT "
                       "(now() AT TIME ZONE 'Etc/UTC')");
    look_passes(&look);
    postgres_exec(app, "ALTER TABLE sessions ALTER COLUMN created_at SET DEFAULT "
                       "(now() AT TIME ZONE 'Asia/Tokyo')");
    look_mends(&look, app, "time_zone_default", "of asia/tokyo (its own)");
    set_zone("GMT");
    postgres_exec(app, "ALTER TABLE sessions ALTER COLUMN created_at SET DEFAULT now()");
    look_mends(&look, app, "time_zone_default",
               "public.sessions.created_at defaults to the clock of the session");
    postgres_exec(app, "ALTER TABLE sessions ALTER COLUMN created_at SET DEFAULT now()");
    look.settings.tables.time_zone_is_given = true;
    (void)look_find(&look, FINDING_WARN, "time_zone_default",
                    "public.sessions.created_at defaults to the clock of the session");
    set_zone("Europe/London");
    look_mends(&look, app, "time_zone_default", "Europe/London");
    reset_zone();
}

static void
test_walk_over_a_role_of_another_zone_that_inserts_is_mended(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    char role[APPLICATION_ROLE_BYTES];
    look_init(&look);
    application_add_role(app, role);
    postgres_exec(app,
                  "ALTER ROLE %s SET TimeZone = 'Asia/Tokyo'; ALTER TABLE bookings ALTER COLUMN "
                  "created_at SET DEFAULT now()",
                  role);
    look.settings.tables.time_zone_is_given = true;
    (void)look_find(&look, FINDING_WARN, "time_zone_default", "the session that inserts");
    postgres_exec(app, "GRANT INSERT ON bookings TO %s", role);
    look_mends(&look, app, "time_zone_default", "Asia/Tokyo (role cleanup_test_worker");
    application_drop_role(app, role);
}

static void
test_walk_with_an_unknown_zone_names_those_that_are_near(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    look.settings.tables.time_zone = "los_angeles";
    const Finding *finding = look_find(&look, FINDING_FAIL, "time_zone_unknown", "'los_angeles'");
    assert_non_null(strstr(finding->why, "America/Los_Angeles"));
    look.settings.tables.time_zone = "EST5";
    (void)look_find(&look, FINDING_FAIL, "time_zone_unknown", "'EST5'");
    look.settings.tables.time_zone = "CET";
    (void)look_find(&look, FINDING_FAIL, "time_zone_unknown", "'CET' has no summer time");
    look.settings.tables.time_zone = "Etc/UTC";
    look_passes(&look);
}

static void
test_walk_over_rows_ahead_of_the_clock_says_how_far(void **state)
{
    (void)state;
    CLEANUP(look_done) Look look;
    look_init(&look);
    postgres_exec(app,
                  "INSERT INTO bookings (booking_id) SELECT n::text FROM generate_series(1, 20000) "
                  "AS n; INSERT INTO bookings (booking_id, created_at) VALUES ('x', 'infinity'), "
                  "('y', now() AT TIME ZONE 'UTC' + interval '4 minutes')");
    look_passes(&look);
    postgres_exec(app,
                  "INSERT INTO bookings (booking_id, created_at) VALUES ('z', now() AT TIME ZONE "
                  "'Asia/Tokyo')");
    (void)look_find(&look, FINDING_FAIL, "time_ahead", "created_at of public.bookings is 0");
    look.settings.tables.time_zone = "Asia/Tokyo";
    look_walk(&look);
    for (size_t i = 0; i < look.findings.count; i++)
        assert_string_not_equal(look.findings.list[i].code, "time_ahead");
    look.settings.tables.time_zone = "UTC";
    postgres_exec(app,
                  "DELETE FROM bookings; INSERT INTO users VALUES ('" USER_FORMAT "'); "
                  "ALTER TABLE messages ALTER COLUMN \"timestamp\" TYPE timestamptz; INSERT INTO "
                  "messages (user_id, sender, \"timestamp\") VALUES ('" USER_FORMAT "', 'user', "
                  "now() + interval '1 hour')",
                  1, 1);
    look_find(&look, FINDING_FAIL, "time_ahead", "\"timestamp\" of public.messages is 00:59:5");
    postgres_exec(app, "UPDATE messages SET \"timestamp\" = now()");
    look_passes(&look);
}

static void
test_walk_over_the_last_times_that_there_are_says_how_far(void **state)
{
    (void)state;
    static const char *const zones[] = {"UTC", "America/New_York", "Asia/Tokyo"};
    static const char *const types[] = {"timestamp", "timestamptz"};
    for (size_t i = 0; i < ARRAY_LEN(zones) * ARRAY_LEN(types); i++) {
        CLEANUP(look_done) Look look;
        look_init(&look);
        look.settings.tables.time_zone = zones[i % ARRAY_LEN(zones)];
        postgres_exec(app,
                      "DELETE FROM bookings; ALTER TABLE bookings ALTER created_at TYPE %s; "
                      "SET timezone = 'UTC'; INSERT INTO bookings (booking_id, created_at) VALUES "
                      "('x', '294276-12-31 23:59:59.999999'), "
                      "('y', '4713-11-24 00:00 BC'); RESET timezone",
                      types[i / ARRAY_LEN(zones)]);
        (void)look_find_among(&look, FINDING_FAIL, "time_ahead",
                              "created_at of public.bookings is 10");
    }
    postgres_exec(app,
                  "DELETE FROM bookings; ALTER TABLE bookings ALTER created_at TYPE timestamp");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_over_a_local_default_in_another_zone_is_mended),
        cmocka_unit_test(test_walk_over_a_local_default_passes_with_the_option),
        cmocka_unit_test(test_walk_over_a_default_in_a_zone_of_its_own_is_judged_by_that),
        cmocka_unit_test(test_walk_over_a_role_of_another_zone_that_inserts_is_mended),
        cmocka_unit_test(test_walk_with_an_unknown_zone_names_those_that_are_near),
        cmocka_unit_test(test_walk_over_rows_ahead_of_the_clock_says_how_far),
        cmocka_unit_test(test_walk_over_the_last_times_that_there_are_says_how_far),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

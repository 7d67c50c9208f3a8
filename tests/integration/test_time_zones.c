/*
 * Times of the application in columns of both types, of many zones, met by connections of many
 * zones: what every statement of the worker finds, deletes, expires and prints is what an oracle
 * says (time_cases.py), to the microsecond and in the nights when clocks change.
 *
 * Each row of the oracle is a session of that time, "s<n>", a session whose user has a message of
 * that time, "m<n>", and a booking of that time, "b<n>".
 */
#include "tests/support/application.h"
#include "worker/repository/booking_repository.h"
#include "worker/repository/session_repository.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORACLE "python3 " SOURCE_DIR "/tests/integration/time_cases.py"
#define USER_OF "lpad(to_hex(n), 32, '0')::uuid"

enum {
    CHUNK_BYTES = 65536,
    TEXT_BYTES = 64,
    ROWS_MAX = 200,
    WINDOW_ROWS = 7, /* so that cursors matter */
    WAYS = 3,        /* of giving a connection its zone */
};

/* Which columns are timestamptz: a bit each, in the order of `columns`. */
enum {
    NO_INSTANTS = 0,
    SESSION_IS_INSTANT = 1,
    MESSAGE_IS_INSTANT = 2,
    BOOKING_IS_INSTANT = 4,
    DATE_IS_INSTANT = 8,
    UPDATE_IS_INSTANT = 16,
    ALL_INSTANTS = 31,
};

static const struct {
    const char *table;
    const char *name;
} columns[] = {
    {"sessions", "created_at"},   {"messages", "\"timestamp\""}, {"bookings", "created_at"},
    {"bookings", "booking_date"}, {"bookings", "updated_at"},
};

static const char *const login_zones[] = {"UTC", "America/New_York", "Asia/Kolkata",
                                          "America/Los_Angeles", "Europe/Berlin"};

typedef struct Ids {
    char *list[ROWS_MAX];
    size_t count;
} Ids;

static PgConn *app;
static Database *database;
static DatabaseSettings settings;
static char zone[TEXT_BYTES];
static char cutoff_text[TEXT_BYTES];
static int64_t cutoff_us;
static int64_t now_us;

static char *
text_of(const char *query)
{
    Error err = {0};
    PGresult *result = NULL;
    ASSERT_OK(pg_conn_exec(app, query, &result, &err), &err);
    const char *text = pg_result_text(result, 0, 0);
    char *copy = text != NULL ? strdup(text) : NULL;
    pg_result_free(result);
    return copy;
}

static void
add_cases(void)
{
    StrBuf text = {0};
    char chunk[CHUNK_BYTES];
    FILE *oracle = popen(ORACLE, "r");
    assert_non_null(oracle);
    for (size_t count; (count = fread(chunk, 1, sizeof(chunk), oracle)) > 0;)
        strbuf_add(&text, chunk, count);
    assert_int_equal(pclose(oracle), 0);
    postgres_exec(app,
                  "CREATE TABLE cases (n serial PRIMARY KEY, zone text, cutoff timestamp, "
                  "kind text, value text, is_old boolean, utc text); "
                  "INSERT INTO cases (zone, cutoff, kind, value, is_old, utc) "
                  "SELECT f[1], f[2]::timestamp, f[3], f[4], f[5] = '1', nullif(f[6], '') "
                  "FROM regexp_split_to_table('%s', '\\n') AS line, "
                  "string_to_array(line, ',') AS f WHERE line <> ''; "
                  "CREATE TABLE moments AS SELECT zone, cutoff, row_number() OVER () - 1 AS place "
                  "FROM (SELECT DISTINCT zone, cutoff FROM cases ORDER BY 1, 2) c; "
                  "CREATE TABLE expected (id text PRIMARY KEY, n int, value text, "
                  "is_old boolean, utc text)",
                  strbuf_text(&text));
    strbuf_done(&text);
}

static int
setup(void **state)
{
    (void)state;
    const int failed = postgres_create(SOURCE_DIR "/deploy/postgres/application.sql");
    settings = postgres_settings();
    app = postgres_connect();
    postgres_exec(app, "SET TimeZone = 'UTC'");
    add_cases();
    return failed;
}

static int
teardown(void **state)
{
    pg_conn_free(app);
    return postgres_drop(state);
}

static void
set_columns(int instants)
{
    postgres_clear(app);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        postgres_exec(app,
                      "ALTER TABLE %s ALTER %s DROP DEFAULT, "
                      "ALTER %s TYPE %s USING %s AT TIME ZONE 'UTC'",
                      columns[i].table, columns[i].name, columns[i].name,
                      instants & 1 << i ? "timestamptz" : "timestamp", columns[i].name);
}

/* Role, database or PGTZ in turn. */
static void
set_login_zone(int64_t place)
{
    static const char *const kinds[] = {"ROLE %1$I IN DATABASE %2$I", "DATABASE %2$I"};
    const char *name = login_zones[place % (int)ARRAY_LEN(login_zones)];
    const int64_t way = place / (int)ARRAY_LEN(login_zones) % WAYS;
    assert_int_equal(unsetenv("PGTZ"), 0);
    for (int i = 0; i < (int)ARRAY_LEN(kinds); i++)
        postgres_exec(app,
                      "DO $$ BEGIN EXECUTE format('ALTER %s %s', current_user, "
                      "current_database(), '%s'); END $$",
                      kinds[i], way == i ? "SET TimeZone = %3$L" : "RESET TimeZone", name);
    if (way == (int)ARRAY_LEN(kinds))
        assert_int_equal(setenv("PGTZ", name, 1), 0);
}

static void
set_moment(int64_t place)
{
    char query[256];
    (void)snprintf(query, sizeof(query), "SELECT zone FROM moments WHERE place = %d", (int)place);
    char *name = text_of(query);
    (void)snprintf(query, sizeof(query), "SELECT cutoff FROM moments WHERE place = %d", (int)place);
    char *cutoff = text_of(query);
    (void)snprintf(zone, sizeof(zone), "%s", name);
    (void)snprintf(cutoff_text, sizeof(cutoff_text), "%s", cutoff);
    free(name);
    free(cutoff);
    cutoff_us =
        postgres_number(app, "SELECT extract(epoch FROM '%s'::timestamp) * 1000000", cutoff_text);
    settings.tables.time_zone = zone;
}

static void
expect_rows(const char *letter, int first, bool is_instant)
{
    postgres_exec(app,
                  "INSERT INTO expected SELECT '%s' || n, %d + n, value, is_old, utc FROM cases "
                  "WHERE zone = '%s' AND cutoff = '%s' AND kind = '%s'",
                  letter, first, zone, cutoff_text, is_instant ? "instant" : "local");
}

static void
add_rows(int instants)
{
    postgres_exec(app, "DELETE FROM messages; DELETE FROM sessions; DELETE FROM users; "
                       "DELETE FROM bookings; DELETE FROM expected");
    expect_rows("s", 0, instants & SESSION_IS_INSTANT);
    expect_rows("m", 1000000, instants & MESSAGE_IS_INSTANT);
    expect_rows("b", 2000000, instants & BOOKING_IS_INSTANT);
    postgres_exec(app,
                  "INSERT INTO users SELECT " USER_OF " FROM expected; "
                  "INSERT INTO sessions (id, user_id, created_at) SELECT id, " USER_OF ", "
                  "(CASE WHEN id LIKE 's%%' THEN value ELSE '-infinity' END)::%s "
                  "FROM expected WHERE id NOT LIKE 'b%%'; "
                  "INSERT INTO messages (user_id, sender, \"timestamp\") SELECT " USER_OF
                  ", 'user', value::%s FROM expected WHERE id LIKE 'm%%'; "
                  "INSERT INTO bookings (booking_id, status, created_at) "
                  "SELECT id, 'Pending', value::%s FROM expected WHERE id LIKE 'b%%'",
                  instants & SESSION_IS_INSTANT ? "timestamptz" : "timestamp",
                  instants & MESSAGE_IS_INSTANT ? "timestamptz" : "timestamp",
                  instants & BOOKING_IS_INSTANT ? "timestamptz" : "timestamp");
    /* What the oracle knows of a column of the other type does not matter here. */
    postgres_exec(app, "UPDATE bookings SET booking_date = created_at WHERE %d IN (0, %d)",
                  instants & (BOOKING_IS_INSTANT | DATE_IS_INSTANT),
                  BOOKING_IS_INSTANT | DATE_IS_INSTANT);
}

static void
begin(DatabaseMode mode)
{
    Error err = {0};
    ASSERT_OK(database_begin(database, mode, 0, &now_us, &err), &err);
}

static void
add_id(Ids *ids, const char *id)
{
    assert_true(ids->count < ROWS_MAX);
    ids->list[ids->count] = strdup(id);
    assert_non_null(ids->list[ids->count++]);
}

static void
ids_done(Ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->list[i]);
    *ids = (Ids){0};
}

/* Fails where a query that looks for a difference finds one. */
static void
expect_none(const char *what, const char *query)
{
    char *difference = text_of(query);
    if (difference != NULL)
        fail_msg("%s, cutoff %s UTC, zone %s: %s", what, cutoff_text, zone, difference);
}

/* `ids` must be those of the letters that are older than the cutoff. */
static void
expect_ids(const char *what, const char *letters, Ids *ids)
{
    StrBuf query = {0};
    strbuf_add_text(&query,
                    "SELECT id || ' of ' || value || CASE WHEN is_old THEN ' is missing' "
                    "ELSE ' is kept by right' END FROM expected WHERE is_old <> (id IN (''");
    for (size_t i = 0; i < ids->count; i++)
        strbuf_add_format(&query, ",'%s'", ids->list[i]);
    strbuf_add_format(&query, ")) AND id ~ '^[%s]' ORDER BY 1 LIMIT 1", letters);
    expect_none(what, strbuf_text(&query));
    strbuf_done(&query);
    ids_done(ids);
}

static void
expect_candidates(const char *what, SessionCandidates *candidates)
{
    Ids ids = {0};
    for (size_t i = 0; i < candidates->count; i++)
        add_id(&ids, candidates->session_ids[i]);
    session_candidates_done(candidates);
    expect_ids(what, "sm", &ids);
}

/* All sessions, whatever their time, or all bookings. */
typedef struct Everything {
    PGresult *rows;
    char *ids[ROWS_MAX];
    char *users[ROWS_MAX];
    size_t count;
} Everything;

static void
read_everything(const char *query, Everything *all)
{
    Error err = {0};
    ASSERT_OK(pg_conn_exec(app, query, &all->rows, &err), &err);
    all->count = pg_result_rows(all->rows);
    assert_true(all->count <= ROWS_MAX);
    for (size_t i = 0; i < all->count; i++) {
        all->ids[i] = pg_result_text(all->rows, i, 0);
        all->users[i] = pg_result_text(all->rows, i, 1);
    }
}

static void
check_first_looks(const Everything *all)
{
    Error err = {0};
    SessionCandidates candidates;
    SessionRequest requests[ROWS_MAX];
    const SessionWindow window = {cutoff_us, "", "", "", "", ROWS_MAX};
    const SessionList list = {(const char *const *)all->ids, (const char *const *)all->users,
                              all->count};
    for (size_t i = 0; i < all->count; i++)
        requests[i] = (SessionRequest){all->users[i], cutoff_us};
    begin(DATABASE_WRITE);
    const SessionRequests asked = {requests, all->count};
    bool *locked = NULL;
    ASSERT_OK(session_find_and_lock(database, &asked, 1, &candidates, &locked, &err), &err);
    expect_candidates("session_find_and_lock", &candidates);
    ASSERT_OK(session_find_window(database, &window, &candidates, &err), &err);
    expect_candidates("session_find_window", &candidates);
    ASSERT_OK(session_find_window_by_id(database, &window, &candidates, &err), &err);
    expect_candidates("session_find_window_by_id", &candidates);
    ASSERT_OK(session_find_listed(database, cutoff_us, &list, &candidates, &err), &err);
    expect_candidates("session_find_listed", &candidates);
    database_rollback(database);
}

static int64_t
count_old(const char *letters)
{
    return postgres_number(app, "SELECT count(*) FROM expected WHERE is_old AND id ~ '^[%s]'",
                           letters);
}

static void
check_session_reads(void)
{
    Error err = {0};
    SessionCounts counts;
    Preview preview;
    StrBuf query = {0};
    const SessionRequest request = {"", cutoff_us};
    begin(DATABASE_READ);
    ASSERT_OK(session_count(database, cutoff_us, "", &counts, &err), &err);
    assert_int_equal(counts.sessions, count_old("sm"));
    ASSERT_OK(session_preview(database, &request, ROWS_MAX, &preview, &err), &err);
    assert_int_equal(preview.total, counts.sessions);
    strbuf_add_format(
        &query,
        "SELECT id || ' of ' || value || ' is printed as ' || j.s::text FROM expected e LEFT JOIN "
        "json_array_elements('%s'::json -> 'inactive_sessions') AS j (s) ON e.id = s ->> "
        "'session_id' WHERE id ~ '^[sm]' AND is_old AND e.utc IS DISTINCT FROM s ->> CASE WHEN id "
        "LIKE 's%%' THEN 'created_at' ELSE 'last_user_message_time' END LIMIT 1",
        preview.data);
    expect_none("session_preview", strbuf_text(&query));
    strbuf_done(&query);
    database_rollback(database);
}

/* Second look at everything, as if the first one had found all of it. */
static void
check_session_delete(Everything *all)
{
    Error err = {0};
    static int ordinals[ROWS_MAX];
    static bool locked[ROWS_MAX];
    SessionCounts counts = {0};
    SessionDeletion deletion = {.counts = &counts};
    const SessionRequest request = {"", cutoff_us};
    const SessionRequests requests = {&request, 1};
    const SessionCandidates candidates = {
        .ordinals = ordinals, .user_ids = all->users, .session_ids = all->ids, .count = all->count};
    begin(DATABASE_WRITE);
    ASSERT_OK(session_lock(database, &candidates, locked, &err), &err);
    ASSERT_OK(session_delete_locked(database, &candidates, locked, &requests, &deletion, &err),
              &err);
    ASSERT_OK(database_commit(database, &err), &err);
    assert_int_equal(counts.sessions, count_old("sm"));
    expect_none("session_delete", "SELECT e.id || ' of ' || value FROM expected e WHERE e.is_old = "
                                  "EXISTS (SELECT FROM sessions s WHERE s.id = e.id) "
                                  "AND e.id ~ '^[sm]' LIMIT 1");
}

/* A worker's cursor is its successor's. */
static void
check_bookings_found(void)
{
    Error err = {0};
    Ids ids = {0};
    char created_at[TEXT_BYTES] = "";
    char id[TEXT_BYTES] = "";
    bool more = true;
    while (more) {
        BookingBatch batch;
        const BookingWindow window = {cutoff_us, created_at, id, WINDOW_ROWS};
        begin(DATABASE_WRITE);
        ASSERT_OK(booking_find_expired(database, &window, &batch, &err), &err);
        for (size_t i = 0; i < batch.count; i++)
            add_id(&ids, batch.booking_ids[i]);
        more = batch.count > 0;
        (void)snprintf(created_at, sizeof(created_at), "%s", more ? batch.last_created_at : "");
        (void)snprintf(id, sizeof(id), "%s", more ? batch.last_booking_id : "");
        booking_batch_done(&batch);
        database_rollback(database);
    }
    assert_int_equal(ids.count, count_old("b"));
    expect_ids("booking_find_expired", "b", &ids);
}

static void
check_booking_reads(bool has_dates)
{
    Error err = {0};
    Preview preview;
    StrBuf query = {0};
    Ids ids = {0};
    int64_t total;
    BookingList listed;
    begin(DATABASE_READ);
    ASSERT_OK(booking_count(database, cutoff_us, &total, &listed, &err), &err);
    assert_int_equal(total, count_old("b"));
    for (size_t i = 0; i < listed.count; i++)
        add_id(&ids, listed.booking_ids[i]);
    expect_ids("booking_count", "b", &ids);
    ASSERT_OK(booking_preview(database, cutoff_us, now_us, ROWS_MAX, &preview, &err), &err);
    assert_int_equal(preview.total, total);
    strbuf_add_format(
        &query,
        "SELECT id || ' of ' || value || ' is printed as ' || j.s::text FROM expected e LEFT JOIN "
        "json_array_elements('%s'::json -> 'expired_bookings') AS j (s) ON e.id = s ->> "
        "'booking_id' WHERE id LIKE 'b%%' AND is_old AND (e.utc IS DISTINCT FROM s ->> "
        "'created_at' OR (%d = 1 AND e.utc IS DISTINCT FROM s ->> 'booking_date') OR floor(extract("
        "epoch FROM to_timestamp(0) + %" PRId64 " * interval '1 us' - e.utc::timestamptz) / 60) IS "
        "DISTINCT FROM (s ->> 'minutes_old')::numeric) LIMIT 1",
        preview.data, has_dates, now_us);
    expect_none("booking_preview", strbuf_text(&query));
    strbuf_done(&query);
    database_rollback(database);
}

static void
check_booking_expire(const Everything *all, bool updates_instant)
{
    Error err = {0};
    bool locked[ROWS_MAX];
    bool expired[ROWS_MAX];
    bool kept[ROWS_MAX];
    const BookingChange change = {expired, kept};
    char local_now[2 * TEXT_BYTES];
    Ids ids = {0};
    const BookingList bookings = {(const char *const *)all->ids, all->count};
    begin(DATABASE_WRITE);
    ASSERT_OK(booking_lock(database, &bookings, locked, &err), &err);
    ASSERT_OK(booking_expire_locked(database, cutoff_us, &bookings, locked, &change, &err), &err);
    ASSERT_OK(database_commit(database, &err), &err);
    for (size_t i = 0; i < all->count; i++) {
        if (expired[i])
            add_id(&ids, all->ids[i]);
    }
    expect_ids("booking_expire", "b", &ids);
    (void)snprintf(local_now, sizeof(local_now), "(now() AT TIME ZONE '%s')", zone);
    const int64_t updated = postgres_number(
        app,
        "SELECT count(*) FROM bookings WHERE status = 'Expired' AND abs(extract(epoch FROM "
        "updated_at - %s)) < 60",
        updates_instant ? "now()" : local_now);
    assert_int_equal(updated, count_old("b"));
}

static void
check_moment(int64_t place, int instants)
{
    Everything sessions = {0};
    Everything bookings = {0};
    const int dates = instants & (BOOKING_IS_INSTANT | DATE_IS_INSTANT);
    set_moment(place);
    set_login_zone(place);
    add_rows(instants);
    read_everything("SELECT id, user_id FROM sessions ORDER BY id", &sessions);
    read_everything("SELECT booking_id FROM bookings ORDER BY 1", &bookings);
    database = postgres_open(&settings);
    check_first_looks(&sessions);
    check_session_reads();
    check_session_delete(&sessions);
    check_bookings_found();
    check_booking_reads(dates == 0 || dates == (BOOKING_IS_INSTANT | DATE_IS_INSTANT));
    check_booking_expire(&bookings, instants & UPDATE_IS_INSTANT);
    database_free(database);
    pg_result_free(sessions.rows);
    pg_result_free(bookings.rows);
}

static void
check_all_moments(int instants)
{
    const int64_t moments = postgres_number(app, "SELECT count(*) FROM moments");
    set_columns(instants);
    for (int64_t place = 0; place < moments; place++)
        check_moment(place, instants);
}

static void
test_times_of_naive_columns_are_those_of_the_zone(void **state)
{
    (void)state;
    check_all_moments(NO_INSTANTS);
}

static void
test_times_of_instants_are_right_in_every_zone(void **state)
{
    (void)state;
    check_all_moments(ALL_INSTANTS);
}

static void
test_times_of_mixed_columns_are_each_their_own(void **state)
{
    (void)state;
    check_all_moments(SESSION_IS_INSTANT | DATE_IS_INSTANT);
    check_all_moments(MESSAGE_IS_INSTANT | BOOKING_IS_INSTANT | UPDATE_IS_INSTANT);
}

static void
add_recent_session(const char *id, int user, const char *created_at)
{
    postgres_exec(app,
                  "INSERT INTO users VALUES ('" USER_FORMAT
                  "'); INSERT INTO sessions (id, user_id, "
                  "created_at) VALUES ('%s', '" USER_FORMAT "', %s)",
                  user, id, user, created_at);
}

static bool
find_sessions(int64_t age_hours, size_t *ret_count, Error *err)
{
    SessionCandidates candidates;
    begin(DATABASE_WRITE);
    const SessionWindow window = {
        now_us - age_hours * 3600 * CLOCK_US_PER_SECOND, "", "", "", "", ROWS_MAX};
    const bool found = session_find_window(database, &window, &candidates, err);
    if (found) {
        *ret_count = candidates.count;
        session_candidates_done(&candidates);
    }
    database_rollback(database);
    return found;
}

static void
expect_found(int64_t age_hours, size_t expected)
{
    Error err = {0};
    size_t count;
    ASSERT_OK(find_sessions(age_hours, &count, &err), &err);
    assert_int_equal(count, expected);
}

/* The first transaction fails, whatever it was about to do; the next one knows. */
static void
expect_outdated(int64_t age_hours)
{
    Error err = {0};
    size_t count;
    assert_false(find_sessions(age_hours, &count, &err));
    assert_string_equal(err.sqlstate, "42883");
    assert_int_equal(err.kind, ERROR_HOLD);
}

static void
test_times_of_a_column_that_changes_its_type_are_never_misread(void **state)
{
    (void)state;
    set_columns(NO_INSTANTS);
    settings.tables.time_zone = "America/New_York";
    database = postgres_open(&settings);
    add_recent_session("s", 1, "now() AT TIME ZONE 'America/New_York' - interval '3 hours'");
    expect_found(4, 0);
    expect_found(2, 1);
    postgres_exec(app, "ALTER TABLE sessions ALTER created_at TYPE timestamptz "
                       "USING created_at AT TIME ZONE 'America/New_York'");
    expect_outdated(4);
    expect_found(4, 0);
    expect_found(2, 1);
    postgres_exec(app, "ALTER TABLE sessions ALTER created_at TYPE timestamp "
                       "USING created_at AT TIME ZONE 'America/New_York'");
    expect_outdated(4);
    expect_found(4, 0);
    expect_found(2, 1);
    database_free(database);
}

int
main(void)
{
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_of_naive_columns_are_those_of_the_zone),
        cmocka_unit_test(test_times_of_instants_are_right_in_every_zone),
        cmocka_unit_test(test_times_of_mixed_columns_are_each_their_own),
        cmocka_unit_test(test_times_of_a_column_that_changes_its_type_are_never_misread),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

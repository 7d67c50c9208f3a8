#include "tests/support/application.h"

#include "common/json.h"
#include "worker/repository/booking_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CUTOFF_AGE_US (INT64_C(900) * CLOCK_US_PER_SECOND)

static DatabaseSettings settings;
static PgConn *app;
static Database *database;
static int64_t cutoff_us;

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
begin(void **state)
{
    (void)state;
    Error err = {0};
    int64_t now_us;
    postgres_clear(app);
    application_add_booking(app, "old", "Pending", 2);
    application_add_booking(app, "older", "Pending", 3);
    application_add_booking(app, "new", "Pending", 0);
    application_add_booking(app, "confirmed", "Confirmed", 5);
    application_add_booking(app, "undated", "Pending", 1);
    postgres_exec(app, "UPDATE bookings SET created_at = NULL WHERE booking_id = 'undated'");
    database = postgres_open(&settings);
    ASSERT_OK(database_begin(database, DATABASE_WRITE, 0, &now_us, &err), &err);
    cutoff_us = now_us - CUTOFF_AGE_US;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    database_free(database);
    return 0;
}

static void
find(int limit, const char *created_at, const char *id, BookingBatch *batch)
{
    Error err = {0};
    const BookingWindow window = {cutoff_us, created_at, id, limit};
    ASSERT_OK(booking_find_expired(database, &window, batch, &err), &err);
}

static void
lock_and_expire(const BookingBatch *batch, bool *locked, bool *expired)
{
    Error err = {0};
    bool kept[10];
    const char *const *ids = (const char *const *)batch->booking_ids;
    ASSERT_OK(database_stop_waiting(database, &err), &err);
    const BookingList bookings = {ids, batch->count};
    ASSERT_OK(booking_lock(database, &bookings, locked, &err), &err);
    ASSERT_OK(booking_expire_locked(database, cutoff_us, &bookings, locked,
                                    &(BookingChange){expired, kept}, &err),
              &err);
    ASSERT_OK(database_commit(database, &err), &err);
}

static void
test_find_gives_old_pending_ones_in_order(void **state)
{
    (void)state;
    CLEANUP(booking_batch_done) BookingBatch batch = {0};
    find(10, "", "", &batch);
    assert_int_equal(batch.count, 2);
    assert_string_equal(batch.booking_ids[0], "older");
    assert_string_equal(batch.booking_ids[1], "old");
    assert_string_equal(batch.last_booking_id, "old");
}

static void
test_find_with_cursor_goes_on_behind_it(void **state)
{
    (void)state;
    CLEANUP(booking_batch_done) BookingBatch first = {0};
    CLEANUP(booking_batch_done) BookingBatch second = {0};
    CLEANUP(booking_batch_done) BookingBatch third = {0};
    postgres_exec(app, "UPDATE bookings SET created_at = '2020-01-01 00:00:00.123457' "
                       "WHERE booking_id IN ('old', 'older')");
    find(1, "", "", &first);
    assert_string_equal(first.last_created_at, "2020-01-01 00:00:00.123457");
    find(1, first.last_created_at, first.last_booking_id, &second);
    assert_int_equal(second.count, 1);
    assert_string_equal(second.booking_ids[0], "older");
    find(1, second.last_created_at, second.last_booking_id, &third);
    assert_int_equal(third.count, 0);
    assert_null(third.last_created_at);
}

static void
test_find_infinitely_old_one_is_expired_too(void **state)
{
    (void)state;
    CLEANUP(booking_batch_done) BookingBatch first = {0};
    CLEANUP(booking_batch_done) BookingBatch second = {0};
    Preview preview = {0};
    Error err = {0};
    postgres_exec(app, "UPDATE bookings SET created_at = '-infinity' WHERE booking_id = 'old'");
    find(1, "", "", &first);
    assert_string_equal(first.booking_ids[0], "old");
    find(1, first.last_created_at, first.last_booking_id, &second);
    assert_string_equal(second.booking_ids[0], "older");
    ASSERT_OK(booking_preview(database, cutoff_us, cutoff_us, 5, &preview, &err), &err);
    assert_int_equal(preview.total, 2);
}

static void
test_expire_locked_sets_status_and_updated_at(void **state)
{
    (void)state;
    CLEANUP(booking_batch_done) BookingBatch batch = {0};
    bool locked[2];
    bool expired[2];
    find(10, "", "", &batch);
    lock_and_expire(&batch, locked, expired);
    assert_true(locked[0] && locked[1] && expired[0] && expired[1]);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Expired' "
                                          "AND updated_at > now() AT TIME ZONE 'UTC' - "
                                          "interval '1 minute'"),
                     2);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE status = 'Pending'"),
                     2);
}

static void
test_expire_booking_confirmed_after_the_first_look_stays_confirmed(void **state)
{
    (void)state;
    CLEANUP(booking_batch_done) BookingBatch batch = {0};
    bool locked[2];
    bool expired[2];
    find(10, "", "", &batch);
    postgres_exec(app, "UPDATE bookings SET status = 'Confirmed' WHERE booking_id = 'old'");
    lock_and_expire(&batch, locked, expired);
    assert_true(expired[0]);
    assert_true(locked[1]);
    assert_false(expired[1]);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE booking_id = 'old' "
                                          "AND status = 'Confirmed'"),
                     1);
}

static void
test_lock_confirmation_in_flight_is_skipped(void **state)
{
    (void)state;
    CLEANUP(booking_batch_done) BookingBatch batch = {0};
    bool locked[2];
    bool expired[2];
    find(10, "", "", &batch);
    postgres_exec(app, "BEGIN; UPDATE bookings SET status = 'Confirmed' WHERE booking_id = 'old'");
    lock_and_expire(&batch, locked, expired);
    postgres_exec(app, "COMMIT");
    assert_true(locked[0] && expired[0]);
    assert_false(locked[1] || expired[1]);
    assert_int_equal(postgres_number(app, "SELECT count(*) FROM bookings WHERE booking_id = 'old' "
                                          "AND status = 'Confirmed'"),
                     1);
}

static void
test_lock_vanished_booking_counts_as_locked(void **state)
{
    (void)state;
    CLEANUP(booking_batch_done) BookingBatch batch = {0};
    bool locked[2];
    bool expired[2];
    find(10, "", "", &batch);
    postgres_exec(app, "DELETE FROM bookings WHERE booking_id = 'old'");
    lock_and_expire(&batch, locked, expired);
    assert_true(locked[1]);
    assert_false(expired[1]);
}

static void
test_preview_gives_the_columns_digits_and_whole_minutes(void **state)
{
    (void)state;
    Preview preview = {0};
    Error err = {0};
    int64_t now_us;
    postgres_exec(app,
                  "DELETE FROM bookings WHERE booking_id <> 'old'; UPDATE bookings SET user_id = "
                  "'" USER_FORMAT "', property_id = '" USER_FORMAT
                  "', booking_date = '2020-02-01', "
                  "created_at = '2020-01-01 00:00:00.5', total_cost = 99999999.10",
                  1, 2);
    assert_true(clock_parse("2020-01-01T01:00:00.4Z", &now_us));
    ASSERT_OK(booking_preview(database, now_us, now_us, 1, &preview, &err), &err);
    assert_string_equal(preview.data,
                        "{\"expired_bookings\":[{\"booking_id\":\"old\","
                        "\"user_id\":\"00000000-0000-4000-8000-000000000001\","
                        "\"property_id\":\"00000000-0000-4000-8000-000000000002\","
                        "\"booking_date\":\"2020-02-01T00:00:00.000000Z\","
                        "\"created_at\":\"2020-01-01T00:00:00.500000Z\",\"minutes_old\":59,"
                        "\"total_cost\":99999999.10,\"status\":\"Pending\"}],"
                        "\"total\":1,\"truncated\":false,"
                        "\"cutoff_time\":\"2020-01-01T01:00:00.400000Z\"}");
    assert_int_equal(preview.total, 1);
}

static void
test_preview_and_count_beyond_the_limit_say_so(void **state)
{
    (void)state;
    Preview preview = {0};
    BookingList listed = {0};
    Error err = {0};
    int64_t total;
    postgres_exec(app, "INSERT INTO bookings (booking_id, status, created_at) "
                       "SELECT 'many-' || n, 'Pending', '2020-01-01' "
                       "FROM generate_series(1, 1500) AS n; "
                       "UPDATE bookings SET total_cost = 'NaN' WHERE booking_id = 'many-1'");
    ASSERT_OK(booking_preview(database, cutoff_us, cutoff_us, 1, &preview, &err), &err);
    CLEANUP(json_deletep) cJSON *data = cJSON_Parse(preview.data);
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(data, "expired_bookings"), 0);
    assert_int_equal(cJSON_GetObjectItem(data, "total")->valueint, 1502);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(data, "truncated")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(first, "total_cost")));
    ASSERT_OK(booking_count(database, cutoff_us, &total, &listed, &err), &err);
    assert_int_equal(total, 1502);
    assert_int_equal(listed.count, 1000);
}

static void
test_count_without_bookings_is_empty(void **state)
{
    (void)state;
    BookingList listed = {0};
    Error err = {0};
    int64_t total;
    postgres_exec(app, "DELETE FROM bookings");
    ASSERT_OK(booking_count(database, cutoff_us, &total, &listed, &err), &err);
    assert_int_equal(total, 0);
    assert_int_equal(listed.count, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_find_gives_old_pending_ones_in_order),
        CASE(test_find_with_cursor_goes_on_behind_it),
        CASE(test_find_infinitely_old_one_is_expired_too),
        CASE(test_expire_locked_sets_status_and_updated_at),
        CASE(test_expire_booking_confirmed_after_the_first_look_stays_confirmed),
        CASE(test_lock_confirmation_in_flight_is_skipped),
        CASE(test_lock_vanished_booking_counts_as_locked),
        CASE(test_preview_gives_the_columns_digits_and_whole_minutes),
        CASE(test_preview_and_count_beyond_the_limit_say_so),
        CASE(test_count_without_bookings_is_empty),
    };
    if (!postgres_is_available())
        return POSTGRES_SKIPPED;
    return cmocka_run_group_tests(tests, setup, teardown);
}

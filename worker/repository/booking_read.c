/* Previews and dry runs of the booking expiration. */
#include "worker/repository/booking_repository.h"
#include "worker/repository/database_private.h"
#include "worker/repository/json_list.h"

enum {
    LISTED_IDS_MAX = 1000,
};

enum {
    COLUMN_TOTAL,
    COLUMN_BOOKING_ID,
    COLUMN_USER_ID,
    COLUMN_PROPERTY_ID,
    COLUMN_BOOKING_DATE,
    COLUMN_CREATED_AT,
    COLUMN_MINUTES_OLD,
    COLUMN_TOTAL_COST,
    COLUMN_STATUS,
};

static void
add_booking(StrBuf *json, const PGresult *result, size_t row)
{
    static const struct {
        const char *name;
        int column;
    } members[] = {
        {"booking_id", COLUMN_BOOKING_ID},   {"user_id", COLUMN_USER_ID},
        {"property_id", COLUMN_PROPERTY_ID}, {"booking_date", COLUMN_BOOKING_DATE},
        {"created_at", COLUMN_CREATED_AT},   {"minutes_old", COLUMN_MINUTES_OLD},
        {"total_cost", COLUMN_TOTAL_COST},   {"status", COLUMN_STATUS},
    };
    json_open_object(json, NULL);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const int column = members[i].column;
        const char *text = pg_result_text(result, row, column);
        if (column == COLUMN_MINUTES_OLD || column == COLUMN_TOTAL_COST)
            json_add_digits(json, members[i].name, text);
        else
            json_add_text(json, members[i].name, text);
    }
    json_close_object(json);
}

/* Returns how many there was room for. */
static size_t
add_bookings(StrBuf *json, const PGresult *result)
{
    JsonList list = json_list_open(json, "expired_bookings");
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const size_t before = json->length;
        if (pg_result_text(result, row, COLUMN_BOOKING_ID) == NULL)
            continue;
        add_booking(json, result, row);
        if (!json_list_keep(&list, before))
            break;
    }
    json_close_array(json);
    return list.count;
}

bool
booking_preview(Database *database, int64_t cutoff_us, int64_t now_us, int limit,
                Preview *ret_preview, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_time(cutoff_us), pg_param_time(now_us),
                              pg_param_int64(limit)};
    if (!database_exec_once(database, SQL_BOOKING_PREVIEW, params, ARRAY_LEN(params), &result, err))
        return false;
    const int64_t total = pg_result_int64(result, 0, COLUMN_TOTAL);
    StrBuf json = {.arena = &database->arena};
    json_open_object(&json, NULL);
    const size_t listed = add_bookings(&json, result);
    json_add_int64(&json, "total", total);
    json_add_bool(&json, "truncated", (int64_t)listed < total);
    json_add_time(&json, "cutoff_time", cutoff_us);
    json_close_object(&json);
    *ret_preview = (Preview){strbuf_take(&json), total};
    return ret_preview->data != NULL || error_out_of_memory(err);
}

bool
booking_count(Database *database, int64_t cutoff_us, int64_t *ret_total, BookingList *ret_listed,
              Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_time(cutoff_us), pg_param_int64(LISTED_IDS_MAX)};
    if (!database_exec_once(database, SQL_BOOKING_COUNT, params, ARRAY_LEN(params), &result, err))
        return false;
    const size_t rows = pg_result_rows(result);
    const char **ids = arena_alloc(&database->arena, rows, sizeof(*ids));
    size_t count = 0;
    for (size_t row = 0; row < rows && ids != NULL; row++) {
        StrBuf id = {.arena = &database->arena};
        const char *text = pg_result_text(result, row, COLUMN_BOOKING_ID);
        if (text == NULL)
            continue;
        strbuf_add_text(&id, text);
        ids[count] = strbuf_take(&id);
        if (ids[count++] == NULL)
            return error_out_of_memory(err);
    }
    if (ids == NULL)
        return error_out_of_memory(err);
    *ret_total = pg_result_int64(result, 0, COLUMN_TOTAL);
    *ret_listed = (BookingList){ids, count};
    return true;
}

bool
booking_estimate(Database *database, int64_t *ret_rows, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {
        pg_param_text(database_table(database, TABLE_BOOKINGS)),
        pg_param_text(database->settings->tables.booking_status_pending),
    };
    if (!database_exec_once(database, SQL_BOOKING_ESTIMATE, params, ARRAY_LEN(params), &result,
                            err))
        return false;
    *ret_rows = pg_result_rows(result) > 0 ? pg_result_int64(result, 0, 0) : 0;
    return true;
}

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

static cJSON *
booking_object(const PGresult *result, size_t row)
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
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const int column = members[i].column;
        const char *text = pg_result_text(result, row, column);
        const bool is_number = column == COLUMN_MINUTES_OLD || column == COLUMN_TOTAL_COST;
        const bool added = is_number ? json_add_digits(object, members[i].name, text)
                                     : json_add_text(object, members[i].name, text);
        if (!added) {
            cJSON_Delete(object);
            return NULL;
        }
    }
    return object;
}

static bool
add_bookings(JsonList *list, const PGresult *result, bool ids_only)
{
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const char *id = pg_result_text(result, row, COLUMN_BOOKING_ID);
        if (id != NULL &&
            !json_list_add(list, ids_only ? cJSON_CreateString(id) : booking_object(result, row)))
            return false;
    }
    return true;
}

static cJSON *
preview_data(const PGresult *result)
{
    CLEANUP(json_list_done) JsonList list = {0};
    CLEANUP(json_freep) cJSON *data = cJSON_CreateObject();
    const int64_t total = pg_result_int64(result, 0, COLUMN_TOTAL);
    if (!json_list_init(&list) || !add_bookings(&list, result, false) ||
        !cJSON_AddItemToObject(data, "expired_bookings", list.array))
        return NULL;
    list.array = NULL;
    if (cJSON_AddNumberToObject(data, "total", (double)total) == NULL ||
        cJSON_AddBoolToObject(data, "truncated", (int64_t)list.count < total) == NULL)
        return NULL;
    cJSON *taken = data;
    data = NULL;
    return taken;
}

static cJSON *
count_data(const PGresult *result)
{
    CLEANUP(json_list_done) JsonList list = {0};
    CLEANUP(json_freep) cJSON *data = cJSON_CreateObject();
    const int64_t total = pg_result_int64(result, 0, COLUMN_TOTAL);
    if (!json_list_init(&list) || !add_bookings(&list, result, true) ||
        cJSON_AddNumberToObject(data, "expired_bookings", (double)total) == NULL ||
        !cJSON_AddItemToObject(data, "expired_booking_ids", list.array))
        return NULL;
    list.array = NULL;
    if (cJSON_AddBoolToObject(data, "expired_booking_ids_truncated", (int64_t)list.count < total) ==
            NULL ||
        cJSON_AddNumberToObject(data, "skipped_bookings", 0) == NULL)
        return NULL;
    cJSON *taken = data;
    data = NULL;
    return taken;
}

bool
booking_preview(Database *database, int64_t cutoff_us, int64_t now_us, int limit, cJSON **ret_data,
                Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    char cutoff[CLOCK_TEXT_BYTES];
    char now[CLOCK_TEXT_BYTES];
    char limit_text[PG_INT64_BYTES];
    clock_format(cutoff_us, cutoff);
    clock_format(now_us, now);
    const char *const params[] = {cutoff, now, pg_format_int64(limit, limit_text)};
    if (!database_exec_once(database, SQL_BOOKING_PREVIEW, params, ARRAY_LEN(params), &result, err))
        return false;
    cJSON *data = preview_data(result);
    if (data == NULL)
        return error_out_of_memory(err);
    *ret_data = data;
    return true;
}

bool
booking_count(Database *database, int64_t cutoff_us, cJSON **ret_data, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    char cutoff[CLOCK_TEXT_BYTES];
    char limit_text[PG_INT64_BYTES];
    clock_format(cutoff_us, cutoff);
    const char *const params[] = {cutoff, pg_format_int64(LISTED_IDS_MAX, limit_text)};
    if (!database_exec_once(database, SQL_BOOKING_COUNT, params, ARRAY_LEN(params), &result, err))
        return false;
    cJSON *data = count_data(result);
    if (data == NULL)
        return error_out_of_memory(err);
    *ret_data = data;
    return true;
}

bool
booking_estimate(Database *database, int64_t *ret_rows, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const char *const params[] = {database->tables[TABLE_BOOKINGS]};
    if (!database_exec_once(database, SQL_BOOKING_ESTIMATE, params, 1, &result, err))
        return false;
    *ret_rows = pg_result_rows(result) > 0 ? pg_result_int64(result, 0, 0) : 0;
    return true;
}

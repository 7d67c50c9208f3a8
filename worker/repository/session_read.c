/* Previews and dry runs of the session cleanup. */
#include "worker/repository/database_private.h"
#include "worker/repository/json_list.h"
#include "worker/repository/session_repository.h"

enum {
    COLUMN_TOTAL,
    COLUMN_IMAGES,
    COLUMN_VIDEOS,
    COLUMN_SESSION_ID,
    COLUMN_USER_ID,
    COLUMN_CREATED_AT,
    COLUMN_LAST_MESSAGE,
    COLUMN_PROPERTY_ID,
};

static const char *
user_or_null(const char *user_id)
{
    return user_id[0] != '\0' ? user_id : NULL;
}

static cJSON *
session_object(const PGresult *result, size_t row)
{
    static const struct {
        const char *name;
        int column;
    } members[] = {
        {"session_id", COLUMN_SESSION_ID},   {"user_id", COLUMN_USER_ID},
        {"created_at", COLUMN_CREATED_AT},   {"last_user_message_time", COLUMN_LAST_MESSAGE},
        {"property_id", COLUMN_PROPERTY_ID},
    };
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (!json_add_text(object, members[i].name,
                           pg_result_text(result, row, members[i].column))) {
            cJSON_Delete(object);
            return NULL;
        }
    }
    return object;
}

static bool
add_sessions(JsonList *list, const PGresult *result)
{
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        if (pg_result_text(result, row, COLUMN_SESSION_ID) != NULL &&
            !json_list_add(list, session_object(result, row)))
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
    if (!json_list_init(&list) || !add_sessions(&list, result) ||
        !cJSON_AddItemToObject(data, "inactive_sessions", list.array))
        return NULL;
    list.array = NULL;
    const double images = (double)pg_result_int64(result, 0, COLUMN_IMAGES);
    const double videos = (double)pg_result_int64(result, 0, COLUMN_VIDEOS);
    if (cJSON_AddNumberToObject(data, "total", (double)total) == NULL ||
        cJSON_AddBoolToObject(data, "truncated", (int64_t)list.count < total) == NULL ||
        cJSON_AddNumberToObject(data, "image_records", images) == NULL ||
        cJSON_AddNumberToObject(data, "video_records", videos) == NULL)
        return NULL;
    cJSON *taken = data;
    data = NULL;
    return taken;
}

bool
session_preview(Database *database, int64_t cutoff_us, const char *user_id, int limit,
                cJSON **ret_data, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    char cutoff[CLOCK_TEXT_BYTES];
    char limit_text[PG_INT64_BYTES];
    clock_format(cutoff_us, cutoff);
    const char *const params[] = {cutoff, user_or_null(user_id),
                                  pg_format_int64(limit, limit_text)};
    if (!database_exec_once(database, SQL_SESSION_PREVIEW, params, ARRAY_LEN(params), &result, err))
        return false;
    cJSON *data = preview_data(result);
    if (data == NULL)
        return error_out_of_memory(err);
    *ret_data = data;
    return true;
}

bool
session_count(Database *database, int64_t cutoff_us, const char *user_id, SessionCounts *ret_counts,
              Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    char cutoff[CLOCK_TEXT_BYTES];
    clock_format(cutoff_us, cutoff);
    const char *const params[] = {cutoff, user_or_null(user_id)};
    if (!database_exec_once(database, SQL_SESSION_COUNT, params, ARRAY_LEN(params), &result, err))
        return false;
    *ret_counts = (SessionCounts){
        .sessions = pg_result_int64(result, 0, 0),
        .images = pg_result_int64(result, 0, 1),
        .videos = pg_result_int64(result, 0, 2),
        .referenced = pg_result_int64(result, 0, 3),
    };
    return true;
}

bool
session_estimate(Database *database, int64_t *ret_rows, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const char *const params[] = {database->tables[TABLE_SESSIONS]};
    if (!database_exec_once(database, SQL_SESSION_ESTIMATE, params, 1, &result, err))
        return false;
    *ret_rows = pg_result_rows(result) > 0 ? pg_result_int64(result, 0, 0) : 0;
    return true;
}

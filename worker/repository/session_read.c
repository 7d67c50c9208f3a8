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

static void
add_session(StrBuf *json, const PGresult *result, size_t row)
{
    static const struct {
        const char *name;
        int column;
    } members[] = {
        {"session_id", COLUMN_SESSION_ID},   {"user_id", COLUMN_USER_ID},
        {"created_at", COLUMN_CREATED_AT},   {"last_user_message_time", COLUMN_LAST_MESSAGE},
        {"property_id", COLUMN_PROPERTY_ID},
    };
    json_open_object(json, NULL);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        json_add_text(json, members[i].name, pg_result_text(result, row, members[i].column));
    json_close_object(json);
}

/* Returns how many there was room for. */
static size_t
add_sessions(StrBuf *json, const PGresult *result)
{
    JsonList list = json_list_open(json, "inactive_sessions");
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const size_t before = json->length;
        if (pg_result_text(result, row, COLUMN_SESSION_ID) == NULL)
            continue;
        add_session(json, result, row);
        if (!json_list_keep(&list, before))
            break;
    }
    json_close_array(json);
    return list.count;
}

bool
session_preview(Database *database, const SessionRequest *request, int limit, Preview *ret_preview,
                Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_time(request->cutoff_us),
                              pg_param_text(user_or_null(request->user_id)), pg_param_int64(limit)};
    if (!database_exec_once(database, SQL_SESSION_PREVIEW, params, ARRAY_LEN(params), &result, err))
        return false;
    const int64_t total = pg_result_int64(result, 0, COLUMN_TOTAL);
    StrBuf json = {.arena = &database->arena};
    json_open_object(&json, NULL);
    const size_t listed = add_sessions(&json, result);
    json_add_int64(&json, "total", total);
    json_add_bool(&json, "truncated", (int64_t)listed < total);
    json_add_int64(&json, "image_records", pg_result_int64(result, 0, COLUMN_IMAGES));
    json_add_int64(&json, "video_records", pg_result_int64(result, 0, COLUMN_VIDEOS));
    json_add_time(&json, "cutoff_time", request->cutoff_us);
    json_close_object(&json);
    *ret_preview = (Preview){strbuf_take(&json), total};
    return ret_preview->data != NULL || error_out_of_memory(err);
}

bool
session_count(Database *database, int64_t cutoff_us, const char *user_id, SessionCounts *ret_counts,
              Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_time(cutoff_us), pg_param_text(user_or_null(user_id))};
    if (!database_exec_once(database, SQL_SESSION_COUNT, params, ARRAY_LEN(params), &result, err))
        return false;
    *ret_counts = (SessionCounts){
        .sessions = pg_result_int64(result, 0, 0),
        .images = pg_result_int64(result, 0, 1),
        .videos = pg_result_int64(result, 0, 2),
        .referenced = pg_result_int64(result, 0, 3),
    };
    const char *example = pg_result_text(result, 0, 4);
    if (example == NULL)
        return true;
    ret_counts->referenced_example = arena_copy(&database->arena, example);
    return ret_counts->referenced_example != NULL || error_out_of_memory(err);
}

bool
session_estimate(Database *database, int64_t *ret_rows, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(database_table(database, TABLE_SESSIONS))};
    if (!database_exec_once(database, SQL_SESSION_ESTIMATE, params, 1, &result, err))
        return false;
    *ret_rows = pg_result_rows(result) > 0 ? pg_result_int64(result, 0, 0) : 0;
    return true;
}

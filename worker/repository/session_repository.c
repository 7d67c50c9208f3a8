/* First looks, that of a set with its locks, and the second look with the deletes; other locks are
 * in session_lock.c, previews in session_read.c. */
#include "worker/repository/session_repository.h"

#include "worker/repository/database_private.h"

#include <string.h>

#define LOWEST_UUID "00000000-0000-0000-0000-000000000000"
#define HIGHEST_UUID "ffffffff-ffff-ffff-ffff-ffffffffffff"

void
session_candidates_done(SessionCandidates *candidates)
{
    pg_result_free(candidates->storage);
    *candidates = (SessionCandidates){0};
}

/* Room for as many candidates as there are rows; takes ownership of `result`. */
static bool
candidates_init(Database *database, PGresult *result, SessionCandidates *candidates, Error *err)
{
    const size_t rows = pg_result_rows(result);
    *candidates = (SessionCandidates){
        .ordinals = arena_alloc(&database->arena, rows, sizeof(*candidates->ordinals)),
        .user_ids = arena_alloc(&database->arena, rows, sizeof(*candidates->user_ids)),
        .session_ids = arena_alloc(&database->arena, rows, sizeof(*candidates->session_ids)),
        .storage = result,
    };
    if (candidates->ordinals != NULL && candidates->user_ids != NULL &&
        candidates->session_ids != NULL)
        return true;
    session_candidates_done(candidates);
    return error_out_of_memory(err);
}

static void
candidates_add(SessionCandidates *candidates, int ordinal, char *user_id, char *session_id)
{
    candidates->ordinals[candidates->count] = ordinal;
    candidates->user_ids[candidates->count] = user_id;
    candidates->session_ids[candidates->count++] = session_id;
}

bool
session_find_and_lock(Database *database, const SessionRequests *requests, int limit,
                      SessionCandidates *ret_candidates, bool **ret_locked, Error *err)
{
    PgArray users = database_array(database, PG_UUID);
    PgArray cutoffs = database_array(database, PG_TIMESTAMP);
    SessionCandidates candidates;
    PGresult *result = NULL;
    for (size_t i = 0; i < requests->count; i++) {
        pg_array_add(&users, requests->requests[i].user_id);
        pg_array_add_time(&cutoffs, requests->requests[i].cutoff_us);
    }
    const PgParam params[] = {pg_param_array(&users), pg_param_array(&cutoffs),
                              pg_param_int64(limit)};
    if (!database_exec(database, SQL_SESSION_FIND_AND_LOCK, params, ARRAY_LEN(params), &result,
                       err) ||
        !candidates_init(database, result, &candidates, err))
        return false;
    const size_t rows = pg_result_rows(result);
    bool *locked = arena_alloc(&database->arena, rows, sizeof(*locked));
    if (locked == NULL) {
        session_candidates_done(&candidates);
        return error_out_of_memory(err);
    }
    for (size_t row = 0; row < rows; row++) {
        candidates_add(&candidates, (int)pg_result_int64(result, row, 0),
                       pg_result_text(result, row, 1), pg_result_text(result, row, 2));
        locked[row] = pg_result_bool(result, row, 3);
    }
    candidates.window = rows;
    *ret_candidates = candidates;
    *ret_locked = locked;
    return true;
}

bool
session_has_user_index(Database *database, bool *ret_indexed, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(database_table(database, TABLE_SESSIONS))};
    if (!database_exec(database, SQL_SESSION_HAS_USER_INDEX, params, 1, &result, err))
        return false;
    *ret_indexed = pg_result_bool(result, 0, 0);
    return true;
}

/* The rows of a window, inactive or not; the last one is the next cursor. */
static bool
find_window(Database *database, SqlId sql, const PgParam *params, size_t count,
            SessionCandidates *ret_candidates, Error *err)
{
    SessionCandidates candidates;
    PGresult *result = NULL;
    if (!database_exec(database, sql, params, count, &result, err) ||
        !candidates_init(database, result, &candidates, err))
        return false;
    const size_t rows = pg_result_rows(result);
    for (size_t row = 0; row < rows; row++) {
        char *owner = pg_result_text(result, row, 0);
        char *session = pg_result_text(result, row, 1);
        if (pg_result_bool(result, row, 2))
            candidates_add(&candidates, 0, owner, session);
        candidates.last_user_id = owner;
        candidates.last_session_id = session;
    }
    candidates.window = rows;
    *ret_candidates = candidates;
    return true;
}

bool
session_find_window(Database *database, const SessionWindow *window,
                    SessionCandidates *ret_candidates, Error *err)
{
    const bool begins = window->after_user_id[0] == '\0';
    const char *lowest = window->lowest_user[0] != '\0' ? window->lowest_user : LOWEST_UUID;
    const PgParam params[] = {
        pg_param_time(window->cutoff_us),
        pg_param_text(begins ? lowest : window->after_user_id),
        pg_param_text(window->after_session_id),
        pg_param_text(window->highest_user[0] != '\0' ? window->highest_user : HIGHEST_UUID),
        pg_param_int64(window->limit),
        pg_param_bool(begins),
    };
    return find_window(database, SQL_SESSION_FIND_WINDOW, params, ARRAY_LEN(params), ret_candidates,
                       err);
}

bool
session_find_window_by_id(Database *database, const SessionWindow *window,
                          SessionCandidates *ret_candidates, Error *err)
{
    const PgParam params[] = {pg_param_time(window->cutoff_us),
                              pg_param_text(window->after_session_id),
                              pg_param_int64(window->limit)};
    return find_window(database, SQL_SESSION_FIND_WINDOW_BY_ID, params, ARRAY_LEN(params),
                       ret_candidates, err);
}

bool
session_find_listed(Database *database, int64_t cutoff_us, const SessionList *sessions,
                    SessionCandidates *ret_candidates, Error *err)
{
    PgArray ids = database_array(database, PG_TEXT);
    PgArray users = database_array(database, PG_UUID);
    SessionCandidates candidates;
    PGresult *result = NULL;
    const PgParam params[] = {pg_param_time(cutoff_us), pg_param_array(&ids),
                              pg_param_array(&users)};
    pg_array_add_all(&ids, sessions->session_ids, sessions->count);
    pg_array_add_all(&users, sessions->user_ids, sessions->count);
    if (!database_exec(database, SQL_SESSION_FIND_LISTED, params, ARRAY_LEN(params), &result,
                       err) ||
        !candidates_init(database, result, &candidates, err))
        return false;
    const size_t rows = pg_result_rows(result);
    for (size_t row = 0; row < rows; row++)
        candidates_add(&candidates, 0, pg_result_text(result, row, 0),
                       pg_result_text(result, row, 1));
    candidates.window = rows;
    *ret_candidates = candidates;
    return true;
}

/* The parameters of session_delete.sql, and the candidate that each place among them stands for. */
typedef struct DeleteArrays {
    PgArray requests;
    PgArray users;
    PgArray sessions;
    PgArray cutoffs;
    PgArray tables;
    size_t *index;
    size_t count;
} DeleteArrays;

static bool
delete_arrays_fill(Database *database, DeleteArrays *arrays, const SessionCandidates *candidates,
                   const bool *locked, const SessionRequest *requests, Error *err)
{
    *arrays = (DeleteArrays){
        .requests = database_array(database, PG_INT4),
        .users = database_array(database, PG_UUID),
        .sessions = database_array(database, PG_TEXT),
        .cutoffs = database_array(database, PG_TIMESTAMP),
        .tables = database_array(database, PG_TEXT),
        .index = arena_alloc(&database->arena, candidates->count, sizeof(*arrays->index)),
    };
    if (arrays->index == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < candidates->count; i++) {
        if (!locked[i])
            continue;
        arrays->index[arrays->count++] = i;
        pg_array_add_int64(&arrays->requests, candidates->ordinals[i]);
        pg_array_add(&arrays->users, candidates->user_ids[i]);
        pg_array_add(&arrays->sessions, candidates->session_ids[i]);
        pg_array_add_time(&arrays->cutoffs, requests[candidates->ordinals[i]].cutoff_us);
    }
    pg_array_add(&arrays->tables, database_table(database, TABLE_SESSIONS));
    pg_array_add(&arrays->tables, database_table(database, TABLE_IMAGE_SENT));
    pg_array_add(&arrays->tables, database_table(database, TABLE_VIDEO_SENT));
    return true;
}

enum {
    DELETED_REQUEST,
    DELETED_SESSIONS,
    DELETED_IMAGES,
    DELETED_VIDEOS,
    DELETED_REFERENCED,
    DELETED_EXAMPLE,
    DELETED_DUE,
};

static bool
read_counts(Database *database, const PGresult *result, size_t request_count, SessionCounts *counts,
            Error *err)
{
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const size_t request = (size_t)pg_result_int64(result, row, DELETED_REQUEST);
        if (request >= request_count || pg_result_text(result, row, DELETED_DUE) != NULL)
            continue;
        const char *example = pg_result_text(result, row, DELETED_EXAMPLE);
        counts[request] = (SessionCounts){
            .sessions = pg_result_int64(result, row, DELETED_SESSIONS),
            .images = pg_result_int64(result, row, DELETED_IMAGES),
            .videos = pg_result_int64(result, row, DELETED_VIDEOS),
            .referenced = pg_result_int64(result, row, DELETED_REFERENCED),
            .referenced_example = example != NULL ? arena_copy(&database->arena, example) : NULL,
        };
        if (example != NULL && counts[request].referenced_example == NULL)
            return error_out_of_memory(err);
    }
    return true;
}

/* Looks at the sessions that were due: in a statement of its own, whose snapshot has the change. */
static bool
find_kept(Database *database, const SessionCandidates *candidates, const DeleteArrays *arrays,
          const PGresult *deleted, SessionDeletion *deletion, Error *err)
{
    PgArray ids = database_array(database, PG_TEXT);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    size_t *due = arena_alloc(&database->arena, arrays->count, sizeof(*due));
    bool *flags = arena_alloc(&database->arena, candidates->count, sizeof(*flags));
    size_t due_count = 0;
    if (due == NULL || flags == NULL)
        return error_out_of_memory(err);
    for (size_t row = 0; row < pg_result_rows(deleted); row++) {
        if (pg_result_text(deleted, row, DELETED_DUE) == NULL)
            continue;
        const size_t i = arrays->index[pg_result_int64(deleted, row, DELETED_DUE)];
        pg_array_add(&ids, candidates->session_ids[i]);
        due[due_count++] = i;
    }
    if (due_count == 0)
        return true;
    const PgParam params[] = {pg_param_array(&ids)};
    if (!database_exec(database, SQL_SESSION_KEPT, params, 1, &result, err))
        return false;
    for (size_t row = 0; row < pg_result_rows(result); row++)
        flags[due[pg_result_int64(result, row, 0)]] = true;
    deletion->kept = flags;
    deletion->kept_count = pg_result_rows(result);
    return true;
}

bool
session_delete_locked(Database *database, const SessionCandidates *candidates, const bool *locked,
                      const SessionRequests *requests, SessionDeletion *deletion, Error *err)
{
    DeleteArrays arrays;
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    memset(deletion->counts, 0, requests->count * sizeof(*deletion->counts));
    deletion->kept = NULL;
    deletion->kept_count = 0;
    if (!delete_arrays_fill(database, &arrays, candidates, locked, requests->requests, err))
        return false;
    if (arrays.count == 0)
        return true;
    const PgParam params[] = {pg_param_array(&arrays.requests), pg_param_array(&arrays.users),
                              pg_param_array(&arrays.sessions), pg_param_array(&arrays.cutoffs),
                              pg_param_array(&arrays.tables)};
    return database_exec(database, SQL_SESSION_DELETE, params, ARRAY_LEN(params), &result, err) &&
           read_counts(database, result, requests->count, deletion->counts, err) &&
           find_kept(database, candidates, &arrays, result, deletion, err);
}

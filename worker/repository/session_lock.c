/*
 * Locks of a batch: users, then sessions, then children, each with SKIP LOCKED, so that in a
 * conflict it is the worker that gives way and the application never meets a deadlock of ours.
 */
#include "worker/repository/database_private.h"
#include "worker/repository/session_repository.h"

#include <string.h>

/* Candidates picked out of the batch, as parameters; index[] leads back to the candidate. */
typedef struct Picked {
    size_t *index;
    size_t count;
    PgArray sessions;
    PgArray users;
    PgParam params[2];
} Picked;

/* Picks those whose flag has the wanted value. */
static bool
pick(Database *database, const SessionCandidates *candidates, const bool *flags, bool wanted,
     Picked *picked, Error *err)
{
    picked->index = arena_alloc(&database->arena, candidates->count, sizeof(*picked->index));
    if (picked->index == NULL)
        return error_out_of_memory(err);
    picked->sessions = database_array(database, PG_TEXT);
    picked->users = database_array(database, PG_UUID);
    picked->params[0] = pg_param_array(&picked->sessions);
    picked->params[1] = pg_param_array(&picked->users);
    for (size_t i = 0; i < candidates->count; i++) {
        if (flags[i] != wanted)
            continue;
        picked->index[picked->count++] = i;
        pg_array_add(&picked->sessions, candidates->session_ids[i]);
        pg_array_add(&picked->users, candidates->user_ids[i]);
    }
    return true;
}

/* Sets the flag of each candidate whose place among the picked ones the result names. */
static void
flag_rows(const Picked *picked, const PGresult *result, bool value, bool *flags)
{
    for (size_t row = 0; row < pg_result_rows(result); row++)
        flags[picked->index[pg_result_int64(result, row, 0)]] = value;
}

/* Neighbours with one user share his place among the parameters. */
static bool
lock_users(Database *database, const SessionCandidates *candidates, bool *user_locked, Error *err)
{
    PgArray users = database_array(database, PG_UUID);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    bool *places = arena_alloc(&database->arena, candidates->count, sizeof(*places));
    size_t *place_of = arena_alloc(&database->arena, candidates->count, sizeof(*place_of));
    if (places == NULL || place_of == NULL)
        return error_out_of_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        if (i == 0 || strcmp(candidates->user_ids[i], candidates->user_ids[i - 1]) != 0) {
            pg_array_add(&users, candidates->user_ids[i]);
            count++;
        }
        place_of[i] = count - 1;
    }
    const PgParam params[] = {pg_param_array(&users)};
    if (!database_exec(database, SQL_SESSION_LOCK_USERS, params, 1, &result, err))
        return false;
    for (size_t row = 0; row < pg_result_rows(result); row++)
        places[pg_result_int64(result, row, 0)] = true;
    for (size_t i = 0; i < candidates->count; i++)
        user_locked[i] = places[place_of[i]];
    return true;
}

static bool
lock_sessions(Database *database, const SessionCandidates *candidates, const bool *user_locked,
              bool *locked, Error *err)
{
    Picked picked = {0};
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!pick(database, candidates, user_locked, true, &picked, err))
        return false;
    if (picked.count == 0)
        return true;
    if (!database_exec(database, SQL_SESSION_LOCK_SESSIONS, picked.params, 2, &result, err))
        return false;
    flag_rows(&picked, result, true, locked);
    return true;
}

/* A session with a record that another transaction holds is left alone. */
static bool
lock_children(Database *database, const SessionCandidates *candidates, bool *locked, Error *err)
{
    Picked picked = {0};
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!pick(database, candidates, locked, true, &picked, err))
        return false;
    if (picked.count == 0)
        return true;
    if (!database_exec(database, SQL_SESSION_LOCK_CHILDREN, picked.params, 1, &result, err))
        return false;
    flag_rows(&picked, result, false, locked);
    return true;
}

/* What could not be locked because it is gone, or another user's by now, is nothing to wait for. */
static bool
settle_gone(Database *database, const SessionCandidates *candidates, bool *locked, Error *err)
{
    Picked picked = {0};
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!pick(database, candidates, locked, false, &picked, err))
        return false;
    if (picked.count == 0)
        return true;
    if (!database_exec(database, SQL_SESSION_EXISTS, picked.params, 2, &result, err))
        return false;
    for (size_t i = 0; i < picked.count; i++)
        locked[picked.index[i]] = true;
    flag_rows(&picked, result, false, locked);
    return true;
}

bool
session_lock_rest(Database *database, const SessionCandidates *candidates, bool with_children,
                  bool *locked, Error *err)
{
    return (!with_children || lock_children(database, candidates, locked, err)) &&
           settle_gone(database, candidates, locked, err);
}

static bool
lock_all(Database *database, const SessionCandidates *candidates, bool with_children, bool *locked,
         Error *err)
{
    bool *user_locked = arena_alloc(&database->arena, candidates->count, sizeof(*user_locked));
    if (user_locked == NULL)
        return error_out_of_memory(err);
    memset(locked, 0, candidates->count * sizeof(*locked));
    return candidates->count == 0 ||
           (lock_users(database, candidates, user_locked, err) &&
            lock_sessions(database, candidates, user_locked, locked, err) &&
            session_lock_rest(database, candidates, with_children, locked, err));
}

bool
session_lock(Database *database, const SessionCandidates *candidates, bool *locked, Error *err)
{
    return lock_all(database, candidates, true, locked, err);
}

bool
session_lock_parents(Database *database, const SessionCandidates *candidates, bool *locked,
                     Error *err)
{
    return lock_all(database, candidates, false, locked, err);
}

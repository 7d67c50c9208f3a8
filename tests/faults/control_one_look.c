/*
 * Negative control: the second look finds everything inactive, as if what the first look saw could
 * not have changed before the locks were taken. The time between the two is long, so that it does.
 */
#include "worker/repository/session_repository.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FAR_AHEAD_HOURS = 24 * 365,
    BETWEEN_LOOKS_US = 100 * 1000,
};

bool __real_session_lock(Database *database, const SessionCandidates *candidates, bool *locked,
                         Error *err);
bool __wrap_session_lock(Database *database, const SessionCandidates *candidates, bool *locked,
                         Error *err);
bool __real_session_lock_parents(Database *database, const SessionCandidates *candidates,
                                 bool *locked, Error *err);
bool __wrap_session_lock_parents(Database *database, const SessionCandidates *candidates,
                                 bool *locked, Error *err);
bool __real_session_find_and_lock(Database *database, const SessionRequests *requests, int limit,
                                  SessionCandidates *ret_candidates, bool **ret_locked, Error *err);
bool __wrap_session_find_and_lock(Database *database, const SessionRequests *requests, int limit,
                                  SessionCandidates *ret_candidates, bool **ret_locked, Error *err);

bool __real_session_delete_locked(Database *database, const SessionCandidates *candidates,
                                  const bool *locked, const SessionRequests *requests,
                                  SessionDeletion *deletion, Error *err);
bool __wrap_session_delete_locked(Database *database, const SessionCandidates *candidates,
                                  const bool *locked, const SessionRequests *requests,
                                  SessionDeletion *deletion, Error *err);

bool
__wrap_session_lock(Database *database, const SessionCandidates *candidates, bool *locked,
                    Error *err)
{
    usleep(BETWEEN_LOOKS_US);
    return __real_session_lock(database, candidates, locked, err);
}

bool
__wrap_session_lock_parents(Database *database, const SessionCandidates *candidates, bool *locked,
                            Error *err)
{
    usleep(BETWEEN_LOOKS_US);
    return __real_session_lock_parents(database, candidates, locked, err);
}

/* The requests once more, for which everything is inactive; the caller frees them. */
static SessionRequest *
make_blind(const SessionRequests *requests, Error *err)
{
    SessionRequest *blind = calloc(requests->count + 1, sizeof(*blind));
    if (blind == NULL)
        (void)error_out_of_memory(err);
    for (size_t i = 0; blind != NULL && i < requests->count; i++) {
        blind[i] = requests->requests[i];
        blind[i].cutoff_us += INT64_C(3600) * FAR_AHEAD_HOURS * CLOCK_US_PER_SECOND;
    }
    return blind;
}

static bool
is_among(const SessionCandidates *candidates, const char *session_id)
{
    for (size_t i = 0; i < candidates->count; i++) {
        if (strcmp(candidates->session_ids[i], session_id) == 0)
            return true;
    }
    return false;
}

/* Leaves those that were not seen. */
static void
keep_seen(const SessionCandidates *seen, SessionCandidates *candidates, bool *locked)
{
    size_t kept = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        if (!is_among(seen, candidates->session_ids[i]))
            continue;
        candidates->ordinals[kept] = candidates->ordinals[i];
        candidates->user_ids[kept] = candidates->user_ids[i];
        candidates->session_ids[kept] = candidates->session_ids[i];
        locked[kept++] = locked[i];
    }
    candidates->count = kept;
}

/* A set looks and locks in one statement. So it looks, gives the locks back, and later takes those
 * of all that it saw, whatever it is by then. */
bool
__wrap_session_find_and_lock(Database *database, const SessionRequests *requests, int limit,
                             SessionCandidates *ret_candidates, bool **ret_locked, Error *err)
{
    CLEANUP(session_candidates_done) SessionCandidates seen = {0};
    CLEANUP(autofree) SessionRequest *blind = make_blind(requests, err);
    if (blind == NULL || !database_set_savepoint(database, err) ||
        !__real_session_find_and_lock(database, requests, limit, &seen, ret_locked, err) ||
        !database_return_to_savepoint(database, err))
        return false;
    usleep(BETWEEN_LOOKS_US);
    if (!__real_session_find_and_lock(database, &(SessionRequests){blind, requests->count}, limit,
                                      ret_candidates, ret_locked, err))
        return false;
    keep_seen(&seen, ret_candidates, *ret_locked);
    return true;
}

bool
__wrap_session_delete_locked(Database *database, const SessionCandidates *candidates,
                             const bool *locked, const SessionRequests *requests,
                             SessionDeletion *deletion, Error *err)
{
    CLEANUP(autofree) SessionRequest *blind = make_blind(requests, err);
    return blind != NULL &&
           __real_session_delete_locked(database, candidates, locked,
                                        &(SessionRequests){blind, requests->count}, deletion, err);
}

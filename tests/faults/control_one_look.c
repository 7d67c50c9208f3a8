/*
 * Negative control: the second look finds everything inactive, as if what the first look saw could
 * not have changed before the locks were taken. The time between the two is long, so that it does.
 */
#include "worker/repository/session_repository.h"

#include <stdlib.h>
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

bool
__wrap_session_delete_locked(Database *database, const SessionCandidates *candidates,
                             const bool *locked, const SessionRequests *requests,
                             SessionDeletion *deletion, Error *err)
{
    CLEANUP(autofree) SessionRequest *blind = calloc(requests->count + 1, sizeof(*blind));
    if (blind == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < requests->count; i++) {
        blind[i] = requests->requests[i];
        blind[i].cutoff_us += INT64_C(3600) * FAR_AHEAD_HOURS * CLOCK_US_PER_SECOND;
    }
    const SessionRequests far_ahead = {blind, requests->count};
    return __real_session_delete_locked(database, candidates, locked, &far_ahead, deletion, err);
}

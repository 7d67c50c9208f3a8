/*
 * Negative control: the second look finds everything inactive, as if what the first look saw could
 * not have changed before the locks were taken.
 */
#include "worker/repository/session_repository.h"

#include <stdlib.h>

enum { FAR_AHEAD_HOURS = 24 * 365 };

bool __real_session_delete_locked(Database *database, const SessionCandidates *candidates,
                                  const bool *locked, const SessionRequest *requests,
                                  size_t request_count, SessionCounts *counts, Error *err);
bool __wrap_session_delete_locked(Database *database, const SessionCandidates *candidates,
                                  const bool *locked, const SessionRequest *requests,
                                  size_t request_count, SessionCounts *counts, Error *err);

bool
__wrap_session_delete_locked(Database *database, const SessionCandidates *candidates,
                             const bool *locked, const SessionRequest *requests,
                             size_t request_count, SessionCounts *counts, Error *err)
{
    CLEANUP(autofree) SessionRequest *blind = calloc(request_count + 1, sizeof(*blind));
    if (blind == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < request_count; i++) {
        blind[i] = requests[i];
        blind[i].cutoff_us += INT64_C(3600) * FAR_AHEAD_HOURS * CLOCK_US_PER_SECOND;
    }
    return __real_session_delete_locked(database, candidates, locked, blind, request_count, counts,
                                        err);
}

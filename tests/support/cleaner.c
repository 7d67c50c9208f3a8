#include "tests/support/cleaner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

void
cleaner_begin(Cleaner *cleaner, const DatabaseSettings *settings, int users)
{
    Error err = {0};
    int64_t now_us;
    cleaner->database = postgres_open(settings);
    ASSERT_OK(database_begin(cleaner->database, DATABASE_WRITE, 0, &now_us, &err), &err);
    for (int i = 0; i < users; i++) {
        (void)snprintf(cleaner->user_ids[i], sizeof(cleaner->user_ids[i]), USER_FORMAT, i + 1);
        cleaner->requests[i] =
            (SessionRequest){cleaner->user_ids[i],
                             now_us - CLEANER_INACTIVE_HOURS * INT64_C(3600) * CLOCK_US_PER_SECOND};
    }
    cleaner->request_count = (size_t)users;
    ASSERT_OK(session_find_for_users(cleaner->database, cleaner->requests, cleaner->request_count,
                                     100, &cleaner->candidates, &err),
              &err);
    assert_true(cleaner->candidates.count <= CLEANER_SESSIONS_MAX);
}

void
cleaner_lock(Cleaner *cleaner)
{
    Error err = {0};
    ASSERT_OK(database_stop_waiting(cleaner->database, &err), &err);
    ASSERT_OK(session_lock(cleaner->database, &cleaner->candidates, cleaner->locked, &err), &err);
}

void
cleaner_finish(Cleaner *cleaner)
{
    Error err = {0};
    const SessionRequests requests = {cleaner->requests, cleaner->request_count};
    SessionDeletion deletion = {.counts = cleaner->counts};
    ASSERT_OK(session_delete_locked(cleaner->database, &cleaner->candidates, cleaner->locked,
                                    &requests, &deletion, &err),
              &err);
    ASSERT_OK(database_commit(cleaner->database, &err), &err);
}

void
cleaner_done(Cleaner *cleaner)
{
    session_candidates_done(&cleaner->candidates);
    database_free(cleaner->database);
}

#include "tests/support/cleaner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int
request_of(const Cleaner *cleaner, const char *user_id)
{
    for (size_t i = 0; i < cleaner->request_count; i++) {
        if (strcmp(cleaner->user_ids[i], user_id) == 0)
            return (int)i;
    }
    fail_msg("a session of %s was found", user_id);
    return 0;
}

/* The first look of a long command, without locks, whose candidates are assigned to the users. */
static void
find(Cleaner *cleaner)
{
    Error err = {0};
    SessionCandidates *candidates = &cleaner->candidates;
    const SessionWindow window = {
        .cutoff_us = cleaner->requests[0].cutoff_us,
        .lowest_user = cleaner->user_ids[0],
        .highest_user = cleaner->user_ids[cleaner->request_count - 1],
        .after_user_id = "",
        .after_session_id = "",
        .limit = CLEANER_SESSIONS_MAX,
    };
    ASSERT_OK(session_find_window(cleaner->database, &window, candidates, &err), &err);
    assert_true(candidates->count <= CLEANER_SESSIONS_MAX);
    for (size_t i = 0; i < candidates->count; i++)
        candidates->ordinals[i] = request_of(cleaner, candidates->user_ids[i]);
}

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
    find(cleaner);
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

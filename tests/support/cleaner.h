/*
 * cleaner: the worker's steps over the sessions of a few users, one at a time, for tests that do
 * something in between.
 *
 * Owns: one Database and what was found, locked and deleted.
 */
#ifndef TESTS_SUPPORT_CLEANER_H
#define TESTS_SUPPORT_CLEANER_H

#include "tests/support/application.h"
#include "worker/repository/session_repository.h"

enum {
    CLEANER_USERS_MAX = 8,
    CLEANER_SESSIONS_MAX = 64,
    CLEANER_INACTIVE_HOURS = 24,
};

typedef struct Cleaner {
    Database *database;
    char user_ids[CLEANER_USERS_MAX][40];
    SessionRequest requests[CLEANER_USERS_MAX];
    size_t request_count;
    SessionCandidates candidates;
    bool locked[CLEANER_SESSIONS_MAX];
    SessionCounts counts[CLEANER_USERS_MAX];
} Cleaner;

/* Begins a transaction and finds the inactive sessions of the users 1 to `users`. */
void cleaner_begin(Cleaner *cleaner, const DatabaseSettings *settings, int users);
void cleaner_lock(Cleaner *cleaner);
/* Deletes, commits. */
void cleaner_finish(Cleaner *cleaner);
/* For CLEANUP. */
void cleaner_done(Cleaner *cleaner);

#endif

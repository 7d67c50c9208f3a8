/*
 * look: what a walk over a database finds, and whether the statement of a finding mends it.
 *
 * Owns:    the findings of the last walk, the values of options that were applied.
 * Threads: the test's one.
 */
#ifndef TESTS_SUPPORT_LOOK_H
#define TESTS_SUPPORT_LOOK_H

#include "tests/support/postgres.h"
#include "worker/repository/catalog.h"

enum {
    LOOK_VALUES_MAX = 16,
};

typedef struct Look {
    DatabaseSettings settings;
    Findings findings;
    char *values[LOOK_VALUES_MAX];
    int value_count;
    bool blind; /* rows and indexes need not have been looked at */
} Look;

/* Begins with postgres_settings(). */
void look_init(Look *look);
/* For CLEANUP. */
void look_done(Look *look);

/* Walks, as at a start. */
void look_walk(Look *look);

/* Walks; the only thing that is amiss is of this code and level and says `text`. Borrowed until the
 * next walk. */
const Finding *look_find(Look *look, FindingLevel level, const char *code, const char *text);

/* The same of one among others. */
const Finding *look_find_among(Look *look, FindingLevel level, const char *code, const char *text);

/* Runs what the finding says: SQL as the application's owner, `-o` by changing the settings. */
void look_apply(Look *look, PgConn *app, const Finding *finding);

/* look_find, look_apply, look_passes. */
void look_mends(Look *look, PgConn *app, const char *code, const char *text);

/* Walks; nothing is amiss. */
void look_passes(Look *look);

#endif

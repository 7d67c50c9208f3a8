/*
 * user_set: a set of commands, one for each of so many users.
 *
 * Owns:    the commands and their outcomes. Must not be copied once made.
 * Threads: that of the worker.
 */
#ifndef TESTS_SUPPORT_USER_SET_H
#define TESTS_SUPPORT_USER_SET_H

#include "tests/support/tasks.h"

typedef struct UserSet {
    SentCommand *sent;
    const SentCommand **items;
    TaskOutcome *outcomes;
    size_t count;
} UserSet;

/* For the users from `first_user` on; ids "c<user>", offsets that many behind `first_offset`. */
void user_set_make(UserSet *set, int64_t first_offset, int first_user, size_t count);

/* As one set; what it returned before is ended first. */
void user_set_run(UserSet *set, TestWorker *worker);

/* For CLEANUP. */
void user_set_done(UserSet *set);

#endif

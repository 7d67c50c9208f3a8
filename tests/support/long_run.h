/*
 * long_run: one long command with the worker that runs it, step by step.
 *
 * Owns:      a Database, the long command, the outcome of the last step. Must not be moved once
 * begun.
 * Threads:   the test's one.
 */
#ifndef TESTS_SUPPORT_LONG_RUN_H
#define TESTS_SUPPORT_LONG_RUN_H

#include "tests/support/postgres.h"
#include "worker/task/task.h"

enum {
    LONG_RUN_WINDOW = 10,      /* rows of a batch */
    LONG_RUN_STEPS_MAX = 2000, /* more than any test needs */
};

typedef struct LongRun {
    Database *database;
    TaskSettings settings; /* lock_wait 0; a test may change them */
    TaskContext context;
    Command command; /* inactive_hours 24, expiration_minutes 60 */
    Record source;
    TaskItem item;
    LongCommand *long_command;
    TaskOutcome outcome;
    int steps; /* that went on to another */
} LongRun;

/* Nothing runs yet. A second one of the same id and `source` takes the first one over. */
void long_run_init(LongRun *command, const DatabaseSettings *settings, CommandTask task);
/* For CLEANUP. */
void long_run_done(LongRun *command);

/* At most `count` steps, waiting as long as each asks for; a failure, or a batch that fails, fails
 * the test. */
void long_run_step(LongRun *command, int count);

/* It has finished, and its result has this count among its data. */
void assert_long_run_count(const LongRun *command, const char *member, int64_t count);

#endif

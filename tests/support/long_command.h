/*
 * long_command: one long command with the worker that runs it, step by step.
 *
 * Owns:    a Database, the chain, the outcome of the last step. Must not be moved once begun.
 * Threads: the test's one.
 */
#ifndef TESTS_SUPPORT_LONG_COMMAND_H
#define TESTS_SUPPORT_LONG_COMMAND_H

#include "tests/support/postgres.h"
#include "worker/task/task.h"

enum {
    LONG_COMMAND_WINDOW = 10,      /* rows of a batch */
    LONG_COMMAND_STEPS_MAX = 2000, /* more than any test needs */
};

typedef struct LongCommand {
    Database *database;
    TaskSettings settings; /* lock_wait 0; a test may change them */
    TaskContext context;
    Command command; /* inactive_hours 24, expiration_minutes 60 */
    Record source;
    TaskItem item;
    Chain *chain;
    TaskOutcome outcome;
    int steps; /* that went on to another */
} LongCommand;

/* Nothing runs yet. A second one of the same id and `source` takes the first one over. */
void long_command_init(LongCommand *command, const DatabaseSettings *settings, CommandTask task);
/* For CLEANUP. */
void long_command_done(LongCommand *command);

/* At most `count` steps, waiting as long as each asks for; a failure, or a batch that fails, fails
 * the test. */
void long_command_step(LongCommand *command, int count);

/* It has finished, and its result has this count among its data. */
void assert_long_command_count(const LongCommand *command, const char *member, int64_t count);

#endif

/*
 * tasks: one worker of a pool, as far as worker/task sees it, and what came out of its calls.
 *
 * Owns:      the worker's Database. Its monotonic clock moves only when a test or a driver of
 * long commands moves it, so that no test waits for a delay.
 * Threads:   one at a time; each thread of a test has a worker of its own.
 */
#ifndef TESTS_SUPPORT_TASKS_H
#define TESTS_SUPPORT_TASKS_H

#include "tests/support/postgres.h"
#include "tests/support/sent.h"

enum {
    TASKS_RETENTION_HOURS = 360,
};

typedef struct TestWorker {
    TaskSettings settings;
    int64_t monotonic_ms;
    int64_t skew_us; /* of this machine's time of day from PostgreSQL's */
    Clock clock;
    TaskContext context;
} TestWorker;

/* Settings: 5 attempts, lock_wait 0, batches of 100 sessions, the first row that fails for itself
 * fails its command; a test may change them. A TestWorker
 * must not be moved once it is open. */
void worker_open(TestWorker *worker, const DatabaseSettings *settings, const char *worker_id);
/* For CLEANUP. */
void worker_done(TestWorker *worker);

/* Sets of one and more; a failure fails the test. The caller ends the outcomes. */
void worker_run_set(TestWorker *worker, const SentCommand *const *sent, size_t count,
                    TaskOutcome *outcomes);
/* Shape by the command: a read, a set of one, or a whole long command. A failure fails the test.
 * What *ret_outcome held before is ended first, here and below. */
void worker_run(TestWorker *worker, const SentCommand *sent, TaskOutcome *ret_outcome);

/* Claims the next step of a long command, after its delay; a step must be ready to be taken. */
int worker_claim(TestWorker *worker, LongCommand *long_command);
/* One step of a long command, after its delay; a failure fails the test. */
TaskStep worker_step(TestWorker *worker, const SentCommand *sent, LongCommand *long_command,
                     TaskOutcome *ret_outcome);
/* Steps until the long command asks for no more. */
void worker_finish_long_command(TestWorker *worker, const SentCommand *sent,
                                LongCommand *long_command, TaskOutcome *ret_outcome);

/* A member of the result, by its path: "data.deleted_sessions". */
int64_t outcome_number(const TaskOutcome *outcome, const char *path);
bool outcome_is_null(const TaskOutcome *outcome, const char *path);
void assert_outcome_text(const TaskOutcome *outcome, const char *path, const char *expected);

/* FINISHED with that status, and the ledger holds the very same bytes. */
void assert_finished(PgConn *conn, const SentCommand *sent, const TaskOutcome *outcome,
                     const char *status);
/* The same, and these bytes were there before. */
void assert_published_again(const TaskOutcome *outcome, const TaskOutcome *first);

int64_t ledger_count(PgConn *conn, const char *command_id, const char *state);

#endif

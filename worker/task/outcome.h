/*
 * outcome: how a task's end becomes bytes, a ledger row and a TaskOutcome, in one place for all
 * shapes.
 *
 * Threads: any.
 */
#ifndef WORKER_TASK_OUTCOME_H
#define WORKER_TASK_OUTCOME_H

#include "worker/task/ledger_rules.h"
#include "worker/task/task.h"

/* Everything about an end that is not in the command itself; pointers are borrowed. */
typedef struct TaskEnd {
    ResultStatus status;
    const char *message;
    const char *data; /* a JSON object, or NULL */
    bool has_error;
    ErrorCode error_code;
    const char *error_message;
    const char *error_sqlstate;
    int attempts;
    int64_t started_us;
    int64_t finished_us;
    bool dead_letter;
} TaskEnd;

/* A command on its way into the ledger, and to its outcome. */
typedef struct TaskEntry {
    const TaskContext *context;
    const TaskItem *item;
    LedgerRecord *record;
    TaskOutcome *outcome;
} TaskEntry;

/* Prints the result into the outcome (step FINISHED) and copies what the ledger stores into the
 * record, whose pointers then borrow from the outcome. Fails with ERROR_FATAL when out of memory.
 */
bool outcome_finish(const TaskEntry *entry, const TaskEnd *end, Error *err) MUST_CHECK;

/* The end of a command that `cause` made fail: its detail, code and SQLSTATE, and a dead letter. */
bool outcome_fail(const TaskEntry *entry, const Error *cause, int attempts, int64_t finished_us,
                  Error *err) MUST_CHECK;

/* The end, at the record's now, of a command that did not start: LEDGER_START_EXPIRED or
 * LEDGER_START_TOO_OLD. */
bool outcome_not_started(const TaskEntry *entry, LedgerStart start, Error *err) MUST_CHECK;

/* Fills the outcome from a row that ended: its stored bytes. */
bool outcome_from_stored(const LedgerRecord *row, TaskOutcome *outcome, Error *err) MUST_CHECK;

/* The outcome of a producer's duplicate, and how the first one, whose row this is, fared. */
void outcome_duplicate(const LedgerRecord *row, TaskOutcome *outcome);

/* The rejection of a command under an id that the row has for another one. The ledger does not
 * learn of it. */
bool outcome_conflict(const TaskEntry *entry, const LedgerRecord *row, Error *err) MUST_CHECK;

/* The documented code for the cause of a failure. */
ErrorCode outcome_error_code(const Error *cause);

/* True when another transaction's lock on a row of the application was the cause: the worker gives
 * way, and locks what it left unlocked the next time. */
bool outcome_met_a_lock(const Error *cause);

/* True when one row can be the cause, where it happened while rows were changed: found by halving,
 * that row is skipped. */
bool outcome_is_of_a_row(const Error *cause);

#endif

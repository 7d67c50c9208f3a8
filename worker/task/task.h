/*
 * task: what each command means. Commands in, repository calls, results out; no SQL and no Kafka.
 *
 * Owns:      nothing between calls but the LongCommand a caller keeps for a long command.
 * Threads:   one TaskContext (and its Database) belongs to one executor; a LongCommand may be used
 * by several, each with a claim of its own.
 * Invariant: every effect on the application's tables is committed in the same transaction as the
 * ledger's word about it.
 */
#ifndef WORKER_TASK_TASK_H
#define WORKER_TASK_TASK_H

#include "worker/message/result.h"
#include "worker/repository/catalog_watch.h"
#include "worker/task/batch_size.h"

typedef struct TaskSettings {
    const char *worker_id;
    int max_attempts;
    int lock_wait_ms;       /* bounds the last pass over what was locked */
    int max_row_errors;     /* rows that fail for themselves; more, and the command fails */
    int preview_timeout_ms; /* statement_timeout of a preview or dry run */
    int first_batch_rows;   /* of the first batch of a range, until its time is known */
    int batch_sessions;     /* rows of a window; more of one user make a long command */
    int executors;          /* of this worker: how many ranges a whole table is divided into */
    int ledger_retention_hours;
    int retry_backoff_ms;
    int retry_backoff_max_ms;
    int progress_interval_ms; /* of a long command; 0 = none */
    CatalogWatch *catalog;    /* asked before anything is deleted; NULL = nobody is asked */
} TaskSettings;

typedef struct TaskContext {
    Database *database;
    const TaskSettings *settings;
    const Clock *clock;
    BatchTime *set_time; /* task_run_set tells here how long rows of the application were locked;
                            untouched when none was; or NULL */
} TaskContext;

/* How a command is executed. */
typedef enum TaskShape {
    TASK_SHAPE_SET,          /* per-user command: shares a transaction with others of its kind */
    TASK_SHAPE_READ,         /* preview or dry run: one read-only statement */
    TASK_SHAPE_LONG_COMMAND, /* batches, each in a transaction of its own */
} TaskShape;

typedef enum TaskStep {
    TASK_PENDING,   /* not run yet */
    TASK_FINISHED,  /* the outcome holds the result to publish */
    TASK_DUPLICATE, /* a producer's duplicate: nothing to publish, only the offset to finish */
    TASK_REQUEUE,   /* more batches: put it at the end of the queue; long_command_claim says when */
    TASK_LEAVE_SET, /* leaves its set, or the run it would have shared; goes on as a long command */
    TASK_FOLLOWS,   /* shares the run of another command, and ends with it */
    TASK_OWNERSHIP_LOST /* another worker owns it by now: neither result nor offset */
} TaskStep;

typedef struct TaskOutcome {
    TaskStep step;
    char *result; /* JSON, owned; set when FINISHED */
    int64_t finished_at_us;
    int64_t first_started_us; /* of a duplicate: when the first one was; its status and end, too */
    int replay;
    bool id_conflict; /* rejected for its id; only then is the result none of that id's own */
    bool dead_letter; /* goes to the dead-letter topic too, with this reason: */
    char *reason;
    int attempts;
    const char *status;    /* static: "succeeded" and so on */
    char *message;         /* the result's, owned; NULL where the bytes came from the ledger */
    int64_t started_at_us; /* 0: it did not start here */
    /* How far a long command has come (TASK_REQUEUE), now and then; see message/progress.h. */
    char *progress; /* JSON, owned; or NULL */
    int64_t progress_number;
    int64_t progress_at_us;
    bool row_skipped; /* the note is about one row, which is skipped for it */
    Error *note;      /* a failure that is being tried again, for the log; owned, or NULL */
} TaskOutcome;

void task_outcome_done(TaskOutcome *outcome);

/* One command and the record it came from; both borrowed. */
typedef struct TaskItem {
    const Command *command;
    const Record *source;
} TaskItem;

TaskShape task_shape(const Command *command);

enum {
    TASK_SHARE_KEY_BYTES = 64,
};

/* What is equal of commands that change the same rows of the whole table in the same way, so that
 * one run will do for all that wait together; "" of a command that shares no run. */
void task_share_key(const Command *command, char ret_key[TASK_SHARE_KEY_BYTES]);

/* Executes per-user commands in one transaction; outcomes[i] belongs to items[i].
 * No two items may name the same user or the same id.
 * False: nothing of the set took effect. ERROR_RETRY and ERROR_REJECT concern the set (halve it; a
 * set of one counts an attempt, then task_fail); ERROR_HOLD concerns the environment. */
bool task_run_set(const TaskContext *context, const TaskItem *items, size_t count, int attempts,
                  TaskOutcome *outcomes, Error *err) MUST_CHECK;

/* Executes one preview or dry run; errors as task_run_set. */
bool task_run_read(const TaskContext *context, const TaskItem *item, int attempts,
                   TaskOutcome *ret_outcome, Error *err) MUST_CHECK;

/* A long command under way: it begins, runs batches of its ranges, and ends. Each executor that
 * steps it holds a claim, so that several ranges run side by side. */
typedef struct LongCommand LongCommand;

enum {
    CLAIM_EXCLUSIVE = -1, /* the claim to begin or to end */
};

LongCommand *long_command_new(void) MUST_CHECK; /* NULL when out of memory */
void long_command_free(LongCommand *long_command);
DEFINE_FREEP(LongCommand, long_command_free)

/* Claims a range that no executor has claimed and that may run at `now_ms` (monotonic); the next
 * task_step_long_command gives it back. Before the begin, and when all ranges are done, the claim
 * is CLAIM_EXCLUSIVE: it holds nothing, so the caller sees to it that no other has a claim then,
 * nor asks for one before that step is over. False: there is nothing to do now;
 * long_command_next_ms tells when there is. */
bool long_command_claim(LongCommand *long_command, int64_t now_ms, int *ret_claim) MUST_CHECK;

/* When something may be claimed (monotonic), as far as the clock alone decides; INT64_MAX when only
 * the end of a running step can tell. */
int64_t long_command_next_ms(LongCommand *long_command);

/* Commands whose task_share_key is the leader's, and what becomes of each. */
typedef struct TaskFollowers {
    const TaskItem *items;
    TaskOutcome *outcomes; /* {0} before the step; the caller ends them */
    size_t count;
} TaskFollowers;

/* What one step of a long command is taken with. */
typedef struct TaskTurn {
    LongCommand *long_command;
    int claim;
    const TaskFollowers *followers; /* or NULL; of CLAIM_EXCLUSIVE alone */
} TaskTurn;

/* Takes the next step of a long command as the claim says: begins it or takes it over, runs a batch
 * of the range, or ends it. A batch that fails for itself is retried and given up in here
 * (TASK_REQUEUE with a note). False: only when the environment is at fault (ERROR_HOLD) or the
 * process (ERROR_FATAL), or beginning or ending failed (ERROR_RETRY: call again later; counted by
 * the caller, then task_fail).
 *
 * The followers are the commands that share the run. When it begins, those that may join get
 * TASK_FOLLOWS, those that the ledger knows or that are too late get TASK_LEAVE_SET, and all stay
 * TASK_PENDING when this is no run to share. When it ends well, they get TASK_FINISHED, or
 * TASK_LEAVE_SET when the ledger knows them by now; else they stay TASK_PENDING. On false their
 * outcomes mean nothing. */
bool task_step_long_command(const TaskContext *context, const TaskItem *item, const TaskTurn *turn,
                            TaskOutcome *ret_outcome, Error *err) MUST_CHECK;

/* Why a command is given up. */
typedef struct TaskFailure {
    const Error *cause;
    int attempts;
    const LongCommand
        *long_command; /* as far as it has come; no executor claims any of it. Or NULL */
} TaskFailure;

/* Writes `failed` for a command whose tries have run out, in a transaction of its own, with what a
 * long command had done. False: it could not be written, which is a hold. */
bool task_fail(const TaskContext *context, const TaskItem *item, const TaskFailure *failure,
               TaskOutcome *ret_outcome, Error *err) MUST_CHECK;

#endif

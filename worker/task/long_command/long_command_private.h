/*
 * long_command_private: the inside of a long command, for the files of this folder.
 *
 * Threads:   the executor that begins or ends a long command is the only one that has it. In
 * between, several executors run batches: what is under the lock says so; the rest of a LongCommand
 * does not change then, and a range is changed by its claimant alone, which works on a copy.
 * Invariant: a range has at most one claimant. What is in here can be lost at any moment; the
 * ledger's rows are what a takeover starts from.
 */
#ifndef WORKER_TASK_LONG_COMMAND_LONG_COMMAND_PRIVATE_H
#define WORKER_TASK_LONG_COMMAND_LONG_COMMAND_PRIVATE_H

#include "worker/task/kind.h"
#include "worker/task/outcome.h"
#include "worker/task/report.h"

#include <pthread.h>

enum {
    LONG_COMMAND_RANGES_MAX = TARGET_RANGES_MAX * TASK_TARGETS_MAX,
    LONG_COMMAND_HELD_DELAY_MS = 5000,
    LONG_COMMAND_BUSY_DELAY_MS = 250, /* another transaction holds the range row, or a table */
};

/* A range as this worker runs it. */
typedef struct RangeRun {
    const Target *target;
    int range_no;
    bool claimed;
    bool done;
    bool lock_children_first; /* the next batch locks children before it deletes them */
    bool guarded;             /* triggers keep rows: batches undo a change that is not whole */
    bool held;                /* waits for the environment: a missing privilege */
    int attempts;             /* consecutive failures of one batch */
    int yields;               /* consecutive batches given up to another cleaner's locks */
    int64_t not_before_ms;    /* monotonic */
    unsigned seed;            /* of the waits between two tries */
    int batch_rows;
    int suspects;       /* rows of the next windows, one of which fails for itself; 0 = unknown */
    int skipped_max;    /* rows it keeps for its last pass */
    int64_t rows_done;  /* as committed */
    int64_t rows_total; /* 0 = unknown */
} RangeRun;

/* The last progress, or the begin. */
typedef struct LongCommandProgress {
    int64_t since_ms; /* monotonic */
    int64_t rows_done;
    int64_t updated_us;
    int64_t count; /* of this owner's */
} LongCommandProgress;

struct LongCommand {
    bool begun;
    int64_t epoch;
    int64_t now_us;
    int64_t started_us;
    int range_count;
    pthread_mutex_t lock;                     /* of all below */
    RangeRun ranges[LONG_COMMAND_RANGES_MAX]; /* one target after the other */
    int attempts;                             /* that the last failed range has had, but one */
    int64_t updated_us; /* the database's time of the last batch that committed */
    LongCommandProgress progress;
};

/* A step of a long command, and what it leads to. */
typedef struct LongCommandStep {
    const TaskContext *context;
    const TaskItem *item;
    LongCommand *long_command;
    const TaskFollowers *followers; /* or NULL */
    TaskOutcome *outcome;
} LongCommandStep;

/* claim.c: the part of a LongCommand that is under its lock. */

/* Is any range not done yet? Under the lock, for the files that hold it. */
bool long_command_has_more(const LongCommand *long_command);

/* A copy of a claimed range, for its claimant. */
RangeRun long_command_claimed_range(LongCommand *long_command, int claim);

/* Gives a claimed range back as it is now. True when nothing of the command can go on until the
 * environment is mended. */
bool long_command_unclaim(LongCommand *long_command, int claim, const RangeRun *run);

/* Notes when a batch committed, and what a range that has failed had tried before. */
void long_command_note_batch(LongCommand *long_command, int64_t updated_us);
void long_command_note_failed_range(LongCommand *long_command, const RangeRun *run);
int long_command_attempts(LongCommand *long_command);

/* begin.c, share.c, plan.c */

/* Begins the command, takes it over, or settles it by the ledger's rules. */
bool long_command_begin(const LongCommandStep *step, Error *err) MUST_CHECK;

/* Says which of the followers share the run that begins at `now_us`. */
bool long_command_share_join(const TaskContext *context, const TaskFollowers *followers,
                             int64_t now_us, Error *err) MUST_CHECK;

/* Enters the followers in the ledger, within the transaction that ends the leader well, as having
 * found nothing. */
bool long_command_share_end(const TaskEntry *leader, const TaskFollowers *followers,
                            const Reports *reports, Error *err) MUST_CHECK;

/* The ranges of a command, one target after the other, as the task has them. */
typedef struct LongCommandRanges {
    LedgerRange each[LONG_COMMAND_RANGES_MAX];
    const Target *targets[LONG_COMMAND_RANGES_MAX]; /* of each */
    size_t count;
} LongCommandRanges;

/* Divides the targets of a command that begins, at `epoch`. */
bool long_command_plan(const TaskContext *context, const Command *command, int64_t epoch,
                       LongCommandRanges *ret_ranges, Error *err) MUST_CHECK;

/* Locks and reads the ranges of a command that goes on or ends. ERROR_HOLD when a later version,
 * with targets that this one does not have, has begun it. */
bool long_command_lock_ranges(const TaskContext *context, const Command *command,
                              LongCommandRanges *ret_ranges, Error *err) MUST_CHECK;

/* Rows of a batch before the time that one takes is known. */
int long_command_first_rows(const TaskContext *context);

/* From here on it runs these ranges. */
void long_command_adopt(const TaskContext *context, LongCommand *long_command,
                        const LongCommandRanges *ranges);

/* batch.c */

/* One batch of a range in a transaction of its own; `run` is the claimant's copy.
 * *ret_ownership_lost: another worker owns the command by now. On false *ret_changing tells whether
 * it had begun to change rows, so that one of them may be the cause. */
bool long_command_run_batch(const LongCommandStep *step, RangeRun *run, bool *ret_ownership_lost,
                            bool *ret_changing, Error *err) MUST_CHECK;

/* Skips the first row of the next window, which has failed alone, for `cause`, in a transaction of
 * its own. *ret_too_many: the target has had more of those than limits.max_row_errors. */
bool long_command_skip_row(const LongCommandStep *step, RangeRun *run, const SkipCause *cause,
                           bool *ret_too_many, bool *ret_ownership_lost, Error *err) MUST_CHECK;

/* Writes that a range has failed for good. */
bool long_command_fail_range(const LongCommandStep *step, RangeRun *run, const Error *cause,
                             bool *ret_ownership_lost, Error *err) MUST_CHECK;

/* progress.c */

/* The first progress is due an interval from here. */
void long_command_begin_progress(const TaskContext *context, LongCommand *long_command);

/* Adds a progress to the outcome of a step, when it is due, something was committed since the last
 * one, and there is more to do. Fails only when out of memory. */
bool long_command_add_progress(const LongCommandStep *step, Error *err) MUST_CHECK;

/* end.c */

/* Ends the command as its ranges say: one transaction that sums them up, stores the result, and
 * those of its followers when it succeeded, and clears them away. */
bool long_command_end(const LongCommandStep *step, Error *err) MUST_CHECK;

#endif

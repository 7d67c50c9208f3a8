/*
 * long_command: the inside of a long command, shared by the files of this folder alone.
 *
 * Threads:   whoever begins or ends it is alone with it. In between, several executors run batches:
 * what is under the lock says so; the rest of a LongCommand does not change then, and a part is
 * changed by its claimant alone, who works on a copy.
 * Invariant: a part has at most one claimant. What is in here can be lost at any moment; the
 * ledger's rows are what a takeover starts from.
 */
#ifndef WORKER_TASK_LONG_COMMAND_LONG_COMMAND_H
#define WORKER_TASK_LONG_COMMAND_LONG_COMMAND_H

#include "worker/task/outcome.h"
#include "worker/task/report.h"

#include <pthread.h>

enum {
    LONG_COMMAND_HALVES_MAX = 2,  /* sessions and bookings */
    LONG_COMMAND_RANGES_MAX = 16, /* of the sessions */
    LONG_COMMAND_PARTS_MAX = LONG_COMMAND_RANGES_MAX + 1,
    LONG_COMMAND_RANGE_ROWS_MIN = 5000,    /* a smaller table is not divided so far */
    LONG_COMMAND_SKIPPED_KEPT_MAX = 10000, /* skipped rows a command's sessions or bookings keep */
    LONG_COMMAND_BATCH_LOCK_MS =
        250, /* a batch that holds its locks longer makes the next one smaller */
    LONG_COMMAND_BATCH_MIN = 10,
    LONG_COMMAND_YIELDS_MAX = 50,
    LONG_COMMAND_YIELD_DELAY_MS = 20,
    LONG_COMMAND_LAST_PASS_DELAY_MS = 100,
    LONG_COMMAND_HELD_PART_DELAY_MS = 5000,
    LONG_COMMAND_BUSY_DELAY_MS = 250,        /* somebody else holds the range row */
    LONG_COMMAND_PROGRESS_NUMBERS = 1000000, /* an owner's */
};

/* A range of the sessions, or the bookings. */
typedef struct LongCommandPart {
    ReportPart kind;
    int range_no;
    bool claimed;
    bool done;
    bool lock_children_first; /* the next batch locks children before it deletes them */
    bool held;                /* waits for the environment: a missing privilege */
    int attempts;             /* consecutive failures of one batch */
    int yields;               /* consecutive batches given up to somebody who holds most of it */
    int64_t not_before_ms;    /* monotonic */
    unsigned seed;            /* of the waits between two tries */
    int batch_rows;
    int64_t rows_done;  /* as committed */
    int64_t rows_total; /* 0 = unknown */
} LongCommandPart;

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
    int part_count;
    int skipped_kept_max; /* of one range */
    pthread_mutex_t lock; /* of all below */
    LongCommandPart parts[LONG_COMMAND_PARTS_MAX];
    int attempts;       /* that the last failed part has had, but one */
    int64_t updated_us; /* the database's time of the last batch that committed */
    LongCommandProgress progress;
};

/* What a batch is run with; range is locked and belongs to this owner. */
typedef struct LongCommandBatch {
    const TaskContext *context;
    const TaskItem *item;
    LongCommand *long_command;
    LongCommandPart *part;
    LedgerRange range;
    int64_t now_us;
    int64_t locks_since_ms; /* monotonic; 0 = no row of the application locked */
    bool yield;             /* roll back and come again later */
    int delay_ms;
} LongCommandBatch;

/* As arena_alloc, in the memory of the batch's transaction. */
void *long_command_room(const LongCommandBatch *batch, size_t count, size_t size) MUST_CHECK;

/* "sessions" or "bookings"; static. */
const char *long_command_part_name(ReportPart kind);

/* Is any part not done yet? Under the lock, for the files that hold it. */
bool long_command_has_more(const LongCommand *long_command);

/* A copy of a claimed part, for its claimant. */
LongCommandPart long_command_claimed_part(LongCommand *long_command, int claim);

/* Gives a claimed part back as it is now. True when nothing of the command can go on until the
 * environment is mended. */
bool long_command_unclaim(LongCommand *long_command, int claim, const LongCommandPart *part);

/* Notes when a batch committed, and what a part that has failed had tried before. */
void long_command_note_batch(LongCommand *long_command, int64_t updated_us);
void long_command_note_failed_part(LongCommand *long_command, const LongCommandPart *part);
int long_command_attempts(LongCommand *long_command);

/* Begins the command, takes it over, or settles it by the ledger's rules. `followers` may be NULL,
 * here and below. */
bool long_command_begin(const TaskContext *context, const TaskItem *item, LongCommand *long_command,
                        const TaskFollowers *followers, TaskOutcome *outcome,
                        Error *err) MUST_CHECK;

/* Says which of them share the run that begins at `now_us`. */
bool long_command_share_join(const TaskContext *context, const TaskFollowers *followers,
                             int64_t now_us, Error *err) MUST_CHECK;

/* What a run did, or its followers found: one half or both. Borrows from the reports. */
typedef struct LongCommandReports {
    const Report *reports;
    size_t count;
} LongCommandReports;

/* As report_message and report_data. */
char *long_command_message(Arena *arena, const LongCommandReports *reports) MUST_CHECK;
char *long_command_data(Arena *arena, const LongCommandReports *reports,
                        const char *shared_with) MUST_CHECK;

/* Enters them in the ledger, within the transaction that ends the leader well, as having found
 * nothing. */
bool long_command_share_end(const TaskContext *context, const LedgerRecord *leader,
                            const TaskFollowers *followers, const LongCommandReports *reports,
                            Error *err) MUST_CHECK;

/* The parts of a command that has just begun, and their range rows for the ledger; `ranges` has
 * room for LONG_COMMAND_PARTS_MAX of them. */
bool long_command_plan(const TaskContext *context, const Command *command,
                       LongCommand *long_command, LedgerRange *ranges, Error *err) MUST_CHECK;

/* The parts of a command that goes on, from its range rows. */
void long_command_adopt(const TaskContext *context, LongCommand *long_command,
                        const LedgerRange *ranges, size_t count);

/* One batch of a part in a transaction of its own; `part` is the claimant's copy.
 * *ret_ownership_lost: another worker owns the command by now. */
bool long_command_run_batch(const TaskContext *context, const TaskItem *item,
                            LongCommand *long_command, LongCommandPart *part,
                            bool *ret_ownership_lost, Error *err) MUST_CHECK;

/* The work of a batch, within its transaction; both change batch->range alone. */
bool long_command_sessions_batch(LongCommandBatch *batch, Error *err) MUST_CHECK;
bool long_command_sessions_last_pass(LongCommandBatch *batch, Error *err) MUST_CHECK;
bool long_command_bookings_batch(LongCommandBatch *batch, Error *err) MUST_CHECK;
bool long_command_bookings_last_pass(LongCommandBatch *batch, Error *err) MUST_CHECK;

/* From here on the batch waits for nobody. */
bool long_command_stop_waiting(LongCommandBatch *batch, Error *err) MUST_CHECK;

/* Judges how much of a batch somebody else holds: true when it is better to come again than to skip
 * so much. */
bool long_command_should_yield(LongCommandBatch *batch, const bool *locked, size_t count);

/* The next skipped rows that the last pass has not tried in this round. */
bool long_command_list_skipped(LongCommandBatch *batch, SkippedRows *ret_rows,
                               Error *err) MUST_CHECK;

/* Goes on behind the rows that were tried. After the last of them the range ends when none is left
 * or its time is over, and what stays locked is counted; else another round begins. */
bool long_command_advance_last_pass(LongCommandBatch *batch, const SkippedRows *tried,
                                    Error *err) MUST_CHECK;

/* All windows are done: what was skipped is next, from the beginning. */
void long_command_begin_last_pass(LedgerRange *range);

/* The first progress is due an interval from here. */
void long_command_begin_progress(const TaskContext *context, LongCommand *long_command);

/* Adds a progress to the outcome of a step, when it is due, something was committed since the last
 * one, and there is more to do. Fails only when out of memory. */
bool long_command_add_progress(const TaskContext *context, const TaskItem *item,
                               LongCommand *long_command, TaskOutcome *outcome,
                               Error *err) MUST_CHECK;

/* Writes that a part has failed for good. */
bool long_command_fail_part(const TaskContext *context, const TaskItem *item,
                            LongCommand *long_command, LongCommandPart *part, const Error *cause,
                            bool *ret_ownership_lost, Error *err) MUST_CHECK;

/* Ends the command as its ranges say: one transaction that sums them up, stores the result, and
 * those of its followers when it succeeded, and clears them away. */
bool long_command_end(const TaskContext *context, const TaskItem *item,
                      const LongCommand *long_command, const TaskFollowers *followers, int attempts,
                      TaskOutcome *outcome, Error *err) MUST_CHECK;

/* The same inside the caller's transaction, with the ledger row locked; neither commits nor rolls
 * back. With a `cause` it has failed for that, whatever the ranges say. */
bool long_command_end_locked(const TaskContext *context, const TaskItem *item,
                             const LedgerRecord *row, const TaskFollowers *followers,
                             const Error *cause, int attempts, TaskOutcome *outcome,
                             Error *err) MUST_CHECK;

#endif

/*
 * target: what tasks work on: the rows of one table that are due. A target is a value with its
 * words and its work, in a file of its own (target_….c); kind.c lists which task works on which.
 *
 * Threads:   any; a batch belongs to the executor that runs it.
 * Invariant: a target has no state: what a long command knows of one is in its ranges.
 */
#ifndef WORKER_TASK_TARGET_H
#define WORKER_TASK_TARGET_H

#include "worker/repository/ledger_repository.h"
#include "worker/repository/preview.h"
#include "worker/task/task.h"

enum {
    TARGET_RANGES_MAX = 16, /* into which one is divided */
    TALLY_REASONS_MAX =
        20, /* causes that a result lists of a target; rarer ones are counted only */
};

/* What was done with the rows of a target, or would be. Pointers are borrowed. */
typedef struct Tally {
    int64_t counts[RANGE_COUNTS_MAX]; /* the first one is that of the rows themselves */
    int64_t skipped;
    SkipCount reasons[TALLY_REASONS_MAX]; /* for which rows were skipped */
    size_t reason_count;
    const char *const *ids; /* listed in the result; perhaps not all */
    size_t id_count;
} Tally;

typedef struct Target Target;

/* A long command that begins, as far as a target divides its rows: see long_command/divide.h. */
typedef struct TargetPlan {
    const TaskContext *context;
    const Target *target;
    const CommandParams *params;
    LedgerRange *ranges; /* of this target; room for TARGET_RANGES_MAX */
    int count;
} TargetPlan;

/* One batch of a range, within its transaction: see long_command/pass.h. */
typedef struct TargetBatch {
    const TaskContext *context;
    const Target *target;
    const CommandParams *params;
    LedgerRangeKey key;
    int64_t cutoff_us;
    int64_t now_us;
    int limit;                /* rows of its window */
    int skipped_max;          /* rows the range keeps for its last pass */
    int yields;               /* batches in a row that were given up to another cleaner */
    bool lock_children_first; /* before they are deleted: one was locked the last time */
    bool guarded; /* with a savepoint before the change: a trigger kept something the last time */
    const SkipCause *set_aside; /* the one row of the window is skipped for this; NULL = none */
    /* What the work changes. */
    LedgerRange range;      /* locked; it belongs to this owner */
    int64_t round_trip_ms;  /* of a small statement */
    int64_t locks_since_ms; /* monotonic; 0 = no row of the application locked */
    bool yield;             /* roll back and come again later */
    bool needs_guard;       /* roll back and come again at once, guarded */
    int delay_ms;
} TargetBatch;

/* A preview or a dry run, within its transaction. */
typedef struct TargetRead {
    const TaskContext *context;
    const Target *target;
    const CommandParams *params;
    int64_t now_us;
    int64_t cutoff_us;
} TargetRead;

/* How a result speaks of a target: "Successfully cleaned up 3 inactive sessions". */
typedef struct TargetWords {
    const char *due;       /* the rows: "inactive sessions" */
    const char *done;      /* before the number: "Successfully cleaned up" */
    const char *would;     /* the same of a dry run */
    const char *rows;      /* after it */
    const char *failure;   /* "Error cleaning up inactive sessions" */
    const char *heading;   /* among other targets: "Session cleanup" */
    const char *section;   /* its object among theirs: "session_cleanup" */
    const char *skipped;   /* its members: "skipped_sessions" */
    const char *ids;       /* of the list of ids; NULL = none */
    const char *truncated; /* tells whether ids are missing there */
} TargetWords;

struct Target {
    const char *name;          /* in the ledger and in the log */
    const char *const *counts; /* what Tally.counts and LedgerRange.counts are called in a result */
    size_t counted;
    TargetWords words;

    /* How old a row is that is due. */
    double (*age_minutes)(const CommandParams *params);

    /* Divides the rows into ranges, one at least, from the catalog alone. */
    bool (*plan)(TargetPlan *plan, Error *err);

    /* Works on the next window of a range, and then on what it skipped: changes the rows, moves the
     * cursor, adds to the counts. */
    bool (*batch)(TargetBatch *batch, Error *err);
    bool (*last_pass)(TargetBatch *batch, Error *err);

    /* Lists what is due. */
    bool (*preview)(const TargetRead *read, Preview *ret_preview, Error *err);

    /* Counts what would be done; what *tally points to is in the transaction's memory. */
    bool (*count)(const TargetRead *read, Tally *tally, Error *err);
};

/* Rows that are older than this are due. */
int64_t target_cutoff_us(const Target *target, const CommandParams *params, int64_t now_us);

extern const Target target_sessions;
extern const Target target_bookings;

#endif

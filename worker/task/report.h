/*
 * report: what a command did with its targets, as message and as data. Pure.
 *
 * Threads: any.
 */
#ifndef WORKER_TASK_REPORT_H
#define WORKER_TASK_REPORT_H

#include "worker/task/target.h"

/* What was done with one target. Pointers are borrowed. */
typedef struct Report {
    const Target *target;
    bool dry_run;
    int64_t cutoff_us;
    const char *user_id; /* "" = all */
    Tally tally;
    const char *failure; /* NULL, or why it failed */
} Report;

/* A report for each target of a command, in their order. */
typedef struct Reports {
    const Report *each;
    size_t count;
} Reports;

/* One sentence: what was done, or why it failed; of several targets, their sentences together. NULL
 * when out of memory. */
char *report_message(Arena *arena, const Reports *reports) MUST_CHECK;

/* The counts as a JSON object, with an object for each target where there are several, and, unless
 * NULL, whose execution the command shared. NULL when out of memory. */
char *report_data(Arena *arena, const Reports *reports, const char *shared_with) MUST_CHECK;

#endif

/*
 * divide: how a target divides its rows into ranges.
 *
 * Threads: any.
 */
#ifndef WORKER_TASK_LONG_COMMAND_DIVIDE_H
#define WORKER_TASK_LONG_COMMAND_DIVIDE_H

#include "worker/task/target.h"

/* Into how many ranges that many rows are worth dividing: about as many as there are executors, but
 * none so small that it is not worth its transactions; at most TARGET_RANGES_MAX. */
int divide_wanted(const TaskContext *context, int64_t rows);

/* Adds a range, to be worked on from its first row; at most TARGET_RANGES_MAX of a plan. */
LedgerRange *divide_add(TargetPlan *plan);

#endif

/*
 * lock_report: says in the log who keeps the commands of this worker waiting.
 *
 * Threads: the executor's that owns the context.
 */
#ifndef WORKER_TASK_LOCK_REPORT_H
#define WORKER_TASK_LOCK_REPORT_H

#include "worker/task/task.h"

/* Logs who holds a lock on a table, and that the worker has waited for it for `waited_ms`. Between
 * two transactions of the context. */
void task_report_lock(const TaskContext *context, int64_t waited_ms);

#endif

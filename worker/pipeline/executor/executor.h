/*
 * executor: a thread with a database connection of its own that runs one unit after another.
 *
 * Owns:      its connection and thread.
 * Threads:   started and joined by the thread that made it.
 */
#ifndef WORKER_PIPELINE_EXECUTOR_EXECUTOR_H
#define WORKER_PIPELINE_EXECUTOR_EXECUTOR_H

#include "worker/pipeline/shared.h"

typedef struct Executor Executor;

/* Runs until batcher_stop. `shared` is borrowed until the join. */
bool executor_start(const PipelineShared *shared, int index, Executor **ret_executor,
                    Error *err) MUST_CHECK;

/* Waits for the thread until `deadline_ms` (monotonic, of the system's clock) and frees it. False
 * when the thread is still inside the database: then it, and what it uses, must be left alone. NULL
 * is harmless. */
bool executor_join(Executor *executor, int64_t deadline_ms) MUST_CHECK;

#endif

#include "worker/pipeline/executor/executor.h"

#include "common/thread.h"
#include "worker/pipeline/executor/unit_run.h"

struct Executor {
    pthread_t thread;
    const PipelineShared *shared;
    Database *database;
    UnitRun *run;
};

static void *
executor_main(void *argument)
{
    Executor *executor = argument;
    Batcher *batcher = executor->shared->batcher;
    for (;;) {
        Unit *unit = batcher_take(batcher, BATCHER_WAIT_FOREVER);
        if (unit == NULL)
            return NULL;
        unit_run(executor->run, unit);
        batcher_end_unit(batcher, unit);
    }
}

static void
executor_free(Executor *executor)
{
    if (executor == NULL)
        return;
    unit_run_free(executor->run);
    database_free(executor->database);
    free(executor);
}

DEFINE_FREEP(Executor, executor_free)

bool
executor_start(const PipelineShared *shared, int index, Executor **ret_executor, Error *err)
{
    CLEANUP(executor_freep) Executor *executor = calloc(1, sizeof(*executor));
    if (executor == NULL)
        return error_out_of_memory(err);
    const unsigned seed = (unsigned)clock_now_us(shared->clock) + (unsigned)index;
    executor->shared = shared;
    executor->database = database_new(shared->settings->database, shared->clock);
    if (executor->database == NULL)
        return error_out_of_memory(err);
    executor->run = unit_run_new(shared, executor->database, seed);
    if (executor->run == NULL)
        return error_out_of_memory(err);
    const int code = pthread_create(&executor->thread, NULL, executor_main, executor);
    if (code != 0)
        return error_system(err, "start an executor", code);
    *ret_executor = executor;
    executor = NULL;
    return true;
}

bool
executor_join(Executor *executor, int64_t deadline_ms)
{
    if (executor == NULL)
        return true;
    if (!thread_join(executor->thread, deadline_ms))
        return false;
    executor_free(executor);
    return true;
}

#include "worker/pipeline/executor.h"

#include "worker/pipeline/unit_run.h"

#include <pthread.h>
#include <time.h>

struct Executor {
    pthread_t thread;
    const Stations *stations;
    Database *database;
    UnitRun *run;
};

static void *
executor_main(void *argument)
{
    Executor *executor = argument;
    Batcher *batcher = executor->stations->batcher;
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
executor_start(const Stations *stations, int index, Executor **ret_executor, Error *err)
{
    CLEANUP(executor_freep) Executor *executor = calloc(1, sizeof(*executor));
    if (executor == NULL)
        return error_out_of_memory(err);
    const unsigned seed = (unsigned)clock_now_us(stations->clock) + (unsigned)index;
    executor->stations = stations;
    executor->database = database_new(stations->settings->database, stations->clock);
    if (executor->database == NULL)
        return error_out_of_memory(err);
    executor->run = unit_run_new(stations, executor->database, seed);
    if (executor->run == NULL)
        return error_out_of_memory(err);
    const int code = pthread_create(&executor->thread, NULL, executor_main, executor);
    if (code != 0)
        return error_set(err, ERROR_FATAL, "system", "start an executor: errno %d", code);
    *ret_executor = executor;
    executor = NULL;
    return true;
}

/* pthread_timedjoin_np counts in time of day. */
static struct timespec
time_of_day_after(int64_t span_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(span_ms / 1000);
    until.tv_nsec += (long)(span_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return until;
}

bool
executor_join(Executor *executor, int64_t deadline_ms)
{
    if (executor == NULL)
        return true;
    const int64_t left_ms = deadline_ms - clock_monotonic_ms(clock_system());
    const struct timespec until = time_of_day_after(left_ms > 0 ? left_ms : 0);
    if (pthread_timedjoin_np(executor->thread, NULL, &until) != 0)
        return false;
    executor_free(executor);
    return true;
}

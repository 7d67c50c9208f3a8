/* How far a long command has come, for those who follow the results. */
#include "worker/message/progress.h"
#include "worker/task/long_command/long_command_private.h"

enum {
    PROGRESS_NUMBERS = 1000000, /* an owner's */
};

static int64_t
rows_done(const LongCommand *long_command)
{
    int64_t sum = 0;
    for (int i = 0; i < long_command->range_count; i++)
        sum += long_command->ranges[i].rows_done;
    return sum;
}

/* 0 = unknown, which it is as soon as one range's is. */
static int64_t
rows_total(const LongCommand *long_command)
{
    int64_t sum = 0;
    for (int i = 0; i < long_command->range_count; i++) {
        if (long_command->ranges[i].rows_total <= 0)
            return 0;
        sum += long_command->ranges[i].rows_total;
    }
    return sum;
}

static void
begin_span(LongCommand *long_command, int64_t now_ms)
{
    long_command->progress.since_ms = now_ms;
    long_command->progress.rows_done = rows_done(long_command);
    long_command->progress.updated_us = long_command->updated_us;
}

void
long_command_begin_progress(const TaskContext *context, LongCommand *long_command)
{
    begin_span(long_command, clock_monotonic_ms(context->clock));
}

/* Each owner has a million numbers of its own, so that none comes twice, whichever of them dies. */
static int64_t
next_number(LongCommand *long_command)
{
    return (long_command->epoch - 1) * PROGRESS_NUMBERS + ++long_command->progress.count;
}

static bool
add_progress(const LongCommandStep *step, Error *err)
{
    const TaskContext *context = step->context;
    LongCommand *long_command = step->long_command;
    TaskOutcome *outcome = step->outcome;
    const int64_t now_ms = clock_monotonic_ms(context->clock);
    const int64_t span_ms = now_ms - long_command->progress.since_ms;
    const int interval_ms = context->settings->progress_interval_ms;
    if (interval_ms <= 0 || span_ms < interval_ms || !long_command_has_more(long_command) ||
        long_command->updated_us == long_command->progress.updated_us ||
        long_command->progress.count >= PROGRESS_NUMBERS - 1)
        return true;
    const int64_t done = rows_done(long_command);
    const Progress progress = {
        .command_id = step->item->command->id,
        .task = command_task_name(step->item->command->task),
        .number = next_number(long_command),
        .rows_done = done,
        .rows_total = rows_total(long_command),
        .rows_per_second =
            (double)(done - long_command->progress.rows_done) * 1000 / (double)span_ms,
        .worker_id = context->settings->worker_id,
        .started_at_us = long_command->started_us,
        .updated_at_us = long_command->updated_us,
    };
    begin_span(long_command, now_ms);
    outcome->progress = progress_print(&progress);
    outcome->progress_number = progress.number;
    outcome->progress_at_us = progress.updated_at_us;
    return outcome->progress != NULL || error_out_of_memory(err);
}

bool
long_command_add_progress(const LongCommandStep *step, Error *err)
{
    pthread_mutex_lock(&step->long_command->lock);
    const bool added = add_progress(step, err);
    pthread_mutex_unlock(&step->long_command->lock);
    return added;
}

/* How far a long command has come, for whoever follows the results. */
#include "worker/message/progress.h"
#include "worker/task/chain.h"

static int64_t
rows_done(const Chain *chain)
{
    int64_t sum = 0;
    for (int i = 0; i < chain->part_count; i++)
        sum += chain->parts[i].rows_done;
    return sum;
}

/* 0 = unknown, which it is as soon as one part's is. */
static int64_t
rows_total(const Chain *chain)
{
    int64_t sum = 0;
    for (int i = 0; i < chain->part_count; i++) {
        if (chain->parts[i].rows_total <= 0)
            return 0;
        sum += chain->parts[i].rows_total;
    }
    return sum;
}

static void
begin_span(Chain *chain, int64_t now_ms)
{
    chain->progress.since_ms = now_ms;
    chain->progress.rows_done = rows_done(chain);
    chain->progress.updated_us = chain->updated_us;
}

void
chain_begin_progress(const TaskContext *context, Chain *chain)
{
    begin_span(chain, clock_monotonic_ms(context->clock));
}

/* Each owner has a million numbers of its own, so that none comes twice, whoever dies when. */
static int64_t
next_number(Chain *chain)
{
    return (chain->epoch - 1) * CHAIN_PROGRESS_NUMBERS + ++chain->progress.count;
}

static bool
add_progress(const TaskContext *context, const TaskItem *item, Chain *chain, TaskOutcome *outcome,
             Error *err)
{
    const int64_t now_ms = clock_monotonic_ms(context->clock);
    const int64_t span_ms = now_ms - chain->progress.since_ms;
    const int interval_ms = context->settings->progress_interval_ms;
    if (interval_ms <= 0 || span_ms < interval_ms || !chain_has_more(chain) ||
        chain->updated_us == chain->progress.updated_us ||
        chain->progress.count >= CHAIN_PROGRESS_NUMBERS - 1)
        return true;
    const int64_t done = rows_done(chain);
    const Progress progress = {
        .command_id = item->command->id,
        .task = command_task_name(item->command->task),
        .number = next_number(chain),
        .rows_done = done,
        .rows_total = rows_total(chain),
        .rows_per_second = (double)(done - chain->progress.rows_done) * 1000 / (double)span_ms,
        .worker_id = context->settings->worker_id,
        .started_at_us = chain->started_us,
        .updated_at_us = chain->updated_us,
    };
    begin_span(chain, now_ms);
    outcome->progress = progress_print(&progress);
    outcome->progress_number = progress.number;
    outcome->progress_at_us = progress.updated_at_us;
    return outcome->progress != NULL || error_out_of_memory(err);
}

bool
chain_add_progress(const TaskContext *context, const TaskItem *item, Chain *chain,
                   TaskOutcome *outcome, Error *err)
{
    pthread_mutex_lock(&chain->lock);
    const bool added = add_progress(context, item, chain, outcome, err);
    pthread_mutex_unlock(&chain->lock);
    return added;
}

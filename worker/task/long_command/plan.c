/* The ranges of a long command. Decided once and for all when it begins: a later owner goes on with
 * the ranges there are. */
#include "worker/task/long_command/long_command_private.h"

#include <string.h>

enum {
    SKIPPED_KEPT_MAX = 10000, /* skipped rows that a command keeps of one target */
};

bool
long_command_plan(const TaskContext *context, const Command *command, int64_t epoch,
                  LongCommandRanges *ret_ranges, Error *err)
{
    const TaskKind *kind = task_kind(command);
    ret_ranges->count = 0;
    for (size_t i = 0; i < kind->target_count; i++) {
        TargetPlan plan = {
            .context = context,
            .target = kind->targets[i],
            .params = &command->params,
            .ranges = &ret_ranges->each[ret_ranges->count],
        };
        if (!plan.target->plan(&plan, err))
            return false;
        for (int j = 0; j < plan.count; j++) {
            ret_ranges->each[ret_ranges->count].owner_epoch = epoch;
            ret_ranges->targets[ret_ranges->count++] = plan.target;
        }
    }
    return true;
}

/* Puts the ranges of one target behind those of the targets before it. */
static void
take_target(const LongCommandRanges *all, const Target *target, LongCommandRanges *taken)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->each[i].target, target->name) != 0)
            continue;
        taken->each[taken->count] = all->each[i];
        taken->targets[taken->count++] = target;
    }
}

bool
long_command_lock_ranges(const TaskContext *context, const Command *command,
                         LongCommandRanges *ret_ranges, Error *err)
{
    const TaskKind *kind = task_kind(command);
    LongCommandRanges *all = arena_alloc(database_arena(context->database), 1, sizeof(*all));
    if (all == NULL)
        return error_out_of_memory(err);
    if (!ledger_range_lock_all(context->database, command->key, all->each, LONG_COMMAND_RANGES_MAX,
                               &all->count, err))
        return false;
    ret_ranges->count = 0;
    for (size_t i = 0; i < kind->target_count; i++)
        take_target(all, kind->targets[i], ret_ranges);
    if (ret_ranges->count != all->count)
        return error_set_sqlstate(err, REASON_LEDGER_NEWER, "54000",
                                  "a command has ranges of other targets: a later version has "
                                  "begun it");
    return true;
}

int
long_command_first_rows(const TaskContext *context)
{
    const TaskSettings *settings = context->settings;
    return settings->first_batch_rows < settings->batch_sessions ? settings->first_batch_rows
                                                                 : settings->batch_sessions;
}

static int
count_of_target(const LongCommandRanges *ranges, const Target *target)
{
    int count = 0;
    for (size_t i = 0; i < ranges->count; i++)
        count += ranges->targets[i] == target;
    return count;
}

void
long_command_adopt(const TaskContext *context, LongCommand *long_command,
                   const LongCommandRanges *ranges)
{
    long_command->range_count = (int)ranges->count;
    for (size_t i = 0; i < ranges->count; i++) {
        const LedgerRange *range = &ranges->each[i];
        const Target *target = ranges->targets[i];
        long_command->ranges[i] = (RangeRun){
            .target = target,
            .range_no = range->range_no,
            .done = range->state == RANGE_DONE || range->state == RANGE_FAILED,
            .seed = (unsigned)clock_now_us(context->clock) + (unsigned)i,
            .batch_rows = long_command_first_rows(context),
            .skipped_max = SKIPPED_KEPT_MAX / count_of_target(ranges, target),
            .rows_done = range->rows_done,
            .rows_total = range->rows_total,
        };
    }
}

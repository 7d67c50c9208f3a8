/* How a long command begins, is taken over by the next owner, or is settled by the ledger's rules.
 */
#include "worker/task/chain.h"

#include <string.h>

static void
adopt(Chain *chain, const LedgerRecord *row)
{
    chain->epoch = row->owner_epoch;
    chain->now_us = row->now_us;
    chain->started_us = row->started_us;
}

static bool
insert_ranges(const TaskContext *context, const TaskItem *item, Chain *chain, Error *err)
{
    LedgerRange ranges[CHAIN_PARTS_MAX];
    return chain_plan(context, item->command, chain, ranges, err) &&
           ledger_range_insert(context->database, item->command->id, ranges,
                               (size_t)chain->part_count, err);
}

static bool
begin_new(const TaskContext *context, const TaskItem *item, Chain *chain,
          const TaskFollowers *followers, LedgerRecord *record, TaskOutcome *outcome, Error *err)
{
    const LedgerStart start = ledger_start(item->command, item->source, record->now_us,
                                           context->settings->ledger_retention_hours);
    if (start != LEDGER_START_RUN) {
        return outcome_not_started(context, item, start, record->now_us, record, outcome, err) &&
               ledger_update(context->database, record, 1, err);
    }
    adopt(chain, record);
    outcome->step = TASK_AGAIN;
    return insert_ranges(context, item, chain, err) &&
           (followers == NULL || chain_share_join(context, followers, record->now_us, err));
}

/* The rows of the old owner are waited for (they are locked while a batch runs), then the epoch is
 * raised. */
static bool
take_over(const TaskContext *context, const TaskItem *item, Chain *chain, const LedgerRecord *row,
          Error *err)
{
    LedgerRange ranges[CHAIN_PARTS_MAX];
    size_t count = 0;
    if (!ledger_range_lock_all(context->database, item->command->id, ranges, CHAIN_PARTS_MAX,
                               &count, err))
        return false;
    adopt(chain, row);
    chain->epoch = row->owner_epoch + 1;
    chain_adopt(context, chain, ranges, count);
    return ledger_take_over(context->database, item->command->id, context->settings->worker_id,
                            chain->epoch, err);
}

static bool
run_again(const TaskContext *context, const TaskItem *item, Chain *chain, LedgerRecord *record,
          const LedgerRecord *row, Error *err)
{
    record->owner_epoch = row->owner_epoch + 1;
    adopt(chain, record);
    return ledger_range_delete_all(context->database, item->command->id, err) &&
           ledger_update(context->database, record, 1, err) &&
           insert_ranges(context, item, chain, err);
}

static bool
begin_known(const TaskContext *context, const TaskItem *item, Chain *chain, LedgerRecord *record,
            TaskOutcome *outcome, Error *err)
{
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    const char *const ids[] = {item->command->id};
    if (!ledger_lock(context->database, ids, 1, &rows, err))
        return false;
    if (rows.count == 0)
        return error_set(err, ERROR_RETRY, "ledger_busy",
                         "a ledger row was there and is gone again");
    const LedgerRecord *row = &rows.rows[0];
    outcome->step = TASK_AGAIN;
    switch (ledger_decide(row, item->command, item->source)) {
    case LEDGER_TAKE_OVER:
        return take_over(context, item, chain, row, err);
    case LEDGER_RUN_AGAIN:
        return run_again(context, item, chain, record, row, err);
    case LEDGER_PUBLISH:
        return outcome_from_stored(row, outcome, err);
    case LEDGER_ABSORB:
        outcome->step = TASK_ABSORBED;
        return true;
    }
    return true;
}

static bool
begin_in_transaction(const TaskContext *context, const TaskItem *item, Chain *chain,
                     const TaskFollowers *followers, TaskOutcome *outcome, Error *err)
{
    int64_t now_us;
    bool inserted = false;
    if (!database_begin(context->database, DATABASE_WRITE, 0, &now_us, err))
        return false;
    LedgerRecord record =
        ledger_record_new(item->command, item->source, context->settings->worker_id, now_us);
    if (!ledger_insert(context->database, &record, 1, &inserted, err))
        return false;
    const bool settled = inserted
                             ? begin_new(context, item, chain, followers, &record, outcome, err)
                             : begin_known(context, item, chain, &record, outcome, err);
    return settled && database_commit(context->database, err);
}

bool
chain_begin(const TaskContext *context, const TaskItem *item, Chain *chain,
            const TaskFollowers *followers, TaskOutcome *outcome, Error *err)
{
    if (!begin_in_transaction(context, item, chain, followers, outcome, err)) {
        database_rollback(context->database);
        task_outcome_done(outcome);
        return error_wrap(err, "begin %s", command_task_name(item->command->task));
    }
    chain->begun = outcome->step == TASK_AGAIN;
    chain_begin_progress(context, chain);
    return true;
}

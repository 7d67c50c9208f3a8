/* The end of a long command: ranges summed up, the result stored, the ranges cleared away, in one
 * transaction. */
#include "worker/task/long_command/long_command.h"
#include "worker/task/long_command/long_command_private.h"

/* How a command ends. */
typedef struct LongCommandEnd {
    const TaskFollowers *followers; /* or NULL */
    const Error *cause; /* it has failed for that, whatever its ranges say; NULL: they say it */
    int attempts;
} LongCommandEnd;

typedef struct LongCommandSum {
    LongCommandRanges ranges;
    Report reports[TASK_TARGETS_MAX];
    size_t report_count;
    SkippedRows ids;
} LongCommandSum;

/* The report of the range's target; ranges come target by target. */
static Report *
report_of(const TaskEntry *entry, LongCommandSum *sum, const Target *target)
{
    const CommandParams *params = &entry->item->command->params;
    if (sum->report_count > 0 && sum->reports[sum->report_count - 1].target == target)
        return &sum->reports[sum->report_count - 1];
    Report *report = &sum->reports[sum->report_count++];
    *report = (Report){
        .target = target,
        .cutoff_us = target_cutoff_us(target, params, entry->record->now_us),
        .user_id = params->user_id,
        .tally = {.ids = sum->ids.items, .id_count = sum->ids.count},
    };
    return report;
}

static void
add_range(Report *report, const LedgerRange *range, const Error *cause)
{
    for (size_t i = 0; i < range->counted; i++)
        report->tally.counts[i] += range->counts[i];
    report->tally.skipped += range->skipped;
    if (report->failure == NULL && range->state == RANGE_FAILED)
        report->failure = range->error_message;
    if (report->failure == NULL && range->state != RANGE_DONE && cause != NULL)
        report->failure = cause->detail;
}

/* What a range that was given up kept for its last pass is skipped for good. */
static bool
settle_ranges(const TaskEntry *entry, LongCommandRanges *ranges, Error *err)
{
    for (size_t i = 0; i < ranges->count; i++) {
        LedgerRange *range = &ranges->each[i];
        const LedgerRangeKey key = {entry->item->command->id, range->target, range->range_no};
        int64_t skipped = 0;
        if (!ledger_skip_settle(entry->context->database, &key, &skipped, err))
            return false;
        range->skipped += skipped;
    }
    return true;
}

/* Everything is done, but the end could not be written: each target says so. */
static void
note_failed_end(LongCommandSum *sum, const Error *cause)
{
    for (size_t i = 0; i < sum->report_count; i++) {
        if (sum->reports[i].failure != NULL)
            return;
    }
    for (size_t i = 0; i < sum->report_count; i++)
        sum->reports[i].failure = cause->detail;
}

static bool
add_reasons(const TaskEntry *entry, Report *report, Error *err)
{
    Tally *tally = &report->tally;
    const LedgerRangeKey key = {entry->item->command->id, report->target->name, 0};
    return ledger_skip_reasons(entry->context->database, &key, tally->reasons, TALLY_REASONS_MAX,
                               &tally->reason_count, err);
}

static bool
sum_up(const TaskEntry *entry, const Error *cause, LongCommandSum *sum, Error *err)
{
    const Command *command = entry->item->command;
    if (!long_command_lock_ranges(entry->context, command, &sum->ranges, err) ||
        !ledger_ids_list(entry->context->database, command->key, &sum->ids, err))
        return false;
    if (cause != NULL && !settle_ranges(entry, &sum->ranges, err))
        return false;
    for (size_t i = 0; i < sum->ranges.count; i++)
        add_range(report_of(entry, sum, sum->ranges.targets[i]), &sum->ranges.each[i], cause);
    for (size_t i = 0; i < sum->report_count; i++) {
        if (!add_reasons(entry, &sum->reports[i], err))
            return false;
    }
    if (cause != NULL)
        note_failed_end(sum, cause);
    if (sum->ranges.count == 0)
        return error_set(err, REASON_LEDGER_DAMAGED, "a running command has no range");
    return true;
}

static const LedgerRange *
first_failed(const LongCommandRanges *ranges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->each[i].state == RANGE_FAILED)
            return &ranges->each[i];
    }
    return NULL;
}

static void
fill_failure(const LongCommandSum *sum, const Error *cause, TaskEnd *end)
{
    const LedgerRange *failed = first_failed(&sum->ranges);
    if (cause == NULL && failed == NULL)
        return;
    end->status = RESULT_FAILED;
    end->dead_letter = true;
    end->has_error = true;
    if (sum->report_count > 1) {
        end->error_code = ERROR_CODE_PART_FAILED;
        end->error_message = end->message;
    } else {
        end->error_code = cause != NULL
                              ? outcome_error_code(cause)
                              : error_code_find(failed->error_code, ERROR_CODE_DATABASE_ERROR);
        end->error_message = cause != NULL ? cause->detail : failed->error_message;
    }
    end->error_sqlstate = cause != NULL ? cause->sqlstate : failed->error_sqlstate;
}

static bool
render(const TaskEntry *entry, const LongCommandSum *sum, const LongCommandEnd *end, Error *err)
{
    const Reports reports = {sum->reports, sum->report_count};
    Database *database = entry->context->database;
    TaskEnd rendered = {
        .status = RESULT_SUCCEEDED,
        .message = report_message(database_arena(database), &reports),
        .data = report_data(database_arena(database), &reports, NULL),
        .attempts = end->attempts,
        .started_us = entry->record->started_us,
    };
    if (rendered.message == NULL || rendered.data == NULL)
        return error_out_of_memory(err);
    fill_failure(sum, end->cause, &rendered);
    return database_now(database, &rendered.finished_us, err) &&
           outcome_finish(entry, &rendered, err);
}

static bool
end_followers(const TaskEntry *leader, const LongCommandSum *sum, const LongCommandEnd *end,
              Error *err)
{
    const Reports reports = {sum->reports, sum->report_count};
    return end->followers == NULL || leader->record->state != LEDGER_SUCCEEDED ||
           long_command_share_end(leader, end->followers, &reports, err);
}

/* With the ledger row locked, which the entry's record repeats. */
static bool
end_locked(const TaskEntry *entry, const LongCommandEnd *end, Error *err)
{
    Database *database = entry->context->database;
    LongCommandSum *sum = arena_alloc(database_arena(database), 1, sizeof(*sum));
    if (sum == NULL)
        return error_out_of_memory(err);
    entry->record->content = entry->item->command->content;
    entry->record->worker_id = entry->context->settings->worker_id;
    return sum_up(entry, end->cause, sum, err) && render(entry, sum, end, err) &&
           ledger_update(database, entry->record, 1, err) &&
           ledger_range_delete_all(database, entry->record->command_id, err) &&
           end_followers(entry, sum, end, err);
}

static bool
end_in_transaction(const LongCommandStep *step, Error *err)
{
    int64_t now_us;
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    Database *database = step->context->database;
    const char *const ids[] = {step->item->command->key};
    if (!database_begin(database, DATABASE_WRITE, 0, &now_us, err) ||
        !ledger_lock(database, ids, 1, &rows, err))
        return false;
    if (rows.count == 0 || rows.rows[0].owner_epoch != step->long_command->epoch) {
        database_rollback(database);
        step->outcome->step = TASK_OWNERSHIP_LOST;
        return true;
    }
    /* This owner has ended it before: the answer to that commit was lost. */
    if (rows.rows[0].state != LEDGER_RUNNING) {
        database_rollback(database);
        return outcome_from_stored(&rows.rows[0], step->outcome, err);
    }
    LedgerRecord record = rows.rows[0];
    const TaskEntry entry = {step->context, step->item, &record, step->outcome};
    const LongCommandEnd end = {
        .followers = step->followers,
        .attempts = 1 + long_command_attempts(step->long_command),
    };
    return end_locked(&entry, &end, err) && database_commit(database, err);
}

bool
long_command_end(const LongCommandStep *step, Error *err)
{
    if (end_in_transaction(step, err))
        return true;
    database_rollback(step->context->database);
    task_outcome_done(step->outcome);
    return error_wrap(err, "end %s", command_task_name(step->item->command->task));
}

bool
long_command_end_failed(const TaskEntry *entry, const LedgerRecord *row, const TaskFailure *failure,
                        Error *err)
{
    const LongCommand *long_command = failure->long_command;
    const LongCommandEnd end = {.cause = failure->cause, .attempts = failure->attempts};
    if (long_command != NULL && long_command->begun && row->owner_epoch != long_command->epoch) {
        entry->outcome->step = TASK_OWNERSHIP_LOST;
        return true;
    }
    *entry->record = *row;
    return end_locked(entry, &end, err);
}

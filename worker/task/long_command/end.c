/* The end of a long command: ranges summed up, the result stored, the ranges cleared away, in one
 * transaction. */
#include "worker/task/long_command/long_command.h"

#include <string.h>

typedef struct LongCommandSum {
    LedgerRange ranges[LONG_COMMAND_PARTS_MAX];
    size_t range_count;
    Report reports[LONG_COMMAND_HALVES_MAX];
    size_t report_count;
    SkippedRows ids;
} LongCommandSum;

/* The report of the range's half; ranges come half by half. */
static Report *
report_of(const TaskItem *item, const LedgerRecord *row, LongCommandSum *sum,
          const LedgerRange *range)
{
    const ReportPart part =
        strcmp(range->part, "sessions") == 0 ? REPORT_SESSIONS : REPORT_BOOKINGS;
    if (sum->report_count > 0 && sum->reports[sum->report_count - 1].part == part)
        return &sum->reports[sum->report_count - 1];
    Report *report = &sum->reports[sum->report_count++];
    *report = (Report){
        .part = part,
        .cutoff_us = report_cutoff_us(&item->command->params, part, row->now_us),
        .user_id = part == REPORT_SESSIONS ? item->command->params.user_id : "",
        .booking_ids = sum->ids.items,
        .booking_id_count = sum->ids.count,
    };
    return report;
}

static void
add_range(Report *report, const LedgerRange *range, const Error *cause)
{
    report->sessions += range->deleted_sessions;
    report->images += range->deleted_images;
    report->videos += range->deleted_videos;
    report->bookings += range->expired_bookings;
    report->skipped += range->skipped;
    if (report->failure == NULL && range->state == RANGE_FAILED)
        report->failure = range->error_message;
    if (report->failure == NULL && range->state != RANGE_DONE && cause != NULL)
        report->failure = cause->detail;
}

/* Everything is done, but the end could not be written: each half says so. */
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
sum_up(const TaskContext *context, const TaskItem *item, const LedgerRecord *row,
       const Error *cause, LongCommandSum *sum, Error *err)
{
    if (!ledger_range_lock_all(context->database, item->command->id, sum->ranges,
                               LONG_COMMAND_PARTS_MAX, &sum->range_count, err) ||
        !ledger_ids_list(context->database, item->command->id, &sum->ids, err))
        return false;
    for (size_t i = 0; i < sum->range_count; i++)
        add_range(report_of(item, row, sum, &sum->ranges[i]), &sum->ranges[i], cause);
    if (cause != NULL)
        note_failed_end(sum, cause);
    if (sum->range_count == 0)
        return error_set(err, REASON_LEDGER_DAMAGED, "a running command has no range");
    return true;
}

static const LedgerRange *
first_failed(const LongCommandSum *sum)
{
    for (size_t i = 0; i < sum->range_count; i++) {
        if (sum->ranges[i].state == RANGE_FAILED)
            return &sum->ranges[i];
    }
    return NULL;
}

static void
fill_failure(const LongCommandSum *sum, const Error *cause, const char *message, TaskEnd *end)
{
    const LedgerRange *failed = first_failed(sum);
    if (cause == NULL && failed == NULL)
        return;
    end->status = RESULT_FAILED;
    end->dead_letter = true;
    end->has_error = true;
    if (sum->report_count > 1) {
        end->error_code = ERROR_CODE_PART_FAILED;
        end->error_message = message;
    } else {
        end->error_code = cause != NULL
                              ? outcome_error_code(cause)
                              : error_code_find(failed->error_code, ERROR_CODE_DATABASE_ERROR);
        end->error_message = cause != NULL ? cause->detail : failed->error_message;
    }
    end->error_sqlstate = cause != NULL ? cause->sqlstate : failed->error_sqlstate;
}

char *
long_command_message(Arena *arena, const LongCommandReports *reports)
{
    const Report *each = reports->reports;
    return reports->count > 1 ? report_message_scheduled(arena, &each[0], &each[1])
                              : report_message(arena, &each[0]);
}

char *
long_command_data(Arena *arena, const LongCommandReports *reports, const char *shared_with)
{
    const Report *each = reports->reports;
    return reports->count > 1 ? report_data_scheduled(arena, &each[0], &each[1], shared_with)
                              : report_data(arena, &each[0], shared_with);
}

static bool
render(const TaskContext *context, const TaskItem *item, const LedgerRecord *row,
       const LongCommandSum *sum, const Error *cause, int attempts, LedgerRecord *record,
       TaskOutcome *outcome, Error *err)
{
    const LongCommandReports reports = {sum->reports, sum->report_count};
    Arena *arena = database_arena(context->database);
    const char *message = long_command_message(arena, &reports);
    const char *data = long_command_data(arena, &reports, NULL);
    TaskEnd end = {
        .status = RESULT_SUCCEEDED,
        .message = message,
        .data = data,
        .attempts = attempts,
        .started_us = row->started_us,
    };
    fill_failure(sum, cause, message, &end);
    if (message == NULL || data == NULL)
        return error_out_of_memory(err);
    return database_now(context->database, &end.finished_us, err) &&
           outcome_finish(context, item, &end, record, outcome, err);
}

static bool
end_followers(const TaskContext *context, const LedgerRecord *leader,
              const TaskFollowers *followers, const LongCommandSum *sum, Error *err)
{
    const LongCommandReports reports = {sum->reports, sum->report_count};
    return followers == NULL || leader->state != LEDGER_SUCCEEDED ||
           long_command_share_end(context, leader, followers, &reports, err);
}

bool
long_command_end_locked(const TaskContext *context, const TaskItem *item, const LedgerRecord *row,
                        const TaskFollowers *followers, const Error *cause, int attempts,
                        TaskOutcome *outcome, Error *err)
{
    LongCommandSum sum = {0};
    LedgerRecord record = *row;
    record.worker_id = context->settings->worker_id;
    return sum_up(context, item, row, cause, &sum, err) &&
           render(context, item, row, &sum, cause, attempts, &record, outcome, err) &&
           ledger_update(context->database, &record, 1, err) &&
           ledger_range_delete_all(context->database, item->command->id, err) &&
           end_followers(context, &record, followers, &sum, err);
}

static bool
end_in_transaction(const TaskContext *context, const TaskItem *item,
                   const LongCommand *long_command, const TaskFollowers *followers, int attempts,
                   TaskOutcome *outcome, Error *err)
{
    int64_t now_us;
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    const char *const ids[] = {item->command->id};
    if (!database_begin(context->database, DATABASE_WRITE, 0, &now_us, err) ||
        !ledger_lock(context->database, ids, 1, &rows, err))
        return false;
    if (rows.count == 0 || rows.rows[0].owner_epoch != long_command->epoch) {
        database_rollback(context->database);
        outcome->step = TASK_OWNERSHIP_LOST;
        return true;
    }
    /* This owner has ended it before: the answer to that commit was lost. */
    if (rows.rows[0].state != LEDGER_RUNNING) {
        database_rollback(context->database);
        return outcome_from_stored(&rows.rows[0], outcome, err);
    }
    return long_command_end_locked(context, item, &rows.rows[0], followers, NULL, attempts, outcome,
                                   err) &&
           database_commit(context->database, err);
}

bool
long_command_end(const TaskContext *context, const TaskItem *item, const LongCommand *long_command,
                 const TaskFollowers *followers, int attempts, TaskOutcome *outcome, Error *err)
{
    if (end_in_transaction(context, item, long_command, followers, attempts, outcome, err))
        return true;
    database_rollback(context->database);
    task_outcome_done(outcome);
    return error_wrap(err, "end %s", command_task_name(item->command->task));
}

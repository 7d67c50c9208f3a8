/*
 * Previews and dry runs: one read-only transaction under preview_timeout, then the ledger row with
 * the bytes.
 */
#include "worker/repository/booking_repository.h"
#include "worker/repository/session_repository.h"
#include "worker/task/outcome.h"
#include "worker/task/report.h"

#include "common/strbuf.h"

#include <inttypes.h>
#include <string.h>

#define SQLSTATE_QUERY_CANCELED "57014"

/* What the read says, in the memory of its transaction. */
typedef struct Reading {
    char *message;
    char *data;
} Reading;

static bool
read_session_preview(const TaskContext *context, const CommandParams *params, int64_t now_us,
                     Reading *reading, Error *err)
{
    const int64_t cutoff_us = report_cutoff_us(params, REPORT_SESSIONS, now_us);
    const SessionRequest request = {params->user_id, cutoff_us};
    Preview preview;
    if (!session_preview(context->database, &request, params->limit, &preview, err))
        return false;
    StrBuf message = {.arena = database_arena(context->database)};
    strbuf_add_format(&message, "Found %" PRId64 " inactive sessions", preview.total);
    if (params->user_id[0] != '\0')
        strbuf_add_format(&message, " for user %s", params->user_id);
    reading->message = strbuf_take(&message);
    reading->data = preview.data;
    return true;
}

static bool
read_booking_preview(const TaskContext *context, const CommandParams *params, int64_t now_us,
                     Reading *reading, Error *err)
{
    const int64_t cutoff_us = report_cutoff_us(params, REPORT_BOOKINGS, now_us);
    Preview preview;
    if (!booking_preview(context->database, cutoff_us, now_us, params->limit, &preview, err))
        return false;
    StrBuf message = {.arena = database_arena(context->database)};
    strbuf_add_format(&message, "Found %" PRId64 " expired pending bookings", preview.total);
    reading->message = strbuf_take(&message);
    reading->data = preview.data;
    return true;
}

static bool
count_sessions(const TaskContext *context, const CommandParams *params, int64_t now_us,
               Report *ret_report, Error *err)
{
    const int64_t cutoff_us = report_cutoff_us(params, REPORT_SESSIONS, now_us);
    SessionCounts counts = {0};
    if (!session_count(context->database, cutoff_us, params->user_id, &counts, err))
        return false;
    *ret_report = (Report){
        .part = REPORT_SESSIONS,
        .dry_run = true,
        .cutoff_us = cutoff_us,
        .user_id = params->user_id,
        .sessions = counts.sessions,
        .images = counts.images,
        .videos = counts.videos,
        .skipped = counts.referenced,
    };
    return true;
}

static bool
count_bookings(const TaskContext *context, const CommandParams *params, int64_t now_us,
               Report *ret_report, BookingBatch *listed, Error *err)
{
    const int64_t cutoff_us = report_cutoff_us(params, REPORT_BOOKINGS, now_us);
    int64_t total;
    if (!booking_count(context->database, cutoff_us, &total, listed, err))
        return false;
    *ret_report = (Report){
        .part = REPORT_BOOKINGS,
        .dry_run = true,
        .cutoff_us = cutoff_us,
        .user_id = "",
        .bookings = total,
        .booking_ids = listed->booking_ids,
        .booking_id_count = listed->count,
    };
    return true;
}

static bool
read_dry_run(const TaskContext *context, const Command *command, int64_t now_us, Reading *reading,
             Error *err)
{
    const CommandParams *params = &command->params;
    const bool scheduled = command->task == COMMAND_SCHEDULED_CLEANUP;
    const bool bookings_only = command->task == COMMAND_EXPIRE_PENDING_BOOKINGS;
    Arena *arena = database_arena(context->database);
    CLEANUP(booking_batch_done) BookingBatch listed = {0};
    Report sessions = {0};
    Report bookings = {0};
    if (!bookings_only && !count_sessions(context, params, now_us, &sessions, err))
        return false;
    if ((bookings_only || scheduled) &&
        !count_bookings(context, params, now_us, &bookings, &listed, err))
        return false;
    if (scheduled) {
        reading->message = report_message_scheduled(arena, &sessions, &bookings);
        reading->data = report_data_scheduled(arena, &sessions, &bookings, NULL);
    } else {
        const Report *report = bookings_only ? &bookings : &sessions;
        reading->message = report_message(arena, report);
        reading->data = report_data(arena, report, NULL);
    }
    return true;
}

static bool
read_run(const TaskContext *context, const Command *command, int64_t now_us, Reading *reading,
         Error *err)
{
    bool done;
    if (command->task == COMMAND_GET_INACTIVE_SESSIONS_PREVIEW)
        done = read_session_preview(context, &command->params, now_us, reading, err);
    else if (command->task == COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW)
        done = read_booking_preview(context, &command->params, now_us, reading, err);
    else
        done = read_dry_run(context, command, now_us, reading, err);
    if (!done)
        return error_wrap(err, "read for %s", command_task_name(command->task));
    if (reading->message == NULL || reading->data == NULL)
        return error_out_of_memory(err);
    return true;
}

static bool
settle_by_row(const LedgerRecord *row, const TaskItem *item, TaskOutcome *outcome, bool *ret_run,
              Error *err)
{
    const LedgerVerdict verdict = ledger_decide(row, item->command, item->source);
    *ret_run = verdict == LEDGER_RUN_AGAIN || verdict == LEDGER_TAKE_OVER;
    if (verdict == LEDGER_PUBLISH)
        return outcome_from_stored(row, outcome, err);
    if (verdict == LEDGER_ABSORB)
        outcome->step = TASK_DUPLICATE;
    return true;
}

/* Enters the end in the ledger; a row that came first goes by the ledger's rules. */
static bool
write_reading(const TaskContext *context, const TaskItem *item, const LedgerRecord *record,
              TaskOutcome *outcome, Error *err)
{
    int64_t now_us;
    bool inserted = false;
    if (!database_begin(context->database, DATABASE_WRITE, 0, &now_us, err) ||
        !ledger_insert(context->database, record, 1, &inserted, err))
        return false;
    if (!inserted) {
        CLEANUP(ledger_rows_done) LedgerRows rows = {0};
        const char *const ids[] = {record->command_id};
        if (!ledger_lock(context->database, ids, 1, &rows, err))
            return false;
        if (rows.count == 0)
            return error_set(err, ERROR_RETRY, "ledger_busy", "a ledger row is gone again");
        bool run = false;
        TaskOutcome settled = {0};
        if (!settle_by_row(&rows.rows[0], item, &settled, &run, err))
            return false;
        if (run) {
            if (!ledger_update(context->database, record, 1, err))
                return false;
        } else {
            task_outcome_done(outcome);
            *outcome = settled;
        }
    }
    return database_commit(context->database, err);
}

/* The transaction of the read is lost by now; the end is told by the database's clock all the same.
 */
static bool
read_clock_again(const TaskContext *context, int64_t *ret_now_us, Error *err)
{
    database_rollback(context->database);
    return database_begin(context->database, DATABASE_READ, 0, ret_now_us, err);
}

/* A read that took too long is a failure of the command, not of the environment. */
static bool
end_timed_out(const TaskContext *context, const TaskItem *item, const Error *timed_out,
              int attempts, LedgerRecord *record, TaskOutcome *outcome, Error *err)
{
    Error cause = *timed_out;
    cause.code = error_code_name(ERROR_CODE_TIMEOUT);
    int64_t finished_us;
    return read_clock_again(context, &finished_us, err) &&
           outcome_fail(context, item, &cause, attempts, finished_us, record, outcome, err);
}

static bool
read_and_render(const TaskContext *context, const TaskItem *item, int attempts,
                LedgerRecord *record, TaskOutcome *outcome, Error *err)
{
    Reading reading = {0};
    int64_t finished_us;
    if (!read_run(context, item->command, record->now_us, &reading, err)) {
        if (strcmp(err->sqlstate, SQLSTATE_QUERY_CANCELED) != 0)
            return false;
        const Error cause = *err;
        return end_timed_out(context, item, &cause, attempts, record, outcome, err);
    }
    if (!database_now(context->database, &finished_us, err))
        return false;
    const TaskEnd end = {
        .status = RESULT_SUCCEEDED,
        .message = reading.message,
        .data = reading.data,
        .attempts = attempts,
        .started_us = record->started_us,
        .finished_us = finished_us,
    };
    return outcome_finish(context, item, &end, record, outcome, err);
}

/* The read-only half; *ret_write tells whether an end is to be written. */
static bool
read_phase(const TaskContext *context, const TaskItem *item, int attempts, LedgerRecord *record,
           TaskOutcome *outcome, bool *ret_write, Error *err)
{
    int64_t now_us;
    if (!database_begin(context->database, DATABASE_READ, context->settings->preview_timeout_ms,
                        &now_us, err))
        return false;
    *record = ledger_record_new(item->command, item->source, context->settings->worker_id, now_us);
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    const char *const ids[] = {item->command->id};
    if (!ledger_find(context->database, ids, 1, &rows, err))
        return false;
    *ret_write = true;
    if (rows.count > 0 && !settle_by_row(&rows.rows[0], item, outcome, ret_write, err))
        return false;
    if (!*ret_write)
        return true;
    const LedgerStart start = rows.count > 0
                                  ? LEDGER_START_RUN
                                  : ledger_start(item->command, item->source, now_us,
                                                 context->settings->ledger_retention_hours);
    if (start != LEDGER_START_RUN)
        return outcome_not_started(context, item, start, now_us, record, outcome, err);
    return read_and_render(context, item, attempts, record, outcome, err);
}

bool
task_run_read(const TaskContext *context, const TaskItem *item, int attempts,
              TaskOutcome *ret_outcome, Error *err)
{
    LedgerRecord record = {0};
    TaskOutcome outcome = {0};
    bool write = false;
    bool done = read_phase(context, item, attempts, &record, &outcome, &write, err);
    database_rollback(context->database);
    if (done && write)
        done = write_reading(context, item, &record, &outcome, err);
    if (!done) {
        database_rollback(context->database);
        task_outcome_done(&outcome);
        return false;
    }
    *ret_outcome = outcome;
    return true;
}

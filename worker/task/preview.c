/*
 * Previews and dry runs: one read-only transaction under preview_timeout, then the ledger row with
 * the bytes.
 */
#include "worker/task/kind.h"
#include "worker/task/ledger_entry.h"
#include "worker/task/report.h"

#include "common/strbuf.h"

#include <inttypes.h>

/* What the read says, in the memory of its transaction. */
typedef struct Reading {
    char *message;
    char *data;
} Reading;

static TargetRead
read_of(const TaskEntry *entry, const Target *target)
{
    const CommandParams *params = &entry->item->command->params;
    const int64_t now_us = entry->record->now_us;
    return (TargetRead){entry->context, target, params, now_us,
                        target_cutoff_us(target, params, now_us)};
}

static bool
read_preview(const TaskEntry *entry, const Target *target, Reading *reading, Error *err)
{
    const TargetRead read = read_of(entry, target);
    const char *user_id = read.params->user_id;
    Preview preview;
    if (!target->preview(&read, &preview, err))
        return false;
    StrBuf message = {.arena = database_arena(entry->context->database)};
    strbuf_add_format(&message, "Found %" PRId64 " %s", preview.total, target->words.due);
    if (user_id[0] != '\0')
        strbuf_add_format(&message, " for user %s", user_id);
    *reading = (Reading){strbuf_take(&message), preview.data};
    return true;
}

static bool
read_dry_run(const TaskEntry *entry, const TaskKind *kind, Reading *reading, Error *err)
{
    Arena *arena = database_arena(entry->context->database);
    Report each[TASK_TARGETS_MAX] = {0};
    const Reports reports = {each, kind->target_count};
    for (size_t i = 0; i < kind->target_count; i++) {
        const TargetRead read = read_of(entry, kind->targets[i]);
        each[i] = (Report){
            .target = kind->targets[i],
            .dry_run = true,
            .cutoff_us = read.cutoff_us,
            .user_id = read.params->user_id,
        };
        if (!kind->targets[i]->count(&read, &each[i].tally, err))
            return false;
    }
    *reading = (Reading){report_message(arena, &reports), report_data(arena, &reports, NULL)};
    return true;
}

static bool
read_run(const TaskEntry *entry, Reading *reading, Error *err)
{
    const Command *command = entry->item->command;
    const TaskKind *kind = task_kind(command);
    const bool done = kind->shape == TASK_SHAPE_READ
                          ? read_preview(entry, kind->targets[0], reading, err)
                          : read_dry_run(entry, kind, reading, err);
    if (!done)
        return error_wrap(err, "read for %s", command_task_name(command->task));
    if (reading->message == NULL || reading->data == NULL)
        return error_out_of_memory(err);
    return true;
}

/* Enters the end in the ledger; a row that came first goes by the ledger's rules. */
static bool
write_reading(const TaskEntry *entry, Error *err)
{
    int64_t now_us;
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    EntryVerdict verdict = ENTRY_NEW;
    Database *database = entry->context->database;
    if (!database_begin(database, DATABASE_WRITE, 0, &now_us, err) ||
        !ledger_entry_add(entry, &rows, &verdict, err))
        return false;
    const bool overwrites = verdict == ENTRY_UNDER_WAY || verdict == ENTRY_REPLAY;
    return (!overwrites || ledger_update(database, entry->record, 1, err)) &&
           database_commit(database, err);
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
end_timed_out(const TaskEntry *entry, int attempts, Error *err)
{
    const Error cause = *err;
    int64_t finished_us;
    return read_clock_again(entry->context, &finished_us, err) &&
           outcome_fail(entry, &cause, attempts, finished_us, err);
}

static bool
read_and_render(const TaskEntry *entry, int attempts, Error *err)
{
    Reading reading = {0};
    int64_t finished_us;
    if (!read_run(entry, &reading, err)) {
        return err->reason == REASON_TIMEOUT && end_timed_out(entry, attempts, err);
    }
    if (!database_now(entry->context->database, &finished_us, err))
        return false;
    const TaskEnd end = {
        .status = RESULT_SUCCEEDED,
        .message = reading.message,
        .data = reading.data,
        .attempts = attempts,
        .started_us = entry->record->started_us,
        .finished_us = finished_us,
    };
    return outcome_finish(entry, &end, err);
}

/* The read-only half; *ret_write tells whether an end is to be written. */
static bool
read_phase(const TaskEntry *entry, int attempts, bool *ret_write, Error *err)
{
    const TaskContext *context = entry->context;
    const TaskItem *item = entry->item;
    int64_t now_us;
    if (!database_begin(context->database, DATABASE_READ, context->settings->preview_timeout_ms,
                        &now_us, err))
        return false;
    *entry->record =
        ledger_record_new(item->command, item->source, context->settings->worker_id, now_us);
    CLEANUP(ledger_rows_done) LedgerRows rows = {0};
    EntryVerdict verdict = ENTRY_NEW;
    if (!ledger_entry_find(context, item, 1, &rows, err))
        return false;
    const LedgerRecord *row = ledger_rows_find(&rows, item->command, item->source);
    if (row != NULL && !ledger_entry_settle(entry, row, &verdict, err))
        return false;
    *ret_write = verdict != ENTRY_SETTLED;
    if (!*ret_write)
        return true;
    const LedgerStart start = verdict != ENTRY_NEW
                                  ? LEDGER_START_RUN
                                  : ledger_start(item->command, item->source, now_us,
                                                 context->settings->ledger_retention_hours);
    return start != LEDGER_START_RUN ? outcome_not_started(entry, start, err)
                                     : read_and_render(entry, attempts, err);
}

bool
task_run_read(const TaskContext *context, const TaskItem *item, int attempts,
              TaskOutcome *ret_outcome, Error *err)
{
    LedgerRecord record = {0};
    TaskOutcome outcome = {0};
    const TaskEntry entry = {context, item, &record, &outcome};
    bool write = false;
    bool done = read_phase(&entry, attempts, &write, err);
    database_rollback(context->database);
    if (done && write)
        done = write_reading(&entry, err);
    if (!done) {
        database_rollback(context->database);
        task_outcome_done(&outcome);
        return false;
    }
    *ret_outcome = outcome;
    return true;
}

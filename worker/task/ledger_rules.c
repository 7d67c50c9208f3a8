#include "worker/task/ledger_rules.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_HOUR (INT64_C(3600) * CLOCK_US_PER_SECOND)

static bool
is_same_source(const LedgerRecord *row, const Record *source)
{
    return row->source_partition == source->partition && row->source_offset == source->offset &&
           row->source_timestamp_ms == source->timestamp_ms &&
           strcmp(row->source_topic, source->topic) == 0;
}

LedgerVerdict
ledger_decide(const LedgerRecord *row, const Command *command, const Record *source)
{
    const bool running = row->state == LEDGER_RUNNING;
    if (is_same_source(row, source))
        return running ? LEDGER_TAKE_OVER : LEDGER_PUBLISH;
    if (row->content != NULL && strcmp(row->content, command->content) != 0)
        return LEDGER_CONFLICT;
    if (command->replay > row->replay && !running && row->state != LEDGER_SUCCEEDED)
        return LEDGER_RUN_AGAIN;
    return LEDGER_ABSORB;
}

LedgerStart
ledger_start(const Command *command, const Record *source, int64_t now_us, int retention_hours)
{
    /* In milliseconds: a producer may have sent microseconds, which times 1000 are no int64_t. */
    const int64_t remembered_from_us = now_us - (retention_hours - 1) * US_PER_HOUR;
    const int64_t from_ms = (remembered_from_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS;
    if (remembered_from_us > 0 && source->timestamp_ms >= 0 && source->timestamp_ms < from_ms)
        return LEDGER_START_TOO_OLD;
    if (command->replay == 0 && command->has_expires_at && now_us >= command->expires_at_us)
        return LEDGER_START_EXPIRED;
    return LEDGER_START_RUN;
}

static int
compare_id(const void *id, const void *row)
{
    return strcmp(id, ((const LedgerRecord *)row)->command_id);
}

static const LedgerRecord *
find_id(const LedgerRows *rows, const char *id)
{
    if (rows->count == 0)
        return NULL;
    return bsearch(id, rows->rows, rows->count, sizeof(rows->rows[0]), compare_id);
}

const LedgerRecord *
ledger_rows_find(const LedgerRows *rows, const Command *command, const Record *source)
{
    const LedgerRecord *row = find_id(rows, command->key);
    if (row != NULL || !command->is_event)
        return row;
    row = find_id(rows, command->id);
    return row != NULL && is_same_source(row, source) ? row : NULL;
}

LedgerRecord
ledger_record_new(const Command *command, const Record *source, const char *worker_id,
                  int64_t now_us)
{
    return (LedgerRecord){
        .command_id = command->key,
        .task = command_task_name(command->task),
        .state = LEDGER_RUNNING,
        .source_topic = source->topic,
        .source_partition = source->partition,
        .source_offset = source->offset,
        .source_timestamp_ms = source->timestamp_ms,
        .replay = command->replay,
        .worker_id = worker_id,
        .owner_epoch = 1,
        .content = command->content,
        .now_us = now_us,
        .started_us = now_us,
    };
}

#include "worker/repository/ledger_columns.h"

#include "worker/repository/database_private.h"

#include <string.h>

enum {
    COLUMN_RESULT = LEDGER_COLUMN_COUNT - 1,
    SHORT_BYTES = 24, /* what an id, a name or a number takes as a rule */
};

static const char *const state_names[] = {
    [LEDGER_RUNNING] = "running", [LEDGER_SUCCEEDED] = "succeeded",
    [LEDGER_FAILED] = "failed",   [LEDGER_EXPIRED] = "expired",
    [LEDGER_BLOCKED] = "blocked", [LEDGER_CANCELLED] = "cancelled",
};

/* In the order of add_record. */
static const PgElement column_types[LEDGER_COLUMN_COUNT] = {
    PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT4, PG_INT8, PG_INT8, PG_INT4,  PG_TEXT,
    PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT4, PG_BOOL, PG_UUID, PG_BYTEA, PG_BYTEA,
};

static size_t
result_bytes(const LedgerRecord *records, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += records[i].result != NULL ? strlen(records[i].result) : 0;
    return bytes;
}

static void
add_or_null(PgArray *array, int64_t number)
{
    if (number == 0)
        pg_array_add(array, NULL);
    else
        pg_array_add_int64(array, number);
}

static void
add_record(LedgerColumns *columns, const LedgerRecord *record)
{
    PgArray *array = columns->arrays;
    pg_array_add(array++, record->command_id);
    pg_array_add(array++, record->task);
    pg_array_add(array++, state_names[record->state]);
    pg_array_add(array++, record->source_topic);
    pg_array_add_int64(array++, record->source_partition);
    pg_array_add_int64(array++, record->source_offset);
    pg_array_add_int64(array++, record->source_timestamp_ms);
    pg_array_add_int64(array++, record->replay);
    pg_array_add(array++, record->worker_id);
    pg_array_add_int64(array++, record->owner_epoch);
    pg_array_add_int64(array++, record->now_us);
    pg_array_add_int64(array++, record->started_us);
    add_or_null(array++, record->finished_us);
    pg_array_add_int64(array++, record->attempts);
    pg_array_add_bool(array++, record->dead_letter);
    pg_array_add(array++, record->content);
    pg_array_add(array++, record->reason);
    pg_array_add(array, record->result);
}

void
ledger_columns_build(Database *database, const LedgerRecord *records, size_t count,
                     LedgerColumns *ret_columns)
{
    for (size_t c = 0; c < LEDGER_COLUMN_COUNT; c++) {
        ret_columns->arrays[c] = database_array(database, column_types[c]);
        ret_columns->params[c] = pg_param_array(&ret_columns->arrays[c]);
        pg_array_reserve(&ret_columns->arrays[c], count,
                         c == COLUMN_RESULT ? result_bytes(records, count) : count * SHORT_BYTES);
    }
    for (size_t i = 0; i < count; i++)
        add_record(ret_columns, &records[i]);
}

static void
copy_record(PgCopy *rows, const LedgerRecord *record)
{
    pg_copy_add_row(rows, LEDGER_COLUMN_COUNT);
    pg_copy_add_text(rows, record->command_id);
    pg_copy_add_text(rows, record->task);
    pg_copy_add_text(rows, state_names[record->state]);
    pg_copy_add_text(rows, record->source_topic);
    pg_copy_add_int32(rows, record->source_partition);
    pg_copy_add_int64(rows, record->source_offset);
    pg_copy_add_int64(rows, record->source_timestamp_ms);
    pg_copy_add_int32(rows, record->replay);
    pg_copy_add_text(rows, record->worker_id);
    pg_copy_add_int64(rows, record->owner_epoch);
    pg_copy_add_int64(rows, record->now_us);
    pg_copy_add_int64(rows, record->started_us);
    pg_copy_add_int64(rows, record->finished_us);
    pg_copy_add_int32(rows, record->attempts);
    pg_copy_add_bool(rows, record->dead_letter);
    pg_copy_add_uuid(rows, record->content);
    pg_copy_add_text(rows, record->reason);
    pg_copy_add_text(rows, record->result);
}

void
ledger_columns_copy(Database *database, const LedgerRecord *const *records, size_t count,
                    PgCopy *ret_rows)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += LEDGER_COLUMN_COUNT * SHORT_BYTES + strlen(records[i]->result);
    *ret_rows = (PgCopy){.bytes.arena = &database->arena};
    pg_copy_reserve(ret_rows, count, bytes);
    for (size_t i = 0; i < count; i++)
        copy_record(ret_rows, records[i]);
}

static LedgerState
read_state(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
        if (strcmp(state_names[i], name) == 0)
            return (LedgerState)i;
    }
    return LEDGER_RUNNING; /* the table's CHECK allows no other name */
}

static LedgerRecord
read_row(PGresult *result, size_t row)
{
    return (LedgerRecord){
        .command_id = pg_result_text(result, row, 0),
        .task = pg_result_text(result, row, 1),
        .state = read_state(pg_result_text(result, row, 2)),
        .source_topic = pg_result_text(result, row, 3),
        .source_partition = (int32_t)pg_result_int64(result, row, 4),
        .source_offset = pg_result_int64(result, row, 5),
        .source_timestamp_ms = pg_result_int64(result, row, 6),
        .replay = (int)pg_result_int64(result, row, 7),
        .worker_id = pg_result_text(result, row, 8),
        .owner_epoch = pg_result_int64(result, row, 9),
        .now_us = pg_result_int64(result, row, 10),
        .started_us = pg_result_int64(result, row, 11),
        .finished_us = pg_result_int64(result, row, 12),
        .attempts = (int)pg_result_int64(result, row, 13),
        .dead_letter = pg_result_bool(result, row, 14),
        .content = pg_result_text(result, row, 15),
        .reason = pg_result_hex(result, row, 16),
        .result = pg_result_hex(result, row, 17),
    };
}

bool
ledger_columns_read(Database *database, PGresult *result, LedgerRows *ret_rows, Error *err)
{
    const size_t count = pg_result_rows(result);
    LedgerRecord *rows = arena_alloc(&database->arena, count, sizeof(*rows));
    if (rows == NULL) {
        pg_result_free(result);
        return error_out_of_memory(err);
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = read_row(result, i);
    *ret_rows = (LedgerRows){rows, count, result};
    return true;
}

void
ledger_rows_done(LedgerRows *rows)
{
    pg_result_free(rows->storage);
    *rows = (LedgerRows){0};
}

bool
ledger_mark_busy(Error *err)
{
    if (err->reason == REASON_ROW_LOCKED)
        error_become(err, REASON_LEDGER_BUSY);
    return false;
}

/* The ranges of long commands. */
#include "worker/repository/database_private.h"
#include "worker/repository/ledger_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANGE_PARAM_COUNT = 18,
    RANGE_UPDATE_PARAM_COUNT = 16, /* bounds never change */
};

static const char *const state_names[] = {
    [RANGE_RUNNING] = "running",
    [RANGE_LAST_PASS] = "last_pass",
    [RANGE_DONE] = "done",
    [RANGE_FAILED] = "failed",
};

static PgParam
int64_or_null(int64_t number)
{
    return number == 0 ? pg_param_text(NULL) : pg_param_int64(number);
}

/* In the order of ledger_range_insert.sql; `counts` is empty, and borrowed by the parameters. */
static void
fill_params(PgParam params[RANGE_PARAM_COUNT], const char *command_id, const LedgerRange *range,
            PgArray *counts)
{
    for (size_t i = 0; i < range->counted; i++)
        pg_array_add_int64(counts, range->counts[i]);
    *params++ = pg_param_text(command_id);
    *params++ = pg_param_text(range->target);
    *params++ = pg_param_int64(range->range_no);
    *params++ = pg_param_int64(range->owner_epoch);
    *params++ = pg_param_text(state_names[range->state]);
    *params++ = pg_param_text(range->cursor.major);
    *params++ = pg_param_text(range->cursor.minor);
    *params++ = pg_param_array(counts);
    *params++ = pg_param_int64(range->skipped);
    *params++ = int64_or_null(range->last_pass_us);
    *params++ = pg_param_text(range->error_code);
    *params++ = pg_param_text(range->error_sqlstate);
    *params++ = pg_param_text(range->error_message);
    *params++ = pg_param_bool(range->by_id);
    *params++ = pg_param_int64(range->rows_done);
    *params++ = int64_or_null(range->rows_total);
    *params++ = pg_param_text(range->bound_low);
    *params = pg_param_text(range->bound_high);
}

static void
copy_field(char *field, size_t size, const PGresult *result, size_t row, int column)
{
    const char *text = pg_result_text(result, row, column);
    (void)snprintf(field, size, "%s", text != NULL ? text : "");
}

/* An array as {1,2,3}. */
static void
read_counts(const char *text, LedgerRange *range)
{
    const char *rest = text != NULL ? text : "";
    while ((*rest == '{' || *rest == ',') && range->counted < RANGE_COUNTS_MAX) {
        char *end;
        const int64_t count = strtoll(rest + 1, &end, 10);
        if (end == rest + 1)
            return;
        range->counts[range->counted++] = count;
        rest = end;
    }
}

static LedgerRange
read_range(const PGresult *result, size_t row)
{
    const char *state = pg_result_text(result, row, 3);
    LedgerRange range = {
        .range_no = (int)pg_result_int64(result, row, 1),
        .owner_epoch = pg_result_int64(result, row, 2),
        .skipped = pg_result_int64(result, row, 7),
        .last_pass_us = pg_result_int64(result, row, 8),
        .by_id = pg_result_bool(result, row, 12),
        .rows_done = pg_result_int64(result, row, 13),
        .rows_total = pg_result_int64(result, row, 14),
    };
    for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
        if (state != NULL && strcmp(state_names[i], state) == 0)
            range.state = (RangeState)i;
    }
    read_counts(pg_result_text(result, row, 6), &range);
    copy_field(range.target, sizeof(range.target), result, row, 0);
    copy_field(range.bound_low, sizeof(range.bound_low), result, row, 15);
    copy_field(range.bound_high, sizeof(range.bound_high), result, row, 16);
    copy_field(range.cursor.major, sizeof(range.cursor.major), result, row, 4);
    copy_field(range.cursor.minor, sizeof(range.cursor.minor), result, row, 5);
    copy_field(range.error_code, sizeof(range.error_code), result, row, 9);
    copy_field(range.error_sqlstate, sizeof(range.error_sqlstate), result, row, 10);
    copy_field(range.error_message, sizeof(range.error_message), result, row, 11);
    return range;
}

bool
ledger_range_insert(Database *database, const char *command_id, const LedgerRange *ranges,
                    size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        PgParam params[RANGE_PARAM_COUNT];
        PgArray counts = database_array(database, PG_INT8);
        fill_params(params, command_id, &ranges[i], &counts);
        if (!database_run(database, SQL_LEDGER_RANGE_INSERT, params, RANGE_PARAM_COUNT, NULL, err))
            return ledger_mark_busy(err);
    }
    return true;
}

bool
ledger_range_lock_all(Database *database, const char *command_id, LedgerRange *ranges, size_t room,
                      size_t *ret_count, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(command_id), pg_param_int64((int64_t)room + 1)};
    if (!database_exec(database, SQL_LEDGER_RANGE_LOCK_ALL, params, ARRAY_LEN(params), &result,
                       err))
        return ledger_mark_busy(err);
    const size_t count = pg_result_rows(result);
    if (count > room)
        return error_set_sqlstate(
            err, REASON_LEDGER_NEWER, "54000",
            "a command has more than %zu ranges: a later version has begun it", room);
    for (size_t i = 0; i < count; i++)
        ranges[i] = read_range(result, i);
    *ret_count = count;
    return true;
}

bool
ledger_range_lock(Database *database, const LedgerRangeKey *key, LedgerRange *ret_range,
                  bool *ret_found, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(key->command_id), pg_param_text(key->target),
                              pg_param_int64(key->range_no)};
    if (!database_exec(database, SQL_LEDGER_RANGE_LOCK, params, ARRAY_LEN(params), &result, err))
        return ledger_mark_busy(err);
    const bool found = pg_result_rows(result) > 0;
    if (found)
        *ret_range = read_range(result, 0);
    *ret_found = found;
    return true;
}

bool
ledger_range_update(Database *database, const char *command_id, const LedgerRange *range,
                    Error *err)
{
    PgParam params[RANGE_PARAM_COUNT];
    PgArray counts = database_array(database, PG_INT8);
    int64_t affected = 0;
    fill_params(params, command_id, range, &counts);
    if (!database_run(database, SQL_LEDGER_RANGE_UPDATE, params, RANGE_UPDATE_PARAM_COUNT,
                      &affected, err))
        return ledger_mark_busy(err);
    if (affected != 1)
        return error_set(err, REASON_LEDGER_BUSY, "a range of the command is gone");
    return true;
}

bool
ledger_range_delete_all(Database *database, const char *command_id, Error *err)
{
    const PgParam params[] = {pg_param_text(command_id)};
    return database_run(database, SQL_LEDGER_RANGE_DELETE_ALL, params, 1, NULL, err) ||
           ledger_mark_busy(err);
}

/* The ranges of long commands. */
#include "worker/repository/database_private.h"
#include "worker/repository/ledger_columns.h"

#include <stdio.h>
#include <string.h>

enum {
    RANGE_PARAM_COUNT = 21,
    RANGE_UPDATE_PARAM_COUNT = 19, /* bounds never change */
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

/* In the order of ledger_range_insert.sql. */
static void
fill_params(PgParam params[RANGE_PARAM_COUNT], const char *command_id, const LedgerRange *range)
{
    *params++ = pg_param_text(command_id);
    *params++ = pg_param_text(range->part);
    *params++ = pg_param_int64(range->range_no);
    *params++ = pg_param_int64(range->owner_epoch);
    *params++ = pg_param_text(state_names[range->state]);
    *params++ = pg_param_text(range->cursor_major);
    *params++ = pg_param_text(range->cursor_minor);
    *params++ = pg_param_int64(range->deleted_sessions);
    *params++ = pg_param_int64(range->deleted_images);
    *params++ = pg_param_int64(range->deleted_videos);
    *params++ = pg_param_int64(range->expired_bookings);
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

static LedgerRange
read_range(const PGresult *result, size_t row)
{
    const char *part = pg_result_text(result, row, 0);
    const char *state = pg_result_text(result, row, 3);
    LedgerRange range = {
        .part = part != NULL && strcmp(part, "sessions") == 0 ? "sessions" : "bookings",
        .range_no = (int)pg_result_int64(result, row, 1),
        .owner_epoch = pg_result_int64(result, row, 2),
        .deleted_sessions = pg_result_int64(result, row, 6),
        .deleted_images = pg_result_int64(result, row, 7),
        .deleted_videos = pg_result_int64(result, row, 8),
        .expired_bookings = pg_result_int64(result, row, 9),
        .skipped = pg_result_int64(result, row, 10),
        .last_pass_us = pg_result_int64(result, row, 11),
        .by_id = pg_result_bool(result, row, 15),
        .rows_done = pg_result_int64(result, row, 16),
        .rows_total = pg_result_int64(result, row, 17),
    };
    for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
        if (state != NULL && strcmp(state_names[i], state) == 0)
            range.state = (RangeState)i;
    }
    copy_field(range.bound_low, sizeof(range.bound_low), result, row, 18);
    copy_field(range.bound_high, sizeof(range.bound_high), result, row, 19);
    copy_field(range.cursor_major, sizeof(range.cursor_major), result, row, 4);
    copy_field(range.cursor_minor, sizeof(range.cursor_minor), result, row, 5);
    copy_field(range.error_code, sizeof(range.error_code), result, row, 12);
    copy_field(range.error_sqlstate, sizeof(range.error_sqlstate), result, row, 13);
    copy_field(range.error_message, sizeof(range.error_message), result, row, 14);
    return range;
}

bool
ledger_range_insert(Database *database, const char *command_id, const LedgerRange *ranges,
                    size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        PgParam params[RANGE_PARAM_COUNT];
        fill_params(params, command_id, &ranges[i]);
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
ledger_range_lock(Database *database, const char *command_id, const char *part, int range_no,
                  LedgerRange *ret_range, bool *ret_found, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(command_id), pg_param_text(part),
                              pg_param_int64(range_no)};
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
    int64_t affected = 0;
    fill_params(params, command_id, range);
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

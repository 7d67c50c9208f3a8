/* The ledger itself; ranges, skipped rows and listed ids are in ledger_range.c and
 * ledger_skipped.c. */
#include "worker/repository/ledger_repository.h"

#include "worker/repository/database_private.h"
#include "worker/repository/ledger_columns.h"

#include <string.h>

static int
compare_ids(const void *left, const void *right)
{
    const LedgerRecord *const *a = left;
    const LedgerRecord *const *b = right;
    const int order = strcmp((*a)->command_id, (*b)->command_id);
    if (order != 0)
        return order;
    return *a < *b ? -1 : *a > *b; /* equal ids stay in the order given */
}

static const LedgerRecord **
sort_by_id(Database *database, const LedgerRecord *records, size_t count, Error *err)
{
    const LedgerRecord **sorted = arena_alloc(&database->arena, count, sizeof(*sorted));
    if (sorted == NULL) {
        (void)error_out_of_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = &records[i];
    qsort(sorted, count, sizeof(*sorted), compare_ids);
    return sorted;
}

static bool
is_source(const LedgerRecord *record, const PGresult *result, size_t row)
{
    return record->source_offset == pg_result_int64(result, row, 3) &&
           record->source_partition == pg_result_int64(result, row, 2) &&
           record->source_timestamp_ms == pg_result_int64(result, row, 4) &&
           strcmp(record->source_topic, pg_result_text(result, row, 1)) == 0;
}

/* By id and source: the same id may be twice in a set, and only one of them was inserted. */
static void
mark_inserted(const LedgerRecord *records, const LedgerRecord *const *sorted, size_t count,
              const PGresult *result, bool *inserted)
{
    size_t next = 0;
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const char *id = pg_result_text(result, row, 0);
        while (next < count && strcmp(sorted[next]->command_id, id) < 0)
            next++;
        for (size_t i = next; i < count && strcmp(sorted[i]->command_id, id) == 0; i++) {
            if (!is_source(sorted[i], result, row))
                continue;
            inserted[sorted[i] - records] = true;
            break;
        }
    }
}

bool
ledger_insert(Database *database, const LedgerRecord *records, size_t count, bool *inserted,
              Error *err)
{
    LedgerColumns columns;
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const LedgerRecord **sorted = sort_by_id(database, records, count, err);
    if (sorted == NULL)
        return false;
    ledger_columns_build(database, records, count, &columns);
    if (!database_exec(database, SQL_LEDGER_INSERT, columns.params, LEDGER_COLUMN_COUNT, &result,
                       err))
        return ledger_mark_busy(err);
    memset(inserted, 0, count * sizeof(*inserted));
    mark_inserted(records, sorted, count, result, inserted);
    return true;
}

bool
ledger_enter(Database *database, const LedgerRecord *records, size_t count, Error *err)
{
    PgCopy rows;
    const LedgerRecord **sorted = sort_by_id(database, records, count, err);
    if (sorted == NULL)
        return false;
    ledger_columns_copy(database, sorted, count, &rows);
    if (database_copy_in(database, SQL_LEDGER_COPY, &rows, err))
        return true;
    if (err->reason == REASON_ROW_EXISTS)
        return error_set(err, REASON_LEDGER_ENTERED,
                         "another transaction has entered a command of the set");
    return ledger_mark_busy(err);
}

static bool
read_rows(Database *database, SqlId sql, const char *const *ids, size_t count, LedgerRows *ret_rows,
          Error *err)
{
    PgArray array = database_array(database, PG_TEXT);
    PGresult *result = NULL;
    const PgParam params[] = {pg_param_array(&array)};
    pg_array_add_all(&array, ids, count);
    if (!database_exec(database, sql, params, 1, &result, err))
        return ledger_mark_busy(err);
    return ledger_columns_read(database, result, ret_rows, err);
}

bool
ledger_lock(Database *database, const char *const *ids, size_t count, LedgerRows *ret_rows,
            Error *err)
{
    return read_rows(database, SQL_LEDGER_LOCK, ids, count, ret_rows, err);
}

bool
ledger_find(Database *database, const char *const *ids, size_t count, LedgerRows *ret_rows,
            Error *err)
{
    return read_rows(database, SQL_LEDGER_FIND, ids, count, ret_rows, err);
}

bool
ledger_update(Database *database, const LedgerRecord *records, size_t count, Error *err)
{
    LedgerColumns columns;
    int64_t affected = 0;
    ledger_columns_build(database, records, count, &columns);
    if (!database_run(database, SQL_LEDGER_UPDATE, columns.params, LEDGER_COLUMN_COUNT, &affected,
                      err))
        return ledger_mark_busy(err);
    if (affected != (int64_t)count)
        return error_set(err, REASON_LEDGER_BUSY, "a ledger row is gone");
    return true;
}

bool
ledger_rename(Database *database, const char *old_id, const LedgerRecord *record, Error *err)
{
    const PgParam params[] = {
        pg_param_text(old_id),
        pg_param_text(record->command_id),
        pg_param_text(record->source_topic),
        pg_param_int64(record->source_partition),
        pg_param_int64(record->source_offset),
        pg_param_int64(record->source_timestamp_ms),
    };
    return database_run(database, SQL_LEDGER_RENAME, params, ARRAY_LEN(params), NULL, err) ||
           ledger_mark_busy(err);
}

bool
ledger_take_over(Database *database, const char *command_id, const char *worker_id,
                 int64_t owner_epoch, Error *err)
{
    const PgParam params[] = {pg_param_text(command_id), pg_param_text(worker_id),
                              pg_param_int64(owner_epoch)};
    return database_run(database, SQL_LEDGER_TAKE_OVER, params, ARRAY_LEN(params), NULL, err) ||
           ledger_mark_busy(err);
}

bool
ledger_expire(Database *database, const LedgerExpiry *expiry, int limit, int64_t *ret_deleted,
              Error *err)
{
    const PgParam params[] = {pg_param_text(expiry->topic), pg_param_int64(expiry->partition),
                              pg_param_int64(expiry->committed_offset),
                              pg_param_int64(expiry->before_us), pg_param_int64(limit)};
    return database_run(database, SQL_LEDGER_EXPIRE, params, ARRAY_LEN(params), ret_deleted, err);
}

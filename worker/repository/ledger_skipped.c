/* Rows kept for the last pass, and ids for the list in a result. */
#include "worker/repository/database_private.h"
#include "worker/repository/ledger_repository.h"

#include <string.h>

enum {
    LISTED_IDS_MAX = 1000,
};

static char *
copy_or_empty(Arena *arena, const char *text)
{
    return arena_copy(arena, text != NULL ? text : "");
}

/* Copies the rows; an owner column below 0 means that there is none, and reads as "". */
static bool
copy_rows(Arena *arena, const PGresult *result, int owner_column, int item_column,
          SkippedRows *ret_rows, Error *err)
{
    const size_t count = pg_result_rows(result);
    SkippedRows rows = {
        .owners = arena_alloc(arena, count, sizeof(*rows.owners)),
        .items = arena_alloc(arena, count, sizeof(*rows.items)),
        .count = count,
    };
    bool complete = rows.owners != NULL && rows.items != NULL;
    for (size_t i = 0; i < count && complete; i++) {
        const char *owner = owner_column < 0 ? NULL : pg_result_text(result, i, owner_column);
        rows.owners[i] = copy_or_empty(arena, owner);
        rows.items[i] = copy_or_empty(arena, pg_result_text(result, i, item_column));
        complete = rows.owners[i] != NULL && rows.items[i] != NULL;
    }
    if (!complete)
        return error_out_of_memory(err);
    *ret_rows = rows;
    return true;
}

bool
ledger_skip(Database *database, const LedgerRangeKey *key, const SkippedRows *rows, int limit,
            size_t *ret_kept, Error *err)
{
    const SkipCause *cause = &rows->cause;
    PgArray owners = database_array(database, PG_TEXT);
    PgArray items = database_array(database, PG_TEXT);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(key->command_id),
                              pg_param_text(key->target),
                              pg_param_int64(key->range_no),
                              pg_param_array(&owners),
                              pg_param_array(&items),
                              pg_param_int64(limit),
                              pg_param_text(skip_reason_name(cause->reason)),
                              pg_param_text(cause->sqlstate),
                              pg_param_text(cause->message)};
    pg_array_add_all(&owners, rows->owners, rows->count);
    pg_array_add_all(&items, rows->items, rows->count);
    if (!database_exec(database, SQL_LEDGER_SKIP, params, ARRAY_LEN(params), &result, err))
        return false;
    *ret_kept = (size_t)pg_result_int64(result, 0, 0);
    return true;
}

bool
ledger_skipped_list(Database *database, const LedgerRangeKey *key, const LedgerCursor *after,
                    int limit, SkippedRows *ret_rows, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(key->command_id), pg_param_text(key->target),
                              pg_param_int64(key->range_no),  pg_param_text(after->major),
                              pg_param_text(after->minor),    pg_param_int64(limit)};
    return database_exec(database, SQL_LEDGER_SKIPPED_LIST, params, ARRAY_LEN(params), &result,
                         err) &&
           copy_rows(&database->arena, result, 0, 1, ret_rows, err);
}

bool
ledger_skipped_count(Database *database, const LedgerRangeKey *key, int64_t *ret_count, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(key->command_id), pg_param_text(key->target),
                              pg_param_int64(key->range_no)};
    if (!database_exec(database, SQL_LEDGER_SKIPPED_COUNT, params, ARRAY_LEN(params), &result, err))
        return false;
    *ret_count = pg_result_int64(result, 0, 0);
    return true;
}

bool
ledger_skipped_delete(Database *database, const LedgerRangeKey *key, const char *const *items,
                      size_t count, Error *err)
{
    PgArray array = database_array(database, PG_TEXT);
    const PgParam params[] = {pg_param_text(key->command_id), pg_param_text(key->target),
                              pg_param_int64(key->range_no), pg_param_array(&array)};
    pg_array_add_all(&array, items, count);
    return database_run(database, SQL_LEDGER_SKIPPED_DELETE, params, ARRAY_LEN(params), NULL, err);
}

bool
ledger_ids_add(Database *database, const char *command_id, const char *const *ids, size_t count,
               Error *err)
{
    PgArray array = database_array(database, PG_TEXT);
    const PgParam params[] = {pg_param_text(command_id), pg_param_array(&array),
                              pg_param_int64(LISTED_IDS_MAX)};
    pg_array_add_all(&array, ids, count);
    return database_run(database, SQL_LEDGER_IDS_ADD, params, ARRAY_LEN(params), NULL, err);
}

bool
ledger_ids_list(Database *database, const char *command_id, SkippedRows *ret_rows, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(command_id)};
    return database_exec(database, SQL_LEDGER_IDS_LIST, params, 1, &result, err) &&
           copy_rows(&database->arena, result, -1, 0, ret_rows, err);
}

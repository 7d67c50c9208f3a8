#include "tests/support/target_drafts.h"

#include "worker/repository/database_private.h"
#include "worker/task/long_command/divide.h"
#include "worker/task/long_command/pass.h"

#include <string.h>

/* What would be files of worker/repository/sql. The whole table is one window after another. */
#define FIND                                                                                       \
    "SELECT draft_id FROM public.drafts WHERE updated_at < $1 AND draft_id > $2::bigint "          \
    "ORDER BY draft_id LIMIT $3"
#define LOCK                                                                                       \
    "SELECT draft_id FROM public.drafts WHERE draft_id = ANY ($1::text[]::bigint[]) "              \
    "ORDER BY draft_id FOR UPDATE SKIP LOCKED"
#define DELETE                                                                                     \
    "DELETE FROM public.drafts WHERE draft_id = ANY ($1::text[]::bigint[]) AND updated_at < $2"
#define STILL_THERE                                                                                \
    "SELECT draft_id FROM public.drafts WHERE draft_id = ANY ($1::text[]::bigint[]) "              \
    "AND updated_at < $2"
#define COUNT "SELECT count(*) FROM public.drafts WHERE updated_at < $1"

static const char *const count_names[] = {"deleted_drafts"};

static double
age_minutes(const CommandParams *params)
{
    return params->inactive_hours * 60.0;
}

static bool
plan_ranges(TargetPlan *plan, Error *err)
{
    (void)err;
    (void)divide_add(plan);
    return true;
}

static bool
query(const TargetBatch *batch, const char *sql, const PgParam *params, size_t count,
      PGresult **ret_result, Error *err)
{
    return pg_conn_exec_params(batch->context->database->conn, sql, params, count, ret_result, err);
}

static bool
holds(const PGresult *result, const char *id)
{
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        if (strcmp(pg_result_text(result, row, 0), id) == 0)
            return true;
    }
    return false;
}

static bool
delete_locked(TargetBatch *batch, const PGresult *locked, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    PgArray ids = database_array(batch->context->database, PG_TEXT);
    const PgParam params[] = {pg_param_array(&ids), pg_param_time(batch->cutoff_us)};
    for (size_t row = 0; row < pg_result_rows(locked); row++)
        pg_array_add(&ids, pg_result_text(locked, row, 0));
    if (!query(batch, DELETE, params, ARRAY_LEN(params), &result, err))
        return false;
    batch->range.counts[0] += pg_result_affected(result);
    return true;
}

/* Locks what is free and deletes it; locked[] tells the caller the rest. */
static bool
delete_free(TargetBatch *batch, const char *const *ids, size_t count, bool *locked, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    PgArray array = database_array(batch->context->database, PG_TEXT);
    const PgParam params[] = {pg_param_array(&array)};
    pg_array_add_all(&array, ids, count);
    if (!pass_stop_waiting(batch, err) || !query(batch, LOCK, params, 1, &result, err))
        return false;
    for (size_t i = 0; i < count; i++)
        locked[i] = holds(result, ids[i]);
    if (batch->range.state == RANGE_RUNNING && pass_should_yield(batch, locked, count))
        return true;
    return delete_locked(batch, result, err);
}

static bool
keep_locked(TargetBatch *batch, const char *const *ids, const bool *locked, size_t count,
            Error *err)
{
    SkippedRows rows = {
        .owners = pass_room(batch, count, sizeof(*rows.owners)),
        .items = pass_room(batch, count, sizeof(*rows.items)),
    };
    if (rows.owners == NULL || rows.items == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (locked[i])
            continue;
        rows.owners[rows.count] = "";
        rows.items[rows.count++] = ids[i];
    }
    return pass_keep_skipped(batch, &rows, err);
}

static bool
run_batch(TargetBatch *batch, Error *err)
{
    LedgerRange *range = &batch->range;
    CLEANUP(pg_result_freep) PGresult *found = NULL;
    const char *after = range->cursor.minor[0] != '\0' ? range->cursor.minor : "0";
    const PgParam params[] = {pg_param_time(batch->cutoff_us), pg_param_text(after),
                              pg_param_int64(batch->limit)};
    if (!query(batch, FIND, params, ARRAY_LEN(params), &found, err))
        return false;
    const size_t count = pg_result_rows(found);
    const char **ids = pass_room(batch, count, sizeof(*ids));
    bool *locked = pass_room(batch, count, sizeof(*locked));
    if (ids == NULL || locked == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < count; i++)
        ids[i] = pg_result_text(found, i, 0);
    if (count > 0 && ((batch->set_aside == NULL && !delete_free(batch, ids, count, locked, err)) ||
                      (!batch->yield && !keep_locked(batch, ids, locked, count, err))))
        return false;
    if (count > 0)
        pass_set_cursor(range, "", ids[count - 1]);
    range->rows_done += (int64_t)count;
    if (count < (size_t)batch->limit)
        pass_begin_last(range);
    return true;
}

/* Forgets the rows that are gone, or not due any more. */
static bool
forget_settled(TargetBatch *batch, const SkippedRows *skipped, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *left = NULL;
    PgArray ids = database_array(batch->context->database, PG_TEXT);
    const PgParam params[] = {pg_param_array(&ids), pg_param_time(batch->cutoff_us)};
    const char **settled = pass_room(batch, skipped->count, sizeof(*settled));
    size_t count = 0;
    if (settled == NULL)
        return error_out_of_memory(err);
    pg_array_add_all(&ids, skipped->items, skipped->count);
    if (!query(batch, STILL_THERE, params, ARRAY_LEN(params), &left, err))
        return false;
    for (size_t i = 0; i < skipped->count; i++) {
        if (!holds(left, skipped->items[i]))
            settled[count++] = skipped->items[i];
    }
    return pass_forget_skipped(batch, settled, count, err);
}

static bool
delete_skipped(TargetBatch *batch, const SkippedRows *skipped, Error *err)
{
    bool *locked = pass_room(batch, skipped->count, sizeof(*locked));
    if (locked == NULL)
        return error_out_of_memory(err);
    return delete_free(batch, skipped->items, skipped->count, locked, err) &&
           forget_settled(batch, skipped, err);
}

static bool
run_last_pass(TargetBatch *batch, Error *err)
{
    SkippedRows skipped = {0};
    return pass_list_skipped(batch, &skipped, err) &&
           (skipped.count == 0 || delete_skipped(batch, &skipped, err)) &&
           pass_advance_last(batch, &skipped, err);
}

static bool
count_due(const TargetRead *read, Tally *tally, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_time(read->cutoff_us)};
    if (!pg_conn_exec_params(read->context->database->conn, COUNT, params, 1, &result, err))
        return false;
    tally->counts[0] = pg_result_int64(result, 0, 0);
    return true;
}

/* No preview of it is asked for. */
const Target target_drafts = {
    .name = "drafts",
    .counts = count_names,
    .counted = ARRAY_LEN(count_names),
    .words = {.due = "old drafts",
              .done = "Successfully deleted",
              .would = "Would delete",
              .rows = "old drafts",
              .failure = "Error deleting old drafts",
              .heading = "Draft cleanup",
              .section = "draft_cleanup",
              .skipped = "skipped_drafts"},
    .age_minutes = age_minutes,
    .plan = plan_ranges,
    .batch = run_batch,
    .last_pass = run_last_pass,
    .count = count_due,
};

/* Why rows were skipped: counted for good, and listed at the end. */
#include "worker/repository/database_private.h"
#include "worker/repository/ledger_repository.h"

#include <string.h>

static const char *const names[SKIP_REASON_COUNT] = {
    [SKIP_LOCKED] = "locked",
    [SKIP_REFERENCED] = "referenced",
    [SKIP_TRIGGER] = "trigger",
    [SKIP_ERROR] = "error",
};

const char *
skip_reason_name(SkipReason reason)
{
    return names[reason];
}

/* A name that this version does not know is a reason of a later one: an error, at worst. */
static SkipReason
reason_of_name(const char *name)
{
    for (SkipReason reason = SKIP_LOCKED; reason < SKIP_REASON_COUNT; reason++) {
        if (name != NULL && strcmp(names[reason], name) == 0)
            return reason;
    }
    return SKIP_ERROR;
}

bool
ledger_skip_count(Database *database, const LedgerRangeKey *key, const SkipCount *skipped,
                  Error *err)
{
    const SkipCause *cause = &skipped->cause;
    const PgParam params[] = {
        pg_param_text(key->command_id), pg_param_text(key->target),
        pg_param_int64(key->range_no),  pg_param_text(skip_reason_name(cause->reason)),
        pg_param_text(cause->sqlstate), pg_param_text(cause->message),
        pg_param_int64(skipped->rows),  pg_param_text(skipped->example)};
    return database_run(database, SQL_LEDGER_SKIP_COUNT, params, ARRAY_LEN(params), NULL, err);
}

static bool
read_number(Database *database, SqlId sql, const PgParam *params, size_t count, int64_t *ret_number,
            Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!database_exec(database, sql, params, count, &result, err))
        return false;
    *ret_number = pg_result_int64(result, 0, 0);
    return true;
}

bool
ledger_skip_settle(Database *database, const LedgerRangeKey *key, int64_t *ret_count, Error *err)
{
    const PgParam params[] = {pg_param_text(key->command_id), pg_param_text(key->target),
                              pg_param_int64(key->range_no)};
    return read_number(database, SQL_LEDGER_SKIP_SETTLE, params, ARRAY_LEN(params), ret_count, err);
}

bool
ledger_skip_errors(Database *database, const LedgerRangeKey *key, int64_t *ret_count, Error *err)
{
    const PgParam params[] = {pg_param_text(key->command_id), pg_param_text(key->target)};
    return read_number(database, SQL_LEDGER_SKIP_ERRORS, params, ARRAY_LEN(params), ret_count, err);
}

static bool
read_count(Arena *arena, const PGresult *result, size_t row, SkipCount *ret_count, Error *err)
{
    enum {
        REASON,
        SQLSTATE,
        MESSAGE,
        ROWS,
        EXAMPLE,
    };
    const char *texts[] = {[SQLSTATE] = NULL, [MESSAGE] = NULL, [EXAMPLE] = NULL};
    for (int column = SQLSTATE; column <= EXAMPLE; column++) {
        texts[column] = arena_copy(arena, pg_result_text(result, row, column));
        if (texts[column] == NULL)
            return error_out_of_memory(err);
    }
    const SkipCount count = {
        .cause = {reason_of_name(pg_result_text(result, row, REASON)), texts[SQLSTATE],
                  texts[MESSAGE]},
        .rows = pg_result_int64(result, row, ROWS),
        .example = texts[EXAMPLE],
    };
    *ret_count = count;
    return true;
}

bool
ledger_skip_reasons(Database *database, const LedgerRangeKey *key, SkipCount *counts, size_t room,
                    size_t *ret_count, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(key->command_id), pg_param_text(key->target),
                              pg_param_int64((int64_t)room)};
    if (!database_exec(database, SQL_LEDGER_SKIP_REASONS, params, ARRAY_LEN(params), &result, err))
        return false;
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        if (!read_count(&database->arena, result, row, &counts[row], err))
            return false;
    }
    *ret_count = pg_result_rows(result);
    return true;
}

/* Where the sessions of all users are divided, so that several connections clean them. */
#include "worker/repository/database_private.h"
#include "worker/repository/session_repository.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Takes a bound that lies above the last one: users who own many sessions may come twice. */
static void
add_bound(SessionBound *bounds, int *count, const char *user_id)
{
    if (user_id == NULL || strlen(user_id) >= SESSION_BOUND_BYTES ||
        (*count > 0 && strcmp(bounds[*count - 1].user_id, user_id) >= 0))
        return;
    (void)snprintf(bounds[(*count)++].user_id, SESSION_BOUND_BYTES, "%s", user_id);
}

static void
divide_evenly(int ranges, SessionBound *bounds, int *count)
{
    for (int i = 1; i < ranges; i++) {
        char user_id[SESSION_BOUND_BYTES];
        const uint32_t head = (uint32_t)((((uint64_t)i) << 32) / (uint64_t)ranges);
        (void)snprintf(user_id, sizeof(user_id), "%08" PRIx32 "-0000-0000-0000-000000000000", head);
        add_bound(bounds, count, user_id);
    }
}

bool
session_find_bounds(Database *database, int ranges, SessionBound *bounds, int *ret_count,
                    Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_text(database_table(database, TABLE_SESSIONS)),
                              pg_param_int64(ranges)};
    int count = 0;
    if (!database_exec_once(database, SQL_SESSION_BOUNDS, params, ARRAY_LEN(params), &result, err))
        return false;
    const size_t rows = pg_result_rows(result);
    for (size_t row = 0; row < rows && count < ranges - 1; row++)
        add_bound(bounds, &count, pg_result_text(result, row, 0));
    if (rows == 0)
        divide_evenly(ranges, bounds, &count);
    *ret_count = count;
    return true;
}

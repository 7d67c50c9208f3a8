#include "worker/repository/lock_holder.h"

#include "worker/repository/database_private.h"

static bool
copy_column(Database *database, const PGresult *result, int column, const char **ret_text,
            Error *err)
{
    const char *text = pg_result_text(result, 0, column);
    *ret_text = text != NULL ? arena_copy(&database->arena, text) : NULL;
    return text == NULL || *ret_text != NULL || error_out_of_memory(err);
}

bool
lock_holder_find(Database *database, LockHolder *ret_holder, Error *err)
{
    PgArray tables = database_array(database, PG_TEXT);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        pg_array_add(&tables, database_table(database, table));
    const PgParam params[] = {pg_param_array(&tables)};
    if (!database_exec_once(database, SQL_DATABASE_LOCK_HOLDER, params, 1, &result, err))
        return false;
    LockHolder holder = {
        .pid = pg_result_int64(result, 0, 0),
        .seconds = pg_result_int64(result, 0, 2),
    };
    if (!copy_column(database, result, 1, &holder.application, err) ||
        !copy_column(database, result, 3, &holder.statement, err) ||
        !copy_column(database, result, 4, &holder.table, err))
        return false;
    *ret_holder = holder;
    return true;
}

/* Asks the planner which of the worker's own statements read a table from end to end. */
#include "worker/repository/catalog_private.h"

#include <string.h>

#define LOOK_NAME "cleanup_worker_look"

/* Gives the locks of the tables back. */
#define PLAN_END "DEALLOCATE " LOOK_NAME "; ROLLBACK TO plan; RELEASE plan"

/* What reads the application's tables by a key; catalog_indexes.sql knows which. */
static const SqlId statements[] = {
    SQL_SESSION_LOCK_USERS,    SQL_SESSION_LOCK_SESSIONS, SQL_SESSION_FIND_AND_LOCK,
    SQL_SESSION_LOCK_CHILDREN, SQL_SESSION_DELETE,        SQL_BOOKING_LOCK,
    SQL_BOOKING_FIND_EXPIRED,
};

/* What the plans say. */
typedef struct Plans {
    PgArray statements; /* that read a table from end to end */
    PgArray tables;     /* the table of each */
    PgArray indexes;    /* that are used by any */
} Plans;

/* The highest $n of the statement. */
static int
count_params(const char *text)
{
    int count = 0;
    for (const char *at = strchr(text, '$'); at != NULL; at = strchr(at + 1, '$')) {
        const int number = (int)strtol(at + 1, NULL, 10);
        if (number > count)
            count = number;
    }
    return count;
}

/* A plan that holds for all values, as the worker's own are. */
static char *
write_explain(Arena *arena, const char *statement)
{
    StrBuf text = {.arena = arena};
    const int params = count_params(statement);
    strbuf_add_text(&text, "SAVEPOINT plan; PREPARE " LOOK_NAME " AS ");
    strbuf_add_text(&text, statement);
    strbuf_add_text(&text, "; EXPLAIN (VERBOSE, COSTS OFF) EXECUTE " LOOK_NAME);
    for (int i = 0; i < params; i++)
        strbuf_add_text(&text, i == 0 ? "(NULL" : ", NULL");
    strbuf_add_text(&text, params > 0 ? ")" : "");
    return strbuf_take(&text);
}

/* Adds the identifier that begins at `at`, up to a blank outside quotes. */
static void
add_name(PgArray *names, const char *at)
{
    StrBuf name = {0};
    bool quoted = false;
    for (; *at != '\0' && (quoted || *at != ' '); at++) {
        quoted ^= *at == '"';
        strbuf_add_char(&name, *at);
    }
    pg_array_add(names, strbuf_text(&name));
    strbuf_done(&name);
}

/* What stands behind `mark` in the line; NULL when it does not stand there. */
static const char *
behind(const char *line, const char *mark)
{
    const char *found = strstr(line, mark);
    return found != NULL ? found + strlen(mark) : NULL;
}

static void
read_plan(Plans *plans, SqlId sql, const PGresult *plan)
{
    for (size_t row = 0; row < pg_result_rows(plan); row++) {
        const char *line = pg_result_text(plan, row, 0);
        const char *scanned = behind(line, "Seq Scan on ");
        const char *index = behind(line, "Bitmap Index Scan on ");
        if (index == NULL)
            index = behind(line, "Scan using ");
        if (index != NULL)
            add_name(&plans->indexes, index);
        if (scanned == NULL)
            continue;
        pg_array_add(&plans->statements, sql_files[sql].name);
        add_name(&plans->tables, scanned);
    }
}

static bool
explain(CatalogLook *look, SqlId sql, Plans *plans, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *plan = NULL;
    CLEANUP(pg_result_freep) PGresult *forgotten = NULL;
    PgConn *conn = look->database->conn;
    const char *text = write_explain(&look->database->arena, look->database->names->texts[sql]);
    if (text == NULL)
        return error_out_of_memory(err);
    if (!pg_conn_exec(conn, text, &plan, err))
        return error_wrap(err, "plan %s", sql_files[sql].name);
    read_plan(plans, sql, plan);
    return pg_conn_exec(conn, PLAN_END, &forgotten, err);
}

/* A failed look may have left its statement, which no rollback takes away. */
bool
catalog_forget_plans(Database *database, Error *err)
{
    static const char left[] = "SELECT FROM pg_catalog.pg_prepared_statements "
                               "WHERE name = '" LOOK_NAME "'";
    CLEANUP(pg_result_freep) PGresult *found = NULL;
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    return pg_conn_exec(database->conn, left, &found, err) &&
           (pg_result_rows(found) == 0 ||
            pg_conn_exec(database->conn, "DEALLOCATE " LOOK_NAME, &result, err));
}

static bool
explain_all(CatalogLook *look, Plans *plans, Error *err)
{
    static const char planner[] = "SET LOCAL enable_seqscan = off; SET LOCAL row_security = off";
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!pg_conn_exec(look->database->conn, planner, &result, err))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        if (!explain(look, statements[i], plans, err))
            return false;
    }
    return true;
}

bool
catalog_look_indexes(CatalogLook *look, Error *err)
{
    const DatabaseTables *tables = &look->database->settings->tables;
    Plans plans = {database_array(look->database, PG_TEXT), database_array(look->database, PG_TEXT),
                   database_array(look->database, PG_TEXT)};
    size_t found;
    if (!explain_all(look, &plans, err))
        return false;
    const PgParam params[] = {pg_param_array(&look->tables),
                              pg_param_array(&look->references),
                              pg_param_array(&plans.statements),
                              pg_param_array(&plans.tables),
                              pg_param_array(&plans.indexes),
                              pg_param_bool(tables->allow_missing_indexes),
                              pg_param_text(tables->booking_status_pending)};
    return catalog_look_findings(look, SQL_CATALOG_INDEXES, params, ARRAY_LEN(params), &found,
                                 err) &&
           (found > 0 ||
            catalog_add(look->findings, FINDING_OK, "index", "indexes", "none is missing", err));
}

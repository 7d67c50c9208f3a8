/* What the walk looks at: the tables of [tables] and the columns the worker needs of them. */
#include "worker/repository/catalog_private.h"

#include <string.h>

typedef struct ColumnNeed {
    DatabaseTable table;
    const char *name;
    const char *kind; /* as catalog_columns.sql takes it */
} ColumnNeed;

static const ColumnNeed columns[] = {
    {TABLE_USERS, "user_id", "uuid"},         {TABLE_SESSIONS, "id", "key"},
    {TABLE_SESSIONS, "user_id", "uuid"},      {TABLE_SESSIONS, "created_at", "time"},
    {TABLE_SESSIONS, "property_id", "any"},   {TABLE_MESSAGES, "user_id", "uuid"},
    {TABLE_MESSAGES, "sender", "word"},       {TABLE_MESSAGES, "timestamp", "time"},
    {TABLE_IMAGE_SENT, "id", "any"},          {TABLE_IMAGE_SENT, "session_id", "key"},
    {TABLE_VIDEO_SENT, "id", "any"},          {TABLE_VIDEO_SENT, "session_id", "key"},
    {TABLE_BOOKINGS, "booking_id", "key"},    {TABLE_BOOKINGS, "user_id", "any"},
    {TABLE_BOOKINGS, "property_id", "any"},   {TABLE_BOOKINGS, "booking_date", "time"},
    {TABLE_BOOKINGS, "total_cost", "number"}, {TABLE_BOOKINGS, "status", "word"},
    {TABLE_BOOKINGS, "created_at", "time"},   {TABLE_BOOKINGS, "updated_at", "time"},
};

static void
fill_columns(CatalogLook *look)
{
    look->column_tables = database_array(look->database, PG_INT4);
    look->column_names = database_array(look->database, PG_TEXT);
    look->column_kinds = database_array(look->database, PG_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        pg_array_add_int64(&look->column_tables, columns[i].table);
        pg_array_add(&look->column_names, columns[i].name);
        pg_array_add(&look->column_kinds, columns[i].kind);
    }
}

static bool
add_unknown(CatalogLook *look, const char *code, const char *what, const char *why, Error *err)
{
    const Finding finding = {
        .level = FINDING_FAIL, .code = code, .subject = "table", .what = what, .why = why};
    look->unknown++;
    return findings_add(look->findings, &finding, err);
}

static bool
add_unknown_table(CatalogLook *look, DatabaseTable table, Error *err)
{
    char what[256];
    char why[256];
    (void)snprintf(what, sizeof(what), "there is no table %s",
                   database_table_identifier(look->database->settings, table));
    (void)snprintf(why, sizeof(why),
                   "Name it in tables.%s, with its schema where that is not in the search path.",
                   database_table_name(table));
    return add_unknown(look, "table_missing", what, why, err);
}

static bool
add_unknown_reference(CatalogLook *look, const char *name, Error *err)
{
    char what[256];
    (void)snprintf(what, sizeof(what), "there is no table %s", name);
    return add_unknown(look, "reference_missing", what, "tables.session_references lists it.", err);
}

/* Looks up what `names` lists; false with ERROR_HOLD when one is no identifier at all. */
static bool
look_up(CatalogLook *look, const PgArray *names, PGresult **ret_result, Error *err)
{
    const PgParam params[] = {pg_param_array(names)};
    return database_exec_once(look->database, SQL_CATALOG_TABLES, params, 1, ret_result, err);
}

static bool
keep_oid(CatalogLook *look, const char *oid, char **ret_oid, Error *err)
{
    const size_t size = strlen(oid) + 1;
    char *copy = arena_alloc(&look->database->arena, 1, size);
    if (copy == NULL)
        return error_out_of_memory(err);
    memcpy(copy, oid, size);
    *ret_oid = copy;
    return true;
}

static bool
look_tables(CatalogLook *look, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    PgArray names = database_array(look->database, PG_TEXT);
    look->tables = database_array(look->database, PG_TEXT);
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        pg_array_add(&names, database_table_identifier(look->database->settings, table));
    if (!look_up(look, &names, &result, err))
        return false;
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++) {
        const char *oid = pg_result_text(result, table, 0);
        pg_array_add(&look->tables, oid);
        if (oid == NULL && !add_unknown_table(look, table, err))
            return false;
        if ((oid != NULL && table == TABLE_MESSAGES &&
             !keep_oid(look, oid, &look->messages, err)) ||
            (oid != NULL && table == TABLE_BOOKINGS && !keep_oid(look, oid, &look->bookings, err)))
            return false;
    }
    return true;
}

static bool
look_references(CatalogLook *look, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    PgArray names = database_array(look->database, PG_TEXT);
    look->references = database_array(look->database, PG_TEXT);
    database_add_reference_names(look->database->settings, &names);
    if (!look_up(look, &names, &result, err))
        return false;
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const char *oid = pg_result_text(result, row, 0);
        if (oid != NULL)
            pg_array_add(&look->references, oid);
        else if (!add_unknown_reference(look, pg_result_text(result, row, 1), err))
            return false;
    }
    return true;
}

bool
catalog_look_names(CatalogLook *look, Error *err)
{
    fill_columns(look);
    return look_tables(look, err) && look_references(look, err);
}

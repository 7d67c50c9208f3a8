/*
 * From the identifiers of [tables] to SQL text: the catalog says what they are, and quotes them.
 */
#include "worker/repository/database_private.h"
#include "worker/repository/sql_render.h"

#include <string.h>

enum {
    VARIABLE_COUNT = TABLE_COUNT + 1,
};

const char *
database_table_name(DatabaseTable table)
{
    static const char *const names[TABLE_COUNT] = {
        [TABLE_USERS] = "users",           [TABLE_SESSIONS] = "sessions",
        [TABLE_MESSAGES] = "messages",     [TABLE_IMAGE_SENT] = "image_sent",
        [TABLE_VIDEO_SENT] = "video_sent", [TABLE_BOOKINGS] = "bookings",
    };
    return names[table];
}

const char *
database_table_identifier(const DatabaseSettings *settings, DatabaseTable table)
{
    const char *const identifiers[TABLE_COUNT] = {
        [TABLE_USERS] = settings->tables.users,
        [TABLE_SESSIONS] = settings->tables.sessions,
        [TABLE_MESSAGES] = settings->tables.messages,
        [TABLE_IMAGE_SENT] = settings->tables.image_sent,
        [TABLE_VIDEO_SENT] = settings->tables.video_sent,
        [TABLE_BOOKINGS] = settings->tables.bookings,
    };
    return identifiers[table];
}

void
database_forget_names(Database *database)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        free(database->tables[i]);
        database->tables[i] = NULL;
    }
    for (int i = 0; i < SQL_COUNT; i++) {
        free(database->texts[i]);
        database->texts[i] = NULL;
        database->prepared[i] = false;
    }
    free(database->schema);
    free(database->is_referenced);
    database->schema = NULL;
    database->is_referenced = NULL;
    database->resolved = false;
}

static bool
copy_text(const char *text, char **ret_copy, Error *err)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return error_out_of_memory(err);
    free(*ret_copy);
    *ret_copy = copy;
    return true;
}

static bool
resolve_tables(Database *database, Error *err)
{
    PgArray identifiers = database_array(database, PG_TEXT);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        pg_array_add(&identifiers, database_table_identifier(database->settings, table));
    const PgParam params[] = {pg_param_array(&identifiers)};
    if (!database_exec_once(database, SQL_DATABASE_TABLES, params, 1, &result, err))
        return false;
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++) {
        const char *quoted = pg_result_text(result, table, 0);
        if (quoted == NULL)
            return error_set_sqlstate(
                err, REASON_OBJECT_MISSING, "42P01",
                "table %s does not exist, or this role may not see it; set tables.%s",
                database_table_identifier(database->settings, table), database_table_name(table));
        if (!copy_text(quoted, &database->tables[table], err))
            return false;
    }
    return copy_text(pg_result_text(result, TABLE_SESSIONS, 1), &database->schema, err);
}

/* A comma within double quotes belongs to its name. */
void
database_add_reference_names(const DatabaseSettings *settings, PgArray *names)
{
    const char *listed = settings->tables.session_references;
    const char *list = listed != NULL ? listed : "";
    StrBuf name = {0};
    bool quoted = false;
    for (const char *c = list;; c++) {
        if (*c == '"')
            quoted = !quoted;
        const bool ends = *c == '\0' || (*c == ',' && !quoted);
        const bool blank = !quoted && (*c == ' ' || *c == '\t');
        if (!ends && !blank)
            strbuf_add_char(&name, *c);
        if (ends && name.length > 0) {
            pg_array_add(names, strbuf_text(&name));
            strbuf_clear(&name);
        }
        if (*c == '\0')
            break;
    }
    strbuf_done(&name);
}

static bool
add_reference(StrBuf *condition, const PGresult *result, size_t row, Error *err)
{
    const char *listed = pg_result_text(result, row, 0);
    const char *exists = pg_result_text(result, row, 2);
    if (pg_result_text(result, row, 1) == NULL)
        return error_set_sqlstate(err, REASON_OBJECT_MISSING, "42P01",
                                  "table %s of tables.session_references does not exist", listed);
    if (exists == NULL)
        return error_set_sqlstate(
            err, REASON_OBJECT_UNFIT, "42830",
            "table %s of tables.session_references has no foreign key to the sessions", listed);
    strbuf_add_text(condition, condition->length == 0 ? "(" : " OR ");
    strbuf_add_text(condition, exists);
    return true;
}

static bool
resolve_references(Database *database, Error *err)
{
    PgArray names = database_array(database, PG_TEXT);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    CLEANUP(strbuf_done) StrBuf condition = {0};
    database_add_reference_names(database->settings, &names);
    const PgParam params[] = {pg_param_text(database->tables[TABLE_SESSIONS]),
                              pg_param_array(&names)};
    if (!database_exec_once(database, SQL_DATABASE_REFERENCES, params, 2, &result, err))
        return false;
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        if (!add_reference(&condition, result, row, err))
            return false;
    }
    strbuf_add_text(&condition, condition.length == 0 ? "false" : ")");
    char *text = strbuf_take(&condition);
    if (text == NULL)
        return error_out_of_memory(err);
    database->is_referenced = text;
    return true;
}

static bool
render_files(Database *database, Error *err)
{
    SqlVariable variables[VARIABLE_COUNT];
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        variables[table] = (SqlVariable){database_table_name(table), database->tables[table]};
    variables[TABLE_COUNT] = (SqlVariable){"session_is_referenced", database->is_referenced};
    for (int i = 0; i < SQL_COUNT; i++) {
        if (!sql_render(sql_files[i].text, variables, VARIABLE_COUNT, &database->texts[i], err))
            return error_wrap(err, "%s", sql_files[i].name);
    }
    return true;
}

bool
database_resolve(Database *database, Error *err)
{
    if (!resolve_tables(database, err) || !resolve_references(database, err) ||
        !render_files(database, err)) {
        database_forget_names(database);
        return false;
    }
    database->resolved = true;
    return true;
}

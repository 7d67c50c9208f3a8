/*
 * From the identifiers of [tables] to SQL text: the catalog says what they are, and quotes them.
 */
#include "common/text.h"
#include "worker/repository/database_private.h"
#include "worker/repository/sql_render.h"
#include "worker/repository/word_list.h"

#include <string.h>

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
database_names_free(DatabaseNames *names)
{
    if (names == NULL)
        return;
    for (int i = 0; i < TABLE_COUNT; i++)
        free(names->tables[i]);
    for (int i = 0; i < SQL_COUNT; i++)
        free(names->texts[i]);
    free(names->is_referenced);
    free(names);
}

/* The questions to the catalog and where their answers go. */
typedef struct Resolver {
    PgConn *conn;
    const DatabaseSettings *settings;
    Arena *arena;
    DatabaseNames *names;
} Resolver;

static bool
ask(const Resolver *resolver, SqlId sql, const PgParam *params, size_t count, PGresult **ret_result,
    Error *err)
{
    return pg_conn_exec_params(resolver->conn, sql_files[sql].text, params, count, ret_result,
                               err) ||
           error_wrap(err, "%s", sql_files[sql].name);
}

static bool
resolve_tables(const Resolver *resolver, Error *err)
{
    PgArray identifiers = {.element = PG_TEXT, .bytes.arena = resolver->arena};
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        pg_array_add(&identifiers, database_table_identifier(resolver->settings, table));
    const PgParam params[] = {pg_param_array(&identifiers)};
    if (!ask(resolver, SQL_DATABASE_TABLES, params, 1, &result, err))
        return false;
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++) {
        const char *quoted = pg_result_text(result, table, 0);
        if (quoted == NULL)
            return error_set_sqlstate(
                err, REASON_OBJECT_MISSING, "42P01",
                "table %s does not exist, or this role may not see it; set tables.%s",
                database_table_identifier(resolver->settings, table), database_table_name(table));
        if (!text_copy(quoted, &resolver->names->tables[table], err))
            return false;
    }
    return true;
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
        return error_set_sqlstate(err, REASON_OBJECT_UNFIT, "42830",
                                  "table %s of tables.session_references has no foreign key to the "
                                  "sessions or their records",
                                  listed);
    strbuf_add_text(condition, condition->length == 0 ? "(" : " OR ");
    strbuf_add_text(condition, exists);
    return true;
}

static bool
resolve_references(const Resolver *resolver, Error *err)
{
    PgArray names = {.element = PG_TEXT, .bytes.arena = resolver->arena};
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    CLEANUP(strbuf_done) StrBuf condition = {0};
    database_add_reference_names(resolver->settings, &names);
    const PgParam params[] = {pg_param_text(resolver->names->tables[TABLE_SESSIONS]),
                              pg_param_array(&names),
                              pg_param_text(resolver->names->tables[TABLE_IMAGE_SENT]),
                              pg_param_text(resolver->names->tables[TABLE_VIDEO_SENT])};
    if (!ask(resolver, SQL_DATABASE_REFERENCES, params, ARRAY_LEN(params), &result, err))
        return false;
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        if (!add_reference(&condition, result, row, err))
            return false;
    }
    strbuf_add_text(&condition, condition.length == 0 ? "false" : ")");
    char *text = strbuf_take(&condition);
    if (text == NULL)
        return error_out_of_memory(err);
    resolver->names->is_referenced = text;
    return true;
}

/* How the columns of times and words are used: a row for each variable. */
static bool
resolve_terms(const Resolver *resolver, PGresult **ret_terms, Error *err)
{
    const DatabaseTables *settings = &resolver->settings->tables;
    PgArray tables = {.element = PG_TEXT, .bytes.arena = resolver->arena};
    PgArray others = {.element = PG_TEXT, .bytes.arena = resolver->arena};
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        pg_array_add(&tables, resolver->names->tables[table]);
    word_list_add(&others, settings->message_sender_others);
    const PgParam params[] = {pg_param_array(&tables), pg_param_text(settings->time_zone),
                              pg_param_array(&others),
                              pg_param_text(settings->booking_status_pending),
                              pg_param_text(settings->booking_status_expired)};
    return ask(resolver, SQL_DATABASE_TERMS, params, ARRAY_LEN(params), ret_terms, err);
}

static bool
render_files(const Resolver *resolver, const PGresult *terms, Error *err)
{
    const size_t term_count = pg_result_rows(terms);
    const size_t count = TABLE_COUNT + 1 + term_count;
    SqlVariable *variables = arena_alloc(resolver->arena, count, sizeof(*variables));
    if (variables == NULL)
        return error_out_of_memory(err);
    for (DatabaseTable table = 0; table < TABLE_COUNT; table++)
        variables[table] =
            (SqlVariable){database_table_name(table), resolver->names->tables[table]};
    variables[TABLE_COUNT] = (SqlVariable){"session_is_referenced", resolver->names->is_referenced};
    for (size_t row = 0; row < term_count; row++)
        variables[TABLE_COUNT + 1 + row] =
            (SqlVariable){pg_result_text(terms, row, 0), pg_result_text(terms, row, 1)};
    for (int i = 0; i < SQL_COUNT; i++) {
        if (!sql_render(sql_files[i].text, variables, count, &resolver->names->texts[i], err))
            return error_wrap(err, "%s", sql_files[i].name);
    }
    return true;
}

bool
database_names_resolve(PgConn *conn, const DatabaseSettings *settings, Arena *arena,
                       DatabaseNames **ret_names, Error *err)
{
    CLEANUP(database_names_freep) DatabaseNames *names = calloc(1, sizeof(*names));
    if (names == NULL)
        return error_out_of_memory(err);
    CLEANUP(pg_result_freep) PGresult *terms = NULL;
    const Resolver resolver = {conn, settings, arena, names};
    if (!resolve_tables(&resolver, err) || !resolve_references(&resolver, err) ||
        !resolve_terms(&resolver, &terms, err) || !render_files(&resolver, terms, err))
        return false;
    *ret_names = names;
    names = NULL;
    return true;
}

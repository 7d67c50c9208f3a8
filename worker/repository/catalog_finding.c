/* From rows that SQL files return to findings. */
#include "worker/repository/catalog_private.h"

#include <string.h>

/* In the order in which every such file selects them. */
enum {
    COLUMN_LEVEL,
    COLUMN_CODE,
    COLUMN_SUBJECT,
    COLUMN_CONCERNS,
    COLUMN_WHAT,
    COLUMN_WHY,
    COLUMN_MEND,
};

static const char *const codes[] = {
    "server",
    "server_version",
    "server_read_only",
    "replication_role",
    "connection_limit",
    "clock_skew",
    "schema",
    "schema_missing",
    "schema_old",
    "schema_new",
    "table",
    "table_missing",
    "table_kind",
    "inheritance",
    "rule",
    "row_security",
    "column",
    "column_missing",
    "column_type",
    "privilege",
    "privilege_missing",
    "foreign_key",
    "foreign_key_missing",
    "foreign_key_not_valid",
    "foreign_key_deferrable",
    "foreign_key_disabled",
    "reference",
    "reference_missing",
    "reference_unlisted",
    "reference_acts",
    "time_zone",
    "time_zone_unknown",
    "time_zone_default",
    "time_ahead",
    "sender",
    "sender_word",
    "status",
    "status_word",
    "replication",
    "replica_identity",
    "index",
    "index_missing",
    "catalog_unread",
};

static const char *const concerns[] = {CATALOG_SESSIONS, CATALOG_BOOKINGS};

/* The static text that equals `text`; NULL when there is none. */
static const char *
find_static(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; text != NULL && i < count; i++) {
        if (strcmp(texts[i], text) == 0)
            return texts[i];
    }
    return NULL;
}

static FindingLevel
level_of(const char *name)
{
    if (strcmp(name, finding_level_name(FINDING_OK)) == 0)
        return FINDING_OK;
    return strcmp(name, finding_level_name(FINDING_WARN)) == 0 ? FINDING_WARN : FINDING_FAIL;
}

bool
catalog_add_rows(Findings *findings, const PGresult *result, Error *err)
{
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const Finding finding = {
            .level = level_of(pg_result_text(result, row, COLUMN_LEVEL)),
            .code = find_static(codes, ARRAY_LEN(codes), pg_result_text(result, row, COLUMN_CODE)),
            .subject = pg_result_text(result, row, COLUMN_SUBJECT),
            .concerns = find_static(concerns, ARRAY_LEN(concerns),
                                    pg_result_text(result, row, COLUMN_CONCERNS)),
            .what = pg_result_text(result, row, COLUMN_WHAT),
            .why = pg_result_text(result, row, COLUMN_WHY),
            .mend = pg_result_text(result, row, COLUMN_MEND),
        };
        if (finding.code == NULL)
            return error_set(err, REASON_INTERNAL, "an SQL file has the unknown code %s",
                             pg_result_text(result, row, COLUMN_CODE));
        if (!findings_add(findings, &finding, err))
            return false;
    }
    return true;
}

bool
catalog_look_findings(CatalogLook *look, SqlId sql, const PgParam *params, size_t count,
                      size_t *ret_count, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    if (!database_exec(look->database, sql, params, count, &result, err) ||
        !catalog_add_rows(look->findings, result, err))
        return false;
    if (ret_count != NULL)
        *ret_count = pg_result_rows(result);
    return true;
}

bool
catalog_add(Findings *findings, FindingLevel level, const char *code, const char *subject,
            const char *what, Error *err)
{
    const Finding finding = {.level = level, .code = code, .subject = subject, .what = what};
    return findings_add(findings, &finding, err);
}

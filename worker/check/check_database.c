#include "worker/check/check.h"
#include "worker/repository/catalog.h"

/* A server that is there and refuses something is no server that cannot be reached. */
static bool
is_unreachable(const Error *err)
{
    return err->kind == ERROR_HOLD && err->scope == ERROR_SCOPE_EVERYTHING;
}

bool
check_walk_database(CheckContext *context, Findings *findings, Error *err)
{
    CLEANUP(database_freep)
    Database *database = database_new(context->database, clock_system());
    const CatalogNeeds needs = {.is_start = true};
    Error cause = {0};
    if (!settings_need_database(context->settings, &cause))
        return true; /* the walk over the configuration has said so */
    if (database == NULL)
        return error_out_of_memory(err);
    if (catalog_walk(database, &needs, findings, &cause))
        return true;
    if (cause.kind == ERROR_FATAL) {
        *err = cause;
        return false;
    }
    context->unreachable = context->unreachable || is_unreachable(&cause);
    const Finding finding = {
        .level = FINDING_FAIL,
        .code = is_unreachable(&cause) ? "postgres_unreachable" : "catalog_unread",
        .subject = "PostgreSQL",
        .what = cause.text,
    };
    return findings_add(findings, &finding, err);
}

#include "worker/cli/migrate_database.h"

#include "worker/repository/catalog.h"

/* Runs the statements of the findings and prints what became of them. */
static bool
mend(Database *database, const Findings *findings, const char *what, Findings *failed, Error *err)
{
    int64_t done = 0;
    for (size_t i = 0; i < findings->count; i++)
        (void)printf("%s\n", findings->list[i].mend != NULL ? findings->list[i].mend : "");
    (void)fflush(stdout);
    if (!catalog_mend(database, findings, &done, failed, err))
        return false;
    (void)printf("%s: %lld statements done, %zu failed\n", what, (long long)done, failed->count);
    return true;
}

/* A grant that was not the role's to give is none, though PostgreSQL only warns: so what is still
 * missing is looked up again. */
bool
migrate_grant(Database *database, const char *role, Findings *left, Error *err)
{
    CLEANUP(findings_done) Findings missing = {0};
    CLEANUP(findings_done) Findings failed = {0};
    if (!catalog_find_privileges(database, role, &missing, err) ||
        !mend(database, &missing, "privileges", &failed, err) ||
        !catalog_find_privileges(database, role, left, err))
        return false;
    findings_print(&failed, FINDING_FAIL, stderr);
    return true;
}

/* The findings of the walk that an index mends; *ret_blind: the walk could not look for them. */
static bool
find_indexes(Database *database, Findings *indexes, bool *ret_blind, Error *err)
{
    CLEANUP(findings_done) Findings all = {0};
    const CatalogNeeds needs = {.is_start = true};
    *ret_blind = false;
    if (!catalog_walk(database, &needs, &all, err))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        const Finding *finding = &all.list[i];
        *ret_blind = *ret_blind || finding_is(finding, "catalog_unread");
        if (finding_is(finding, "index_missing") && !findings_add(indexes, finding, err))
            return false;
    }
    return true;
}

bool
migrate_indexes(Database *database, Findings *left, Error *err)
{
    CLEANUP(findings_done) Findings missing = {0};
    CLEANUP(findings_done) Findings failed = {0};
    bool blind;
    if (!find_indexes(database, &missing, &blind, err))
        return false;
    if (blind)
        return error_set(err, REASON_SCHEMA_UNFIT,
                         "what indexes are missing cannot be told before what `cleanup-worker "
                         "check` finds is mended");
    if (!mend(database, &missing, "indexes", &failed, err) ||
        !find_indexes(database, left, &blind, err))
        return false;
    findings_print(&failed, FINDING_FAIL, stderr);
    return true;
}

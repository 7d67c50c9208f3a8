/* Executes what findings say, where an operator asks for it. */
#include "worker/repository/catalog_private.h"

#include <string.h>

enum {
    CALL_TIMEOUT_MS = 24 * 3600 * 1000, /* an index of a large table takes its time */
};

static const char failed_code[] = "mend_failed";

/* One line; a finding for it when it fails. */
static bool
mend_line(Database *database, const char *line, Findings *ret_failed, bool *ret_done, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Error cause = {0};
    *ret_done = pg_conn_exec(database->conn, line, &result, &cause);
    if (*ret_done)
        return true;
    if (database_is_lost(database)) {
        *err = cause;
        return false;
    }
    const Finding failed = {.level = FINDING_FAIL,
                            .code = failed_code,
                            .subject = "statement",
                            .what = cause.detail,
                            .mend = line};
    return findings_add(ret_failed, &failed, err);
}

static bool
mend_lines(Database *database, const char *mend, int64_t *done, Findings *ret_failed, Error *err)
{
    CLEANUP(strbuf_done) StrBuf line = {0};
    while (*mend != '\0') {
        bool worked = false;
        const size_t bytes = strcspn(mend, "\n");
        strbuf_clear(&line);
        strbuf_add(&line, mend, bytes);
        if (!mend_line(database, strbuf_text(&line), ret_failed, &worked, err))
            return false;
        *done += worked;
        mend += bytes + (mend[bytes] == '\n');
    }
    return true;
}

bool
catalog_mend(Database *database, const Findings *findings, int64_t *ret_done, Findings *ret_failed,
             Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    int64_t done = 0;
    if (!database_open(database, err))
        return false;
    pg_conn_set_call_timeout(database->conn, CALL_TIMEOUT_MS);
    if (!pg_conn_exec(database->conn, "SET statement_timeout = 0; SET lock_timeout = 0", &result,
                      err))
        return false;
    for (size_t i = 0; i < findings->count; i++) {
        const char *mend = findings->list[i].mend;
        if (mend != NULL && !mend_lines(database, mend, &done, ret_failed, err))
            return false;
    }
    *ret_done = done;
    return true;
}

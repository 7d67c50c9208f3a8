/*
 * Negative control: a worker that forgets. Every delivery of a command takes effect as if it were
 * the first, because nobody finds its ledger row, which goes, with all that hangs on it, before the
 * new one is entered.
 */
#include "worker/repository/ledger_repository.h"

#include <stdlib.h>

bool __real_ledger_insert(Database *database, const LedgerRecord *records, size_t count,
                          bool *inserted, Error *err);
bool __wrap_ledger_insert(Database *database, const LedgerRecord *records, size_t count,
                          bool *inserted, Error *err);

bool __wrap_ledger_find(Database *database, const char *const *ids, size_t count,
                        LedgerRows *ret_rows, Error *err);

bool
__wrap_ledger_find(Database *database, const char *const *ids, size_t count, LedgerRows *ret_rows,
                   Error *err)
{
    (void)database;
    (void)ids;
    (void)count;
    (void)err;
    *ret_rows = (LedgerRows){0};
    return true;
}

static bool
forget(Database *database, const LedgerRecord *records, size_t count, Error *err)
{
    CLEANUP(autofree) const char **ids = calloc(count + 1, sizeof(*ids));
    if (ids == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        ids[i] = records[i].command_id;
        if (!ledger_range_delete_all(database, ids[i], err))
            return false;
    }
    return ledger_delete(database, ids, count, err);
}

bool
__wrap_ledger_insert(Database *database, const LedgerRecord *records, size_t count, bool *inserted,
                     Error *err)
{
    return forget(database, records, count, err) &&
           __real_ledger_insert(database, records, count, inserted, err);
}

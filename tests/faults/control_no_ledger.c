/*
 * Negative control: a worker that forgets. Every delivery of a command takes effect as if it were
 * the first, because nobody finds its ledger row, which is overwritten.
 */
#include "worker/repository/ledger_repository.h"

#include <stdlib.h>

bool __real_ledger_insert(Database *database, const LedgerRecord *records, size_t count,
                          bool *inserted, Error *err);
bool __wrap_ledger_insert(Database *database, const LedgerRecord *records, size_t count,
                          bool *inserted, Error *err);
bool __wrap_ledger_enter(Database *database, const LedgerRecord *records, size_t count, Error *err);

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

/* What is there goes, with all that hangs on it, and the command counts as new. */
static bool
overwrite(Database *database, const LedgerRecord *record, Error *err)
{
    return ledger_range_delete_all(database, record->command_id, err) &&
           ledger_update(database, record, 1, err);
}

bool
__wrap_ledger_insert(Database *database, const LedgerRecord *records, size_t count, bool *inserted,
                     Error *err)
{
    if (!__real_ledger_insert(database, records, count, inserted, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!inserted[i] && !overwrite(database, &records[i], err))
            return false;
        inserted[i] = true;
    }
    return true;
}

bool
__wrap_ledger_enter(Database *database, const LedgerRecord *records, size_t count, Error *err)
{
    CLEANUP(autofree) bool *inserted = calloc(count, sizeof(*inserted));
    return inserted != NULL ? __wrap_ledger_insert(database, records, count, inserted, err)
                            : error_out_of_memory(err);
}

#include "worker/task/ledger_entry.h"

bool
ledger_entry_find(const TaskContext *context, const TaskItem *items, size_t count,
                  LedgerRows *ret_rows, Error *err)
{
    /* A key, and of an event the id, too. */
    const char **ids = arena_alloc(database_arena(context->database), 2 * count, sizeof(*ids));
    size_t id_count = 0;
    if (ids == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        ids[id_count++] = items[i].command->key;
        if (items[i].command->is_event)
            ids[id_count++] = items[i].command->id;
    }
    return ledger_find(context->database, ids, id_count, ret_rows, err);
}

bool
ledger_entry_settle(const TaskEntry *entry, const LedgerRecord *row, EntryVerdict *ret_verdict,
                    Error *err)
{
    switch (ledger_decide(row, entry->item->command, entry->item->source)) {
    case LEDGER_TAKE_OVER:
        *ret_verdict = ENTRY_UNDER_WAY;
        return true;
    case LEDGER_RUN_AGAIN:
        *ret_verdict = ENTRY_REPLAY;
        return true;
    case LEDGER_PUBLISH:
        *ret_verdict = ENTRY_SETTLED;
        return outcome_from_stored(row, entry->outcome, err);
    case LEDGER_ABSORB:
        *ret_verdict = ENTRY_SETTLED;
        outcome_duplicate(row, entry->outcome);
        return true;
    case LEDGER_CONFLICT:
        *ret_verdict = ENTRY_SETTLED;
        return outcome_conflict(entry, row, err);
    }
    return true;
}

bool
ledger_entry_add(const TaskEntry *entry, LedgerRows *ret_rows, EntryVerdict *ret_verdict,
                 Error *err)
{
    Database *database = entry->context->database;
    const char *const ids[] = {entry->record->command_id};
    bool inserted = false;
    if ((entry->item->command->is_event &&
         !ledger_rename(database, entry->item->command->id, entry->record, err)) ||
        !ledger_insert(database, entry->record, 1, &inserted, err))
        return false;
    *ret_verdict = ENTRY_NEW;
    if (inserted)
        return true;
    if (!ledger_lock(database, ids, 1, ret_rows, err))
        return false;
    if (ret_rows->count == 0)
        return error_set(err, REASON_LEDGER_BUSY, "a ledger row was there and is gone again");
    return ledger_entry_settle(entry, &ret_rows->rows[0], ret_verdict, err);
}

#include "common/kafka/open_transactions.h"

#include <stdlib.h>

enum {
    PATIENCE_MS = 30 * 1000,
    NEWS_EVERY_MS = 60 * 1000,
    NONE = -1,
};

/* NULL without memory. */
static OpenTransaction *
find_or_add(OpenTransactions *open, int32_t partition)
{
    for (size_t i = 0; i < open->count; i++) {
        if (open->entries[i].partition == partition)
            return &open->entries[i];
    }
    OpenTransaction *grown = realloc(open->entries, (open->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return NULL;
    open->entries = grown;
    grown[open->count] = (OpenTransaction){.partition = partition, .stable = NONE};
    return &grown[open->count++];
}

const OpenTransaction *
open_transactions_note(OpenTransactions *open, const PartitionEnds *ends, int64_t now_ms)
{
    OpenTransaction *entry = find_or_add(open, ends->partition);
    if (entry == NULL)
        return NULL;
    const bool is_open = ends->stable >= 0 && ends->stable < ends->end;
    if (!is_open) {
        entry->stable = NONE;
        return NULL;
    }
    if (entry->stable != ends->stable) {
        entry->stable = ends->stable;
        entry->since_ms = now_ms;
        entry->news_ms = now_ms + PATIENCE_MS;
        return NULL;
    }
    if (now_ms < entry->news_ms)
        return NULL;
    entry->news_ms = now_ms + NEWS_EVERY_MS;
    return entry;
}

void
open_transactions_done(OpenTransactions *open)
{
    free(open->entries);
    *open = (OpenTransactions){0};
}

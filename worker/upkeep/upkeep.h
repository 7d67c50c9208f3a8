/*
 * upkeep: keeps the ledger from growing for ever, and looks whether the database still is as the
 * worker needs it. One thread with a connection of its own.
 *
 * Owns:      its thread, its Database, what it was told of committed offsets.
 * Threads:   upkeep_note_committed from any thread; the rest from the one that started it.
 * Invariant: a row is deleted only when its end is older than the retention and its offset lies
 * below the group's committed one, so that no redelivery can meet a forgotten command; a partition
 * without a committed offset is left alone.
 */
#ifndef WORKER_UPKEEP_UPKEEP_H
#define WORKER_UPKEEP_UPKEEP_H

#include "worker/repository/catalog_watch.h"
#include "worker/repository/ledger_repository.h"

typedef struct Upkeep Upkeep;

/* Borrowed while it runs. */
typedef struct UpkeepSettings {
    const DatabaseSettings *database;
    const char *commands_topic;
    int retention_hours;
    int interval_ms;       /* pause between two rounds */
    CatalogWatch *catalog; /* looked at in each round; NULL: not looked at */
} UpkeepSettings;

/* Starts the thread. Fails with ERROR_FATAL. */
bool upkeep_start(const UpkeepSettings *settings, const Clock *clock, Upkeep **ret_upkeep,
                  Error *err) MUST_CHECK;

/* The group has committed `offset` for this partition of the commands topic. */
void upkeep_note_committed(Upkeep *upkeep, int32_t partition, int64_t offset);

/* One round, in the calling thread: deletes what is due, in small transactions. */
bool upkeep_round(Database *database, const LedgerExpiry *expiry, int64_t *ret_deleted,
                  Error *err) MUST_CHECK;

/* Ends the thread and frees everything, but not while the thread is inside a call to the database
 * that does not end. NULL is fine. */
void upkeep_stop(Upkeep *upkeep);

#endif

/*
 * ledger_repository: the worker's own tables: ledger, ranges of long commands, skipped rows.
 *
 * Threads:   that of its Database. Every function runs inside the caller's transaction.
 * Invariant: plain values and bytes only; what a state means is decided in worker/task.
 */
#ifndef WORKER_REPOSITORY_LEDGER_REPOSITORY_H
#define WORKER_REPOSITORY_LEDGER_REPOSITORY_H

#include "common/uuid_text.h"
#include "worker/repository/database.h"

typedef enum LedgerState {
    LEDGER_RUNNING,
    LEDGER_SUCCEEDED,
    LEDGER_FAILED,
    LEDGER_EXPIRED,
    LEDGER_BLOCKED,
    LEDGER_CANCELLED,
} LedgerState;

typedef struct LedgerRecord {
    const char *command_id;
    const char *task;
    LedgerState state;
    const char *source_topic;
    int32_t source_partition;
    int64_t source_offset;
    int64_t source_timestamp_ms;
    int replay;
    const char *worker_id;
    int64_t owner_epoch;
    int64_t now_us;      /* the command's one "now", UTC, from which its cutoffs follow */
    int64_t started_us;  /* when it was started first */
    int64_t finished_us; /* 0 while running */
    int attempts;
    bool dead_letter;    /* its publication comes with a dead letter */
    const char *content; /* a UUID: what was asked for; NULL = entered before that was noted */
    const char *reason;  /* of the dead letter; NULL = none */
    const char *result;  /* JSON; NULL while running */
} LedgerRecord;

/* Rows found, in order of the bytes of their ids, with the memory their pointers borrow; what is
 * not in `storage` is the transaction's. */
typedef struct LedgerRows {
    LedgerRecord *rows;
    size_t count;
    void *storage; /* private */
} LedgerRows;

void ledger_rows_done(LedgerRows *rows);

/* Inserts the records in order of their ids; inserted[i] tells whether records[i] was new.
 * Waits for rows in doubt; a time-out of that wait is ERROR_RETRY with code "ledger_busy" (never an
 * attempt). */
bool ledger_insert(Database *database, const LedgerRecord *records, size_t count, bool *inserted,
                   Error *err) MUST_CHECK;

/* Inserts records that have ended, no two of one id, in order of their ids: the cheapest way, for
 * commands that the ledger does not know. Fails with REASON_LEDGER_ENTERED where it knows one by
 * now; waits as ledger_insert. */
bool ledger_enter(Database *database, const LedgerRecord *records, size_t count,
                  Error *err) MUST_CHECK;

/* Reads the rows of these ids and locks them (FOR UPDATE) in order of id. The caller ends
 * `ret_rows`. */
bool ledger_lock(Database *database, const char *const *ids, size_t count, LedgerRows *ret_rows,
                 Error *err) MUST_CHECK;

/* Reads without a lock. */
bool ledger_find(Database *database, const char *const *ids, size_t count, LedgerRows *ret_rows,
                 Error *err) MUST_CHECK;

/* A row that stands under `old_id`, and comes from the record's source, gets the record's id, with
 * all that is kept of its command. */
bool ledger_rename(Database *database, const char *old_id, const LedgerRecord *record,
                   Error *err) MUST_CHECK;

/* Overwrites rows that exist (by id) with all that the records say, their source too: a replay
 * comes from elsewhere. A row that is gone is ERROR_RETRY with code "ledger_busy". */
bool ledger_update(Database *database, const LedgerRecord *records, size_t count,
                   Error *err) MUST_CHECK;

typedef enum RangeState { RANGE_RUNNING, RANGE_LAST_PASS, RANGE_DONE, RANGE_FAILED } RangeState;

enum {
    RANGE_TARGET_BYTES = 32,
    RANGE_CURSOR_BYTES = 512,
    RANGE_BOUND_BYTES = UUID_TEXT_BYTES,
    RANGE_COUNTS_MAX = 4,
};

/* A place among rows; "" = before the first. */
typedef struct LedgerCursor {
    char major[RANGE_CURSOR_BYTES];
    char minor[RANGE_CURSOR_BYTES];
} LedgerCursor;

/* Which range of a long command. */
typedef struct LedgerRangeKey {
    const char *command_id;
    const char *target;
    int range_no;
} LedgerRangeKey;

/* What one range of a long command has done so far. */
typedef struct LedgerRange {
    char target[RANGE_TARGET_BYTES]; /* what it works on: "sessions", "bookings" */
    int range_no;
    int64_t owner_epoch;
    RangeState state;
    bool by_id; /* sessions: in order of id alone; fixed when the range begins */
    /* Sessions: the users it covers, both included; "" = no bound. Fixed when the range begins. */
    char bound_low[RANGE_BOUND_BYTES];
    char bound_high[RANGE_BOUND_BYTES];
    /* In order of the windows: user_id (not by_id) or created_at, then session or booking id. In
     * the last pass: owner and item of a skipped row. */
    LedgerCursor cursor;
    int64_t rows_done;  /* rows its windows have passed */
    int64_t rows_total; /* how many there may be, estimated when it began; 0 = unknown */
    int64_t counts[RANGE_COUNTS_MAX]; /* what was done, as the target counts it */
    size_t counted;
    int64_t skipped;      /* rows that are skipped for good */
    int64_t last_pass_us; /* when the last pass began; 0 = not yet */
    char error_code[32];  /* of RANGE_FAILED */
    char error_sqlstate[ERROR_SQLSTATE_BYTES];
    char error_message[ERROR_TEXT_BYTES];
} LedgerRange;

/* Adds the range rows of a command that has just begun. */
bool ledger_range_insert(Database *database, const char *command_id, const LedgerRange *ranges,
                         size_t count, Error *err) MUST_CHECK;

/* Locks and reads all ranges of the command, always in one order, sessions before bookings.
 * More than `room` is ERROR_HOLD: a later version has begun it. */
bool ledger_range_lock_all(Database *database, const char *command_id, LedgerRange *ranges,
                           size_t room, size_t *ret_count, Error *err) MUST_CHECK;

/* Locks and reads one; *ret_found false when there is none any more. */
bool ledger_range_lock(Database *database, const LedgerRangeKey *key, LedgerRange *ret_range,
                       bool *ret_found, Error *err) MUST_CHECK;

bool ledger_range_update(Database *database, const char *command_id, const LedgerRange *range,
                         Error *err) MUST_CHECK;

/* Sets the owner epoch of the ledger row and of all its ranges; rows are locked by the caller. */
bool ledger_take_over(Database *database, const char *command_id, const char *worker_id,
                      int64_t owner_epoch, Error *err) MUST_CHECK;

/* Removes ranges, skipped rows and listed ids of a command that ended. */
bool ledger_range_delete_all(Database *database, const char *command_id, Error *err) MUST_CHECK;

/* Why a row is left as it was. */
typedef enum SkipReason {
    SKIP_LOCKED,     /* others held it all the time */
    SKIP_REFERENCED, /* a table that may reference it does */
    SKIP_TRIGGER,    /* a trigger of the application kept it, or something that goes with it */
    SKIP_ERROR,      /* PostgreSQL refused to change it */
    SKIP_REASON_COUNT,
} SkipReason;

const char *skip_reason_name(SkipReason reason);

typedef struct SkipCause {
    SkipReason reason;
    const char *sqlstate; /* "" = none, here and below */
    const char *message;
} SkipCause;

/* Skipped rows: item = session id or booking id; owner = user id or "". What is read is in the
 * transaction's memory. */
typedef struct SkippedRows {
    const char **owners;
    const char **items;
    size_t count;
    SkipCause cause; /* of those that ledger_skip is given */
} SkippedRows;

/* Rows that were skipped for one cause; borrowed. */
typedef struct SkipCount {
    SkipCause cause;
    int64_t rows;
    const char *example; /* the id of one of them; "" = unknown */
} SkipCount;

/* Keeps skipped rows for the range's last pass. Known ones stay once. At most `limit` rows a range;
 * *ret_kept tells how many of those given are in the table now. */
bool ledger_skip(Database *database, const LedgerRangeKey *key, const SkippedRows *rows, int limit,
                 size_t *ret_kept, Error *err) MUST_CHECK;

/* Counts rows of the range that are skipped for good. */
bool ledger_skip_count(Database *database, const LedgerRangeKey *key, const SkipCount *skipped,
                       Error *err) MUST_CHECK;

/* Counts, for good, the rows that are still kept for the range's last pass. */
bool ledger_skip_settle(Database *database, const LedgerRangeKey *key, int64_t *ret_count,
                        Error *err) MUST_CHECK;

/* How many rows of the target were skipped for SKIP_ERROR so far, in all its ranges. */
bool ledger_skip_errors(Database *database, const LedgerRangeKey *key, int64_t *ret_count,
                        Error *err) MUST_CHECK;

/* Why rows of the target were skipped, in the transaction's memory: the most frequent causes, at
 * most `room`. */
bool ledger_skip_reasons(Database *database, const LedgerRangeKey *key, SkipCount *counts,
                         size_t room, size_t *ret_count, Error *err) MUST_CHECK;

/* The rows kept after the cursor (owner, item), in that order, at most `limit`. */
bool ledger_skipped_list(Database *database, const LedgerRangeKey *key, const LedgerCursor *after,
                         int limit, SkippedRows *ret_rows, Error *err) MUST_CHECK;
bool ledger_skipped_count(Database *database, const LedgerRangeKey *key, int64_t *ret_count,
                          Error *err) MUST_CHECK;
bool ledger_skipped_delete(Database *database, const LedgerRangeKey *key, const char *const *items,
                           size_t count, Error *err) MUST_CHECK;

/* Ids of rows for the list in the result, in the order added, at most 1,000 a command are
 * kept. */
bool ledger_ids_add(Database *database, const char *command_id, const char *const *ids,
                    size_t count, Error *err) MUST_CHECK;
bool ledger_ids_list(Database *database, const char *command_id, SkippedRows *ret_rows,
                     Error *err) MUST_CHECK;

/* Rows that no redelivery can ask for any more: their commands lie below the committed offset of
 * this topic and partition, and ended before `before_us`. */
typedef struct LedgerExpiry {
    const char *topic;
    int32_t partition;
    int64_t committed_offset;
    int64_t before_us;
} LedgerExpiry;

/* Deletes at most `limit` of them. */
bool ledger_expire(Database *database, const LedgerExpiry *expiry, int limit, int64_t *ret_deleted,
                   Error *err) MUST_CHECK;

#endif

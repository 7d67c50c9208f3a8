/*
 * ledger_rules: what the ledger's word about an id means for a record that carries it. Pure.
 *
 * Threads: any.
 */
#ifndef WORKER_TASK_LEDGER_RULES_H
#define WORKER_TASK_LEDGER_RULES_H

#include "worker/message/command.h"
#include "worker/repository/ledger_repository.h"

typedef enum LedgerVerdict {
    LEDGER_TAKE_OVER, /* a redelivery of what still runs: go on at its cursors */
    LEDGER_PUBLISH,   /* a redelivery of what ended: its stored bytes again */
    LEDGER_ABSORB,    /* a producer's duplicate: nothing */
    LEDGER_RUN_AGAIN, /* a replay with a higher number: from nothing */
    LEDGER_CONFLICT,  /* the id of another command: rejected */
} LedgerVerdict;

LedgerVerdict ledger_decide(const LedgerRecord *row, const Command *command, const Record *source);

/* How a command that the ledger does not know starts. */
typedef enum LedgerStart {
    LEDGER_START_RUN,
    LEDGER_START_EXPIRED,
    LEDGER_START_TOO_OLD
} LedgerStart;

/* `now_us` is the database's clock. A record without a timestamp is never too old. */
LedgerStart ledger_start(const Command *command, const Record *source, int64_t now_us,
                         int retention_hours);

/* The row of the command, or NULL. Earlier versions knew an event by its id alone: such a row is
 * its own when it comes from the same record. */
const LedgerRecord *ledger_rows_find(const LedgerRows *rows, const Command *command,
                                     const Record *source);

/* A record for this command in state running, started and its one "now" taken at `now_us`, epoch 1.
 */
LedgerRecord ledger_record_new(const Command *command, const Record *source, const char *worker_id,
                               int64_t now_us);

#endif

#include "worker/pipeline/publisher/transaction_table.h"

#define TO(step)                                                                                   \
    {                                                                                              \
        TRANSACTION_##step, FATE_OPEN                                                              \
    }
#define COMMITTED(step)                                                                            \
    {                                                                                              \
        TRANSACTION_##step, FATE_COMMITTED                                                         \
    }
#define ABORTED(step)                                                                              \
    {                                                                                              \
        TRANSACTION_##step, FATE_ABORTED                                                           \
    }
#define LOOKED_UP(step)                                                                            \
    {                                                                                              \
        TRANSACTION_##step, FATE_LOOKED_UP                                                         \
    }

/* ARCHITECTURE.md explains the table. Every step has a next one for every ending, so that there is
 * no illegal move. A batch that goes through TRANSACTION_OPEN is in doubt until the look-up: no step
 * assumes that it was aborted. */
/* clang-format off */
static const TransactionMove moves[TRANSACTION_STEPS][STEP_ENDINGS] = {
    /*                       done             disconnected     again        abortable    fenced    fatal     timed out */
    [TRANSACTION_OPEN]    = {TO(INIT),        TO(INIT),        TO(OPEN),    TO(OPEN),    TO(OPEN), TO(OPEN), TO(OPEN)},
    [TRANSACTION_INIT]    = {TO(LOOKUP),      TO(LOOKUP),      TO(INIT),    TO(OPEN),    TO(OPEN), TO(OPEN), TO(OPEN)},
    [TRANSACTION_LOOKUP]  = {LOOKED_UP(IDLE), LOOKED_UP(IDLE), TO(LOOKUP),  TO(LOOKUP),  TO(OPEN), TO(OPEN), TO(LOOKUP)},
    [TRANSACTION_IDLE]    = {TO(BEGIN),       TO(BEGIN),       TO(IDLE),    TO(IDLE),    TO(OPEN), TO(OPEN), TO(IDLE)},
    [TRANSACTION_BEGIN]   = {TO(PRODUCE),     TO(PRODUCE),     TO(BEGIN),   TO(ABORT),   TO(OPEN), TO(OPEN), TO(OPEN)},
    [TRANSACTION_PRODUCE] = {TO(OFFSETS),     TO(OFFSETS),     TO(PRODUCE), TO(ABORT),   TO(OPEN), TO(OPEN), TO(ABORT)},
    [TRANSACTION_OFFSETS] = {TO(DELIVER),     TO(DELIVER),     TO(OFFSETS), TO(ABORT),   TO(OPEN), TO(OPEN), TO(ABORT)},
    [TRANSACTION_DELIVER] = {TO(COMMIT),      TO(COMMIT),      TO(DELIVER), TO(ABORT),   TO(OPEN), TO(OPEN), TO(ABORT)},
    [TRANSACTION_COMMIT]  = {COMMITTED(IDLE), COMMITTED(OPEN), TO(COMMIT),  TO(ABORT),   TO(OPEN), TO(OPEN), TO(OPEN)},
    [TRANSACTION_ABORT]   = {ABORTED(IDLE),   TO(OPEN),        TO(ABORT),   TO(OPEN),    TO(OPEN), TO(OPEN), TO(OPEN)},
};
/* clang-format on */

TransactionMove
transaction_move(TransactionStep step, TransactionEnding ending)
{
    return moves[step][ending];
}

const char *
transaction_step_name(TransactionStep step)
{
    static const char *const names[] = {
        [TRANSACTION_OPEN] = "open",       [TRANSACTION_INIT] = "init",
        [TRANSACTION_LOOKUP] = "lookup",   [TRANSACTION_IDLE] = "idle",
        [TRANSACTION_BEGIN] = "begin",     [TRANSACTION_PRODUCE] = "produce",
        [TRANSACTION_OFFSETS] = "offsets", [TRANSACTION_DELIVER] = "deliver",
        [TRANSACTION_COMMIT] = "commit",   [TRANSACTION_ABORT] = "abort",
        [TRANSACTION_STEPS] = "",
    };
    return names[step];
}

const char *
transaction_ending_name(TransactionEnding ending)
{
    static const char *const names[] = {
        [STEP_DONE] = "done",           [STEP_DISCONNECTED] = "disconnected",
        [STEP_AGAIN] = "again",         [STEP_ABORTABLE] = "abortable",
        [STEP_FENCED] = "fenced",       [STEP_FATAL] = "fatal",
        [STEP_TIMED_OUT] = "timed_out", [STEP_ENDINGS] = "",
    };
    return names[ending];
}

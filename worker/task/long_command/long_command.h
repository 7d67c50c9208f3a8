/*
 * long_command: what the rest of worker/task needs of long commands.
 *
 * Threads: no executor claims any of the long command.
 */
#ifndef WORKER_TASK_LONG_COMMAND_LONG_COMMAND_H
#define WORKER_TASK_LONG_COMMAND_LONG_COMMAND_H

#include "worker/task/outcome.h"

/* Ends a command that is given up while it is under way, as its ledger row says, which the caller
 * has locked: with what it had done, in the caller's transaction. TASK_OWNERSHIP_LOST when another
 * worker goes on with it by now. */
bool long_command_end_failed(const TaskEntry *entry, const LedgerRecord *row,
                             const TaskFailure *failure, Error *err) MUST_CHECK;

#endif

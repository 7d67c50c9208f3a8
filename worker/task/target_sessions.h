/*
 * target_sessions: the sessions of inactive users, for the set of per-user commands too.
 *
 * Threads: any.
 */
#ifndef WORKER_TASK_TARGET_SESSIONS_H
#define WORKER_TASK_TARGET_SESSIONS_H

#include "worker/repository/session_repository.h"
#include "worker/task/target.h"

/* What session_delete_locked or session_count found, as the target counts it. */
Tally target_sessions_tally(const SessionCounts *counts);

#endif

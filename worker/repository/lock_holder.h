/*
 * lock_holder: who holds a lock on a whole table, as far as the worker's role may see.
 *
 * Threads: that of its Database.
 */
#ifndef WORKER_REPOSITORY_LOCK_HOLDER_H
#define WORKER_REPOSITORY_LOCK_HOLDER_H

#include "worker/repository/database.h"

/* Texts are in the transaction's memory; NULL = none, or not for this role. */
typedef struct LockHolder {
    int64_t pid; /* 0 = nobody holds one now */
    const char *application;
    int64_t seconds;       /* since its transaction began */
    const char *statement; /* its first words: what kind of statement, never the text */
    const char *table;
} LockHolder;

/* Within a transaction. */
bool lock_holder_find(Database *database, LockHolder *ret_holder, Error *err) MUST_CHECK;

#endif

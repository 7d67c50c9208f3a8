/*
 * schema_repository: the worker's own schema and its versions.
 *
 * Threads: that of the Database.
 */
#ifndef WORKER_REPOSITORY_SCHEMA_REPOSITORY_H
#define WORKER_REPOSITORY_SCHEMA_REPOSITORY_H

#include "worker/repository/database.h"

/* Brings schema cleanup_worker to this build's version, under an advisory lock, one transaction a
 * version; safe to run twice and from two places at once. A newer schema is refused (ERROR_REJECT).
 * Returns the versions before and after. */
bool schema_migrate(Database *database, int *ret_before, int *ret_after, Error *err) MUST_CHECK;

#endif

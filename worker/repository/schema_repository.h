/*
 * schema_repository: the worker's own schema (versions) and what it requires of the application's.
 */
#ifndef WORKER_REPOSITORY_SCHEMA_REPOSITORY_H
#define WORKER_REPOSITORY_SCHEMA_REPOSITORY_H

#include "worker/repository/database.h"

/* Brings schema cleanup_worker to this build's version, under an advisory lock, one transaction a
 * version; safe to run twice and from two places at once. A newer schema is refused (ERROR_REJECT).
 * Returns the versions before and after. */
bool schema_migrate(Database *database, int *ret_before, int *ret_after, Error *err) MUST_CHECK;

/* Fails with ERROR_REJECT and a text that names what is missing and the statement to run: the
 * worker's schema (absent, older, newer), a table, a column, a label of the booking status, a
 * privilege, a foreign key that is missing, not valid or deferrable, an unlisted table that
 * references sessions. A lost connection is ERROR_HOLD. */
bool schema_check(Database *database, Error *err) MUST_CHECK;

#endif

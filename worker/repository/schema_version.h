/*
 * schema_version: which version the worker's own schema has; private to the schema repository.
 *
 * Threads: that of the Database.
 */
#ifndef WORKER_REPOSITORY_SCHEMA_VERSION_H
#define WORKER_REPOSITORY_SCHEMA_VERSION_H

#include "worker/repository/database.h"

/* Version 0 = none. *ret_readable false: it is there, but this role may not look. */
bool schema_version_read(Database *database, bool *ret_readable, int *ret_version,
                         Error *err) MUST_CHECK;

#endif

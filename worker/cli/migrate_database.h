/*
 * migrate_database: `migrate --grant-to` and `--app-indexes`: what mends the application's tables.
 *
 * Owns:      nothing.
 * Threads:   the main thread.
 * Invariant: only what a walk finds missing is made; each statement is printed before it runs.
 */
#ifndef WORKER_CLI_MIGRATE_DATABASE_H
#define WORKER_CLI_MIGRATE_DATABASE_H

#include "common/findings.h"
#include "worker/repository/database.h"

/* Gives the role what a worker needs; adds to `left` what it still lacks. */
bool migrate_grant(Database *database, const char *role, Findings *left, Error *err) MUST_CHECK;

/* Creates the indexes that are missing, concurrently; adds to `left` those that still are. Fails
 * when the walk cannot look for them before something else is mended. */
bool migrate_indexes(Database *database, Findings *left, Error *err) MUST_CHECK;

#endif

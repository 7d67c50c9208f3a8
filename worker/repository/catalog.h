/*
 * catalog: one walk over what the worker needs of the database: server, its own schema, the
 * application's tables. It finds everything that is amiss at once, each with the statement that
 * mends it, and changes nothing.
 *
 * Threads:   that of the Database.
 * Invariant: between two walks of one database the order of findings is the same.
 */
#ifndef WORKER_REPOSITORY_CATALOG_H
#define WORKER_REPOSITORY_CATALOG_H

#include "common/findings.h"
#include "worker/repository/database.h"

/* What alone waits for a finding; Finding.concerns. */
#define CATALOG_SESSIONS "sessions"
#define CATALOG_BOOKINGS "bookings"

typedef struct CatalogNeeds {
    bool is_start; /* looks also at what cannot change while a worker runs */
} CatalogNeeds;

/* Adds what it finds, also what is fine. Outside a transaction. Fails when there is no connection
 * or the catalog cannot be read; what was found before stays. */
bool catalog_walk(Database *database, const CatalogNeeds *needs, Findings *findings,
                  Error *err) MUST_CHECK;

/* Adds a finding for each privilege that `role` lacks; none when it lacks none. */
bool catalog_find_privileges(Database *database, const char *role, Findings *findings,
                             Error *err) MUST_CHECK;

/* Executes the statements of these findings, each for itself, with no limit of time; adds to
 * `ret_failed` a finding for each that fails. Fails when the connection is lost. */
bool catalog_mend(Database *database, const Findings *findings, int64_t *ret_done,
                  Findings *ret_failed, Error *err) MUST_CHECK;

/* A text that changes when a foreign key to one of the tables, a trigger, a child or a publication
 * of them comes, goes or is switched. The database is connected; in a transaction or not. */
enum {
    CATALOG_FINGERPRINT_BYTES = 33,
};
bool catalog_fingerprint(Database *database, char ret_fingerprint[CATALOG_FINGERPRINT_BYTES],
                         Error *err) MUST_CHECK;

#endif

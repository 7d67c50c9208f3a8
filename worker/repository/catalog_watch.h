/*
 * catalog_watch: what has become worse in the database since the worker's good start. It holds what
 * it concerns until it is mended.
 *
 * Owns:      what was amiss at the start, and what is now.
 * Threads:   any, each with its own Database; no lock is held while PostgreSQL works.
 * Invariant: what was a warning at the start never holds, however grave it has become.
 */
#ifndef WORKER_REPOSITORY_CATALOG_WATCH_H
#define WORKER_REPOSITORY_CATALOG_WATCH_H

#include "worker/repository/catalog.h"

typedef struct CatalogWatch CatalogWatch;

/* `start`: the walk that let the worker start; copied. `clock` is borrowed. */
bool catalog_watch_new(const Findings *start, const Clock *clock, CatalogWatch **ret_watch,
                       Error *err) MUST_CHECK;
void catalog_watch_free(CatalogWatch *watch); /* NULL is harmless */

/* How much is looked at before something is done. */
typedef enum CatalogWatchFor {
    CATALOG_WATCH_SET,   /* foreign keys and triggers, once a second */
    CATALOG_WATCH_BATCH, /* foreign keys and triggers, each time */
    CATALOG_WATCH_BEGIN, /* the same, and all of it once a second */
} CatalogWatchFor;

/* Fails with ERROR_HOLD that names what has become worse for `part` (a CATALOG_… word; NULL:
 * only what concerns everything), or when there is no connection. While something holds, all of it
 * is looked at again once a second. Outside a transaction; a NULL watch lets everything pass. */
bool catalog_watch_check(CatalogWatch *watch, Database *database, const char *part,
                         CatalogWatchFor use, Error *err) MUST_CHECK;

/* Looks at all of it now. *ret_news: what holds is not what held before; then *ret_first tells the
 * first of it, its text "" when nothing holds any more. */
bool catalog_watch_look(CatalogWatch *watch, Database *database, bool *ret_news, Error *ret_first,
                        Error *err) MUST_CHECK;

#endif

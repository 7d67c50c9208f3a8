/*
 * completions: what executors and publisher tell the coordinator.
 *
 * Owns:      the completions not yet taken, the first fatal error, the descriptor that wakes the
 *            coordinator.
 * Threads:   posting completions: the publisher; failing: any; taking: the coordinator.
 */
#ifndef WORKER_PIPELINE_QUEUE_COMPLETIONS_H
#define WORKER_PIPELINE_QUEUE_COMPLETIONS_H

#include "worker/pipeline/queue/lane.h"

#include <sys/queue.h>

/* Commands of a lane have ended: their results were delivered, or none was due, and their offsets
 * are finished. */
typedef struct Completion {
    Lane *lane; /* a reference that counts as busy */
    size_t commands;
    size_t size_bytes; /* of all of them */
    STAILQ_ENTRY(Completion) entry;
} Completion;

/* Begins with STAILQ_INIT. */
typedef STAILQ_HEAD(CompletionList, Completion) CompletionList;

/* A command more; those of one lane become one completion. Takes a reference of its own to the
 * lane. False when out of memory. */
bool completion_list_add(CompletionList *list, Lane *lane, size_t size_bytes) MUST_CHECK;
/* NULL when the list is empty; the caller ends it with completion_free. */
Completion *completion_list_take(CompletionList *list) MUST_CHECK;
void completion_free(Completion *completion); /* NULL is harmless */

typedef struct Completions Completions;

bool completions_new(Completions **ret_completions, Error *err) MUST_CHECK;
void completions_free(Completions *completions); /* NULL is harmless */

/* Posts all of them at once, which wakes the coordinator once; empties the list. */
void completions_post(Completions *completions, CompletionList *list);

/* This process cannot go on; the first error counts. */
void completions_fail(Completions *completions, const Error *err);

int completions_fd(const Completions *completions); /* readable when there is something */

/* Moves all so far to the end of `list`, oldest first. Makes the descriptor unreadable. */
void completions_take(Completions *completions, CompletionList *list);

/* False, and `err` filled, after completions_fail. */
bool completions_check(Completions *completions, Error *err) MUST_CHECK;

#endif

/*
 * completions: what executors and publisher tell the coordinator.
 *
 * Owns:      the reports not yet taken, the first fatal error, the descriptor that wakes the
 * coordinator.
 * Threads:   posting: any; taking: the coordinator.
 */
#ifndef WORKER_PIPELINE_QUEUE_COMPLETIONS_H
#define WORKER_PIPELINE_QUEUE_COMPLETIONS_H

#include "worker/pipeline/queue/lane.h"

/* A command is done with: its result was delivered, or none was due. */
typedef struct Completion {
    Lane *lane; /* a reference */
    int64_t offset;
    size_t size_bytes;
    struct Completion *next;
} Completion;

typedef struct Completions Completions;

bool completions_new(Completions **ret_inbox, Error *err) MUST_CHECK;
void completions_free(Completions *completions); /* NULL is harmless */

/* Reports on their way into the completions. */
typedef struct CompletionList {
    Completion *first;
    Completion *last;
} CompletionList;

/* Takes a reference of its own to the lane. False when out of memory. */
bool completion_list_add(CompletionList *list, Lane *lane, int64_t offset,
                         size_t size_bytes) MUST_CHECK;

/* Posts all of them at once, which wakes the coordinator once; empties the list. */
void completions_post(Completions *completions, CompletionList *list);

/* This process cannot go on; the first error counts. */
void completions_fail(Completions *completions, const Error *err);

int completions_fd(const Completions *completions); /* readable when there is something */

/* All reports so far, oldest first; the caller ends each with completion_free. Makes the descriptor
 * unreadable. */
Completion *completions_take(Completions *completions) MUST_CHECK;
void completion_free(Completion *completion);

/* False, and `err` filled, once somebody called completions_fail. */
bool completions_check(Completions *completions, Error *err) MUST_CHECK;

#endif

/*
 * inbox: what executors and publisher tell the coordinator.
 *
 * Owns:      the reports not yet taken, the first fatal error, the descriptor that wakes the
 * coordinator.
 * Threads:   posting: any; taking: the coordinator.
 */
#ifndef WORKER_PIPELINE_INBOX_H
#define WORKER_PIPELINE_INBOX_H

#include "worker/pipeline/lane.h"

/* A command is done with: its result was delivered, or none was due. */
typedef struct Report {
    Lane *lane; /* a reference */
    int64_t offset;
    size_t size_bytes;
    struct Report *next;
} Report;

typedef struct Inbox Inbox;

bool inbox_new(Inbox **ret_inbox, Error *err) MUST_CHECK;
void inbox_free(Inbox *inbox); /* NULL is harmless */

/* Reports on their way into the inbox. */
typedef struct ReportList {
    Report *first;
    Report *last;
} ReportList;

/* Takes a reference of its own to the lane. False when out of memory. */
bool report_list_add(ReportList *list, Lane *lane, int64_t offset, size_t size_bytes) MUST_CHECK;

/* Posts all of them at once, which wakes the coordinator once; empties the list. */
void inbox_post(Inbox *inbox, ReportList *list);

/* This process cannot go on; the first error counts. */
void inbox_fail(Inbox *inbox, const Error *err);

int inbox_fd(const Inbox *inbox); /* readable when there is something */

/* All reports so far, oldest first; the caller ends each with report_free. Makes the descriptor
 * unreadable. */
Report *inbox_take(Inbox *inbox) MUST_CHECK;
void report_free(Report *report);

/* False, and `err` filled, once somebody called inbox_fail. */
bool inbox_check(Inbox *inbox, Error *err) MUST_CHECK;

#endif

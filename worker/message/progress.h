/*
 * progress: the wire contract of how far a long command has come. Pure; no I/O.
 *
 * Threads:   any.
 * Invariant: the same Progress gives the same bytes.
 */
#ifndef WORKER_MESSAGE_PROGRESS_H
#define WORKER_MESSAGE_PROGRESS_H

#include "worker/message/event.h"

/* Pointers are borrowed. */
typedef struct Progress {
    const char *command_id;
    const char *task; /* canonical */
    int64_t number;   /* the <k> of the event's id; grows */
    int64_t rows_done;
    int64_t rows_total; /* an estimate; 0 = unknown, and null in the JSON */
    double rows_per_second;
    const char *worker_id;
    int64_t started_at_us;
    int64_t updated_at_us;
} Progress;

/* Prints it as JSON on one line. The caller frees it. NULL when out of memory. */
char *progress_print(const Progress *progress) MUST_CHECK;

/* The record for the results topic: key and headers as a result's, but ce_type
 * "cleanup.progress.v1" and ce_id "<command id>/progress/<number>"; the content's time is
 * updated_at_us. `source` is the command's record. It borrows as
 * event_record does. NULL when out of memory. */
Record *progress_record(const char *topic, const EventContent *content, int64_t number,
                        const Record *source) MUST_CHECK;

/* Readers of the results topic tell a progress from a result by its ce_type. */
bool progress_is_record(const Record *record);

#endif

/*
 * event: the record of a CloudEvents 1.0 event, binary mode: what results and progress are.
 *
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_EVENT_H
#define WORKER_MESSAGE_EVENT_H

#include "common/record.h"

enum {
    EVENT_ID_BYTES = 160,
};

/* What was said of a command, by which worker and when. Pointers are borrowed. */
typedef struct EventContent {
    const char *command_id; /* the record's key */
    const char *event_id;   /* what the event's id is, or begins with */
    const char *worker_id;  /* its source is "cleanup-worker/<worker id>" */
    int64_t time_us;
    const char *json;
} EventContent;

/* The record for `topic`: key, the ce_… headers, content-type, and the traceparent and tracestate
 * of `command`, 8 KiB together at most; "cleanup-headers-dropped" names what was larger. It
 * borrows all but `id` and the worker's, and is freed by record_free. NULL when out of memory. */
Record *event_record(const char *topic, const char *id, const char *type,
                     const EventContent *content, const Record *command) MUST_CHECK;

/* Whether the record's ce_type is `type`. */
bool event_has_type(const Record *record, const char *type);

#endif

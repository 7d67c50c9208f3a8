/*
 * event: the record of a CloudEvents 1.0 event, binary mode: what results and progress are.
 *
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_EVENT_H
#define WORKER_MESSAGE_EVENT_H

#include "common/record.h"

/* Pointers are borrowed. */
typedef struct Event {
    const char *id;
    const char *type;
    int64_t time_us;
    const char *worker_id; /* its source is "cleanup-worker/<worker id>" */
    const char *key;
    const char *json;
} Event;

/* The record for `topic`: key, the ce_… headers, content-type, and the traceparent and tracestate
 * of `command`. All is copied. NULL when out of memory. */
Record *event_record(const char *topic, const Event *event, const Record *command) MUST_CHECK;

/* Whether the record's ce_type is `type`. */
bool event_has_type(const Record *record, const char *type);

#endif

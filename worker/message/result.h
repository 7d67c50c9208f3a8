/*
 * result: the wire contract of what goes out. A pure function from plain values to bytes; no I/O.
 *
 * Owns:      nothing but what a function returns.
 * Threads:   any.
 * Invariant: the same Result gives the same bytes, and never more than RESULT_MAX_BYTES.
 */
#ifndef WORKER_MESSAGE_RESULT_H
#define WORKER_MESSAGE_RESULT_H

#include "common/arena.h"
#include "worker/message/command.h"
#include "worker/message/event.h"

enum {
    RESULT_MAX_BYTES = 512 * 1024,
    RESULT_LIST_MAX_BYTES =
        400 * 1024, /* the lists of `data` are cut here, so that the rest has room */
};

typedef enum ResultStatus {
    RESULT_SUCCEEDED,
    RESULT_FAILED,
    RESULT_REJECTED,
    RESULT_EXPIRED,
    RESULT_BLOCKED,
    RESULT_CANCELLED,
} ResultStatus;

/* All pointers are borrowed; NULL means null in the JSON, or absent where the contract says so. */
typedef struct Result {
    const char *command_id;
    const char *task; /* canonical; of a rejection the name that was sent, or NULL */
    const char *deprecated_task;
    ResultStatus status;
    const char *message;
    const char *data; /* a JSON value */
    bool has_error;
    ErrorCode error_code;
    const char *error_message;
    const char *error_sqlstate; /* "" counts as NULL */
    int attempts;
    const char *worker_id;
    const char *requested_by;
    bool has_requested_at;
    int64_t requested_at_us;
    bool has_started_at;
    int64_t started_at_us;
    int64_t finished_at_us;
    const char *source_topic;
    int32_t source_partition;
    int64_t source_offset;
    int replay; /* 0: left out */
} Result;

/* Prints the result as JSON on one line. NULL when out of memory. */
char *result_print(Arena *arena, const Result *result) MUST_CHECK;

/* "succeeded" and so on; static. */
const char *result_status_name(ResultStatus status);

/* Fills the fields that come from the command itself (all but status, message, data, error, times,
 * attempts). */
void result_from_command(const Command *command, const Record *source, const char *worker_id,
                         Result *ret_result);

/* The result of a rejection: data null, attempts 0, message "Rejected: …"; times are the worker's.
 * NULL when out of memory. */
char *result_print_rejection(Arena *arena, const Rejection *rejection, const Record *source,
                             const char *worker_id, int64_t received_at_us,
                             int64_t finished_at_us) MUST_CHECK;

/* The record for the results topic: key, the ce_… headers (the content's time is finished_at_us),
 * content-type, and the command's traceparent and tracestate from `source`. It borrows as
 * event_record does. NULL when out of memory. */
Record *result_record(const char *topic, const EventContent *content, int replay,
                      const Record *source) MUST_CHECK;

#endif

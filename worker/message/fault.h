/*
 * fault: why a record is no command, as an error code and a sentence.
 *
 * Owns:    a Fault owns its message.
 * Threads: any; one Fault belongs to one thread at a time.
 */
#ifndef WORKER_MESSAGE_FAULT_H
#define WORKER_MESSAGE_FAULT_H

#include "common/macros.h"
#include "worker/message/error_code.h"

#include <stdbool.h>

typedef struct Fault {
    bool set;
    ErrorCode code;
    char *message; /* NULL when out of memory */
} Fault;

/* Fills the fault and returns false. */
bool fault_set(Fault *fault, ErrorCode code, const char *format, ...) PRINTF_LIKE(3, 4);

enum {
    FAULT_QUOTE_BYTES = 72,
};

/* Writes `text` as it may stand in a sentence: "?" for control characters, and when it is long cut
 * between characters, with "…". Returns `buffer`. */
const char *fault_quote(const char *text, char buffer[FAULT_QUOTE_BYTES]);

#endif

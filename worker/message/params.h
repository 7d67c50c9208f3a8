/*
 * params: which params each task takes, their forms, ranges and defaults: one table.
 *
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_PARAMS_H
#define WORKER_MESSAGE_PARAMS_H

#include "worker/message/command.h"

#include <cjson/cJSON.h>

/* Why a command is rejected; the message is owned. */
typedef struct Fault {
    bool set;
    ErrorCode code;
    char *message;
} Fault;

/* Fills the fault and returns false. */
bool fault_set(Fault *fault, ErrorCode code, const char *format, ...) PRINTF_LIKE(3, 4);

enum {
    FAULT_QUOTE_BYTES = 72,
};

/* Writes `text` as it may stand in a sentence: "?" for control characters, and when it is long cut
 * between characters, with "…". Returns `buffer`. */
const char *fault_quote(const char *text, char buffer[FAULT_QUOTE_BYTES]);

/* Reads `object` (NULL: none given) for the task, defaults included, and checks the operator's
 * floors. */
bool params_read(CommandTask task, const cJSON *object, const CommandFloors *floors,
                 CommandParams *ret_params, Fault *fault) MUST_CHECK;

/* What was sent, as JSON cut to a readable length, for a sentence. Owned by the caller; never NULL
 * unless out of memory. */
char *params_show(const cJSON *value) MUST_CHECK;

#endif

/*
 * limits: the sizes of the wire contract for what comes in.
 */
#ifndef WORKER_MESSAGE_LIMITS_H
#define WORKER_MESSAGE_LIMITS_H

enum {
    COMMAND_ID_MAX = 64,
    COMMAND_VALUE_MAX_BYTES = 64 * 1024,
    COMMAND_JSON_MAX_DEPTH = 16,
    COMMAND_REQUESTED_BY_MAX = 256,
    COMMAND_PREVIEW_LIMIT_MAX = 1000,
};

#endif

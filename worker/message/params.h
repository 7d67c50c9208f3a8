/*
 * params: which params each task takes, their forms, ranges and defaults: one table.
 *
 * Threads:   any.
 * Invariant: what params_read fills is complete: every param of the task is set and checked.
 */
#ifndef WORKER_MESSAGE_PARAMS_H
#define WORKER_MESSAGE_PARAMS_H

#include "common/uuid_text.h"
#include "worker/message/task_name.h"

struct cJSON;

/* Params that a task does not take hold their zero value. */
typedef struct CommandParams {
    char user_id[UUID_TEXT_BYTES]; /* lower case; "" = none */
    double inactive_hours;
    double expiration_minutes;
    int limit;
    bool dry_run;
} CommandParams;

/* The operator's floors (limits.min_…). */
typedef struct CommandFloors {
    double min_inactive_hours;
    double min_expiration_minutes;
} CommandFloors;

/* Reads `object` (NULL: none given) for the task, defaults included, and checks the operator's
 * floors. */
bool params_read(CommandTask task, const struct cJSON *object, const CommandFloors *floors,
                 CommandParams *ret_params, Fault *fault) MUST_CHECK;

/* The name of the param at `index` among those that the task takes; NULL after the last. Static. */
const char *params_name(CommandTask task, size_t index);

#endif

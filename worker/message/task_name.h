/*
 * task_name: the tasks, their canonical names and the old ones that go on working.
 *
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_TASK_NAME_H
#define WORKER_MESSAGE_TASK_NAME_H

#include "worker/message/fault.h"

typedef enum CommandTask {
    COMMAND_CLEANUP_INACTIVE_SESSIONS,
    COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER,
    COMMAND_GET_INACTIVE_SESSIONS_PREVIEW,
    COMMAND_EXPIRE_PENDING_BOOKINGS,
    COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW,
    COMMAND_SCHEDULED_CLEANUP,
    COMMAND_TASK_COUNT,
} CommandTask;

typedef struct TaskName {
    CommandTask task;
    bool is_canonical;
    bool is_deprecated; /* the result names it */
} TaskName;

/* "cleanup_inactive_sessions" and so on; static. */
const char *command_task_name(CommandTask task);

/* Reads any name a producer may send: canonical, old, or a dotted path that ends in one of these.
 */
bool task_name_read(const char *name, TaskName *ret_name, Fault *fault) MUST_CHECK;

#endif

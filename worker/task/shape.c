#include "worker/task/task.h"

#include <stdio.h>

TaskShape
task_shape(const Command *command)
{
    switch (command->task) {
    case COMMAND_GET_INACTIVE_SESSIONS_PREVIEW:
    case COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW:
        return TASK_SHAPE_READ;
    case COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER:
        return command->params.dry_run ? TASK_SHAPE_READ : TASK_SHAPE_SET;
    case COMMAND_CLEANUP_INACTIVE_SESSIONS:
    case COMMAND_EXPIRE_PENDING_BOOKINGS:
    case COMMAND_SCHEDULED_CLEANUP:
        return command->params.dry_run ? TASK_SHAPE_READ : TASK_SHAPE_LONG_COMMAND;
    case COMMAND_TASK_COUNT:
        break;
    }
    return TASK_SHAPE_LONG_COMMAND;
}

/* A replay runs in a unit of its own. */
void
task_share_key(const Command *command, char ret_key[TASK_SHARE_KEY_BYTES])
{
    const CommandParams *params = &command->params;
    ret_key[0] = '\0';
    if (task_shape(command) != TASK_SHAPE_LONG_COMMAND || command->replay > 0)
        return;
    (void)snprintf(ret_key, TASK_SHARE_KEY_BYTES, "%d %.17g %.17g", (int)command->task,
                   params->inactive_hours, params->expiration_minutes);
}

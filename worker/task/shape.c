#include "worker/task/task.h"

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
        return command->params.dry_run ? TASK_SHAPE_READ : TASK_SHAPE_CHAIN;
    case COMMAND_TASK_COUNT:
        break;
    }
    return TASK_SHAPE_CHAIN;
}

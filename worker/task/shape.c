#include "worker/task/kind.h"

#include <stdio.h>

TaskShape
task_shape(const Command *command)
{
    return command->params.dry_run ? TASK_SHAPE_READ : task_kind(command)->shape;
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

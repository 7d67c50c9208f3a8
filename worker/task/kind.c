#include "worker/task/kind.h"

static const TaskKind kinds[COMMAND_TASK_COUNT] = {
    [COMMAND_CLEANUP_INACTIVE_SESSIONS] = {TASK_SHAPE_LONG_COMMAND,
                                           {&target_sessions},
                                           1,
                                           "Error cleaning up inactive sessions"},
    [COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER] = {TASK_SHAPE_SET,
                                                    {&target_sessions},
                                                    1,
                                                    "Error cleaning up inactive sessions"},
    [COMMAND_GET_INACTIVE_SESSIONS_PREVIEW] = {TASK_SHAPE_READ,
                                               {&target_sessions},
                                               1,
                                               "Error getting inactive sessions preview"},
    [COMMAND_EXPIRE_PENDING_BOOKINGS] = {TASK_SHAPE_LONG_COMMAND,
                                         {&target_bookings},
                                         1,
                                         "Error expiring pending bookings"},
    [COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW] = {TASK_SHAPE_READ,
                                              {&target_bookings},
                                              1,
                                              "Error getting expired bookings preview"},
    [COMMAND_SCHEDULED_CLEANUP] = {TASK_SHAPE_LONG_COMMAND,
                                   {&target_sessions, &target_bookings},
                                   2,
                                   "Error cleaning up inactive sessions"},
};

const TaskKind *
task_kind(const Command *command)
{
    return &kinds[command->task];
}

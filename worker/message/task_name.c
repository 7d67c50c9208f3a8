#include "worker/message/task_name.h"

#include <string.h>

static const char *const names[COMMAND_TASK_COUNT] = {
    [COMMAND_CLEANUP_INACTIVE_SESSIONS] = "cleanup_inactive_sessions",
    [COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER] = "cleanup_inactive_sessions_for_user",
    [COMMAND_GET_INACTIVE_SESSIONS_PREVIEW] = "get_inactive_sessions_preview",
    [COMMAND_EXPIRE_PENDING_BOOKINGS] = "expire_pending_bookings",
    [COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW] = "get_expired_bookings_preview",
    [COMMAND_SCHEDULED_CLEANUP] = "scheduled_cleanup",
};

static const struct {
    const char *name;
    CommandTask task;
} old_names[] = {
    {"run_cleanup_now", COMMAND_SCHEDULED_CLEANUP},
    {"run_booking_expiration_now", COMMAND_EXPIRE_PENDING_BOOKINGS},
};

/* The module that was the preferred one: its paths are not called deprecated. */
#define PREFERRED_PATH "app.tasks.cleanup_tasks."

const char *
command_task_name(CommandTask task)
{
    return names[task];
}

static bool
find_name(const char *name, CommandTask *ret_task)
{
    for (int task = 0; task < COMMAND_TASK_COUNT; task++) {
        if (strcmp(names[task], name) == 0) {
            *ret_task = (CommandTask)task;
            return true;
        }
    }
    return false;
}

static bool
find_old_name(const char *name, CommandTask *ret_task)
{
    for (size_t i = 0; i < ARRAY_LEN(old_names); i++) {
        if (strcmp(old_names[i].name, name) == 0) {
            *ret_task = old_names[i].task;
            return true;
        }
    }
    return false;
}

static bool
is_scheduler_name(const char *name)
{
    return strstr(name, "cleanup_scheduler") != NULL || strcmp(name, "start_scheduler") == 0 ||
           strcmp(name, "stop_scheduler") == 0;
}

static bool
is_dotted_path(const char *name)
{
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.") ==
               strlen(name) &&
           name[0] != '.' && strstr(name, "..") == NULL;
}

bool
task_name_read(const char *name, TaskName *ret_name, Fault *fault)
{
    TaskName read = {.is_canonical = true};
    if (find_name(name, &read.task)) {
        *ret_name = read;
        return true;
    }
    char quoted[FAULT_QUOTE_BYTES];
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;
    const bool known_last = find_name(last, &read.task) || find_old_name(last, &read.task);
    if (is_scheduler_name(last))
        return fault_set(fault, ERROR_CODE_UNKNOWN_TASK,
                         "%s is no command any more: repeating clean-ups are set up in the "
                         "section [schedule] of the worker's configuration",
                         fault_quote(name, quoted));
    if (!known_last || !is_dotted_path(name))
        return fault_set(fault, ERROR_CODE_UNKNOWN_TASK, "there is no task \"%s\"",
                         fault_quote(name, quoted));
    read.is_canonical = false;
    read.is_deprecated = strncmp(name, PREFERRED_PATH, strlen(PREFERRED_PATH)) != 0;
    *ret_name = read;
    return true;
}

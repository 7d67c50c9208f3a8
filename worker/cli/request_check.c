#include "worker/cli/request_check.h"

#include "common/nearest.h"
#include "worker/message/command.h"
#include "worker/message/params.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { HINT_BYTES = 96 };

static void
delete_json(cJSON **json)
{
    cJSON_Delete(*json);
}

static const char *
task_hint(const char *task, char text[HINT_BYTES])
{
    Nearest nearest;
    nearest_begin(&nearest, task);
    for (int i = 0; i < COMMAND_TASK_COUNT; i++) {
        const char *name = command_task_name((CommandTask)i);
        (void)nearest_offer(&nearest, name, name);
    }
    return nearest_hint(&nearest, text, HINT_BYTES);
}

static bool
takes(CommandTask task, const char *param)
{
    const char *name;
    for (size_t i = 0; (name = params_name(task, i)) != NULL; i++) {
        if (strcmp(name, param) == 0)
            return true;
    }
    return false;
}

static bool
find_task(const char *name, CommandTask *ret_task)
{
    for (int i = 0; i < COMMAND_TASK_COUNT; i++) {
        if (strcmp(command_task_name((CommandTask)i), name) == 0) {
            *ret_task = (CommandTask)i;
            return true;
        }
    }
    return false;
}

/* Of the first param that the task does not take: the one that the sentence names. */
static const char *
param_hint(const Request *request, const char *task_name, char text[HINT_BYTES])
{
    CLEANUP(delete_json) cJSON *command = cJSON_Parse(request->json);
    const cJSON *param = cJSON_GetObjectItemCaseSensitive(command, "params");
    CommandTask task;
    text[0] = '\0';
    if (!find_task(task_name, &task))
        return text;
    for (param = param != NULL ? param->child : NULL; param != NULL; param = param->next) {
        if (takes(task, param->string))
            continue;
        Nearest nearest;
        nearest_begin(&nearest, param->string);
        const char *name;
        for (size_t i = 0; (name = params_name(task, i)) != NULL; i++)
            (void)nearest_offer(&nearest, name, name);
        return nearest_hint(&nearest, text, HINT_BYTES);
    }
    return text;
}

static bool
refuse(const Request *request, const Rejection *rejection, Error *err)
{
    char text[HINT_BYTES] = "";
    const char *hint = text;
    if (rejection->code == ERROR_CODE_UNKNOWN_TASK && rejection->task != NULL)
        hint = task_hint(rejection->task, text);
    else if (rejection->code == ERROR_CODE_UNKNOWN_PARAM && rejection->task != NULL)
        hint = param_hint(request, rejection->task, text);
    return error_set(err, REASON_USAGE, "%s%s", rejection->message, hint);
}

bool
request_check(const Request *request, Error *err)
{
    static const CommandFloors no_floors = {0};
    const Record record = {
        .topic = "", .partition = -1, .offset = -1, .value = BYTES_TEXT(request->json)};
    Command command;
    Rejection rejection;
    switch (command_parse(&record, &no_floors, &command, &rejection)) {
    case COMMAND_ACCEPTED:
        command_done(&command);
        return true;
    case COMMAND_REJECTED:
        (void)refuse(request, &rejection, err);
        rejection_done(&rejection);
        return false;
    case COMMAND_OUT_OF_MEMORY:
        break;
    }
    return error_out_of_memory(err);
}

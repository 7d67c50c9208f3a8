#include "worker/message/command.h"

#include "common/json.h"
#include "worker/message/draft.h"
#include "worker/message/identity.h"
#include "worker/message/wrapping.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define TYPE_HEADER "content-type"
#define STRUCTURED_TYPE "application/cloudevents+json"

static void
draft_read_fault(Draft *draft, JsonFault fault, size_t position, Bytes value)
{
    switch (fault) {
    case JSON_FAULT_NONE:
        return;
    case JSON_FAULT_UTF8:
        draft_fault(draft, ERROR_CODE_INVALID_UTF8,
                    "byte %zu is not UTF-8, or a byte order mark stands first%s", position,
                    wrapping_of_bytes(value));
        return;
    case JSON_FAULT_SYNTAX:
        draft_fault(draft, ERROR_CODE_INVALID_JSON, "not one strict JSON text; see byte %zu%s",
                    position, wrapping_of_bytes(value));
        return;
    case JSON_FAULT_DEPTH:
        draft_fault(draft, ERROR_CODE_TOO_DEEP, "nested deeper than %d", COMMAND_JSON_MAX_DEPTH);
        return;
    case JSON_FAULT_DUPLICATE_KEY:
        draft_fault(draft, ERROR_CODE_DUPLICATE_KEY, "an object names a key twice");
        return;
    case JSON_FAULT_MEMORY:
        draft->out_of_memory = true;
        return;
    }
}

static bool
is_structured(const Record *record)
{
    const char *type = draft_header_text(record, TYPE_HEADER);
    if (type == NULL || strncasecmp(type, STRUCTURED_TYPE, strlen(STRUCTURED_TYPE)) != 0)
        return false;
    const char after = type[strlen(STRUCTURED_TYPE)];
    return after == '\0' || after == ';' || after == ' ';
}

static bool
is_binary_event(const Record *record)
{
    return !is_structured(record) && record_header(record, "ce_specversion") != NULL;
}

/* The tree of the value; NULL, and a fault, when the value is no JSON that a command takes. */
static cJSON *
read_value(Draft *draft, const Record *record)
{
    cJSON *root = NULL;
    size_t position = 0;
    if (record->value.size > COMMAND_VALUE_MAX_BYTES) {
        draft_fault(draft, ERROR_CODE_TOO_LARGE, "%zu bytes, but a command takes at most %d",
                    record->value.size, COMMAND_VALUE_MAX_BYTES);
        return NULL;
    }
    const JsonFault fault = record->value.data != NULL
                                ? json_parse(record->value.data, record->value.size,
                                             COMMAND_JSON_MAX_DEPTH, &root, &position)
                                : JSON_FAULT_SYNTAX;
    draft_read_fault(draft, fault, position, record->value);
    return root;
}

/* An ambiguous one does not tell in which form the command is: nothing is read of it. */
static bool
has_clear_mode(Draft *draft, const Record *record)
{
    draft_check_header(draft, record, TYPE_HEADER);
    return !draft->fault.set;
}

/* The attributes are headers, so they tell the event apart whatever its value is. A record without
 * a value has no params. */
static void
read_binary_event(Draft *draft, const Record *record, cJSON **ret_root)
{
    draft_read_binary_event(draft, record);
    if (record->value.size == 0)
        return;
    *ret_root = read_value(draft, record);
    draft->params = *ret_root;
}

static void
read_by_mode(Draft *draft, const Record *record, cJSON **ret_root)
{
    if (!has_clear_mode(draft, record)) {
        return;
    } else if (is_binary_event(record)) {
        read_binary_event(draft, record, ret_root);
    } else if ((*ret_root = read_value(draft, record)) == NULL) {
        return;
    } else if (is_structured(record)) {
        draft_read_structured_event(draft, *ret_root);
    } else {
        draft_read_plain(draft, *ret_root);
    }
    draft_read_replay(draft, record);
    if (draft->task_name == NULL)
        draft_fault(draft, ERROR_CODE_MISSING_TASK, "a command names its task");
}

static void
read_draft(Draft *draft, const Record *record, const CommandFloors *floors,
           CommandParams *ret_params)
{
    CLEANUP(json_deletep) cJSON *root = NULL;
    read_by_mode(draft, record, &root);
    if (!draft->fault.set &&
        !params_read(draft->task.task, draft->params, floors, ret_params, &draft->fault))
        draft->fault.set = true;
    draft->params = NULL;
}

/* The ledger's key: the id, but of an event, whose source belongs to it. */
static void
make_key(const Draft *draft, char ret_key[COMMAND_ID_MAX + 1])
{
    if (draft->is_event && draft->requested_by != NULL)
        identity_of_event(draft->requested_by, draft->id, ret_key);
    else
        memcpy(ret_key, draft->id, COMMAND_ID_MAX + 1);
}

/* Moves the strings over. */
static void
fill_command(Draft *draft, const CommandParams *params, Command *command)
{
    memset(command, 0, sizeof(*command));
    memcpy(command->id, draft->id, sizeof(command->id));
    make_key(draft, command->key);
    command->is_event = draft->is_event;
    identity_of_content(draft->task.task, params, command->content);
    command->task = draft->task.task;
    command->params = *params;
    command->requested_by = draft->requested_by;
    draft->requested_by = NULL;
    command->has_requested_at = draft->has_requested_at;
    command->requested_at_us = draft->requested_at_us;
    command->has_expires_at = draft->has_expires_at;
    command->expires_at_us = draft->expires_at_us;
    command->replay = draft->replay;
    if (draft->task.is_canonical)
        return;
    if (draft->task.is_deprecated) {
        command->deprecated_task = strdup(draft->task_name);
        draft->out_of_memory |= command->deprecated_task == NULL;
    }
    command->old_name = draft->task_name;
    draft->task_name = NULL;
}

static void
fill_rejection(Draft *draft, Rejection *rejection)
{
    memset(rejection, 0, sizeof(*rejection));
    memcpy(rejection->id, draft->id, sizeof(rejection->id));
    rejection->task = draft->task_name;
    rejection->requested_by = draft->requested_by;
    rejection->has_requested_at = draft->has_requested_at;
    rejection->requested_at_us = draft->requested_at_us;
    rejection->code = draft->fault.code;
    rejection->message = draft->fault.message;
    draft->task_name = NULL;
    draft->requested_by = NULL;
    draft->fault.message = NULL;
}

CommandVerdict
command_parse(const Record *record, const CommandFloors *floors, Command *ret_command,
              Rejection *ret_rejection)
{
    CLEANUP(draft_done) Draft draft = {0};
    CommandParams params;
    memset(&params, 0, sizeof(params));
    read_draft(&draft, record, floors, &params);
    if (draft.out_of_memory || (draft.fault.set && draft.fault.message == NULL))
        return COMMAND_OUT_OF_MEMORY;
    if (draft.id[0] == '\0')
        identity_of_record(record, draft.id);
    if (draft.fault.set) {
        fill_rejection(&draft, ret_rejection);
        return COMMAND_REJECTED;
    }
    fill_command(&draft, &params, ret_command);
    if (!draft.out_of_memory)
        return COMMAND_ACCEPTED;
    command_done(ret_command);
    return COMMAND_OUT_OF_MEMORY;
}

void
rejection_of_command(const Command *command, ErrorCode code, char *message,
                     Rejection *ret_rejection)
{
    *ret_rejection = (Rejection){
        .task = command->old_name,
        .requested_by = command->requested_by,
        .has_requested_at = command->has_requested_at,
        .requested_at_us = command->requested_at_us,
        .code = code,
        .message = message,
    };
    memcpy(ret_rejection->id, command->id, sizeof(ret_rejection->id));
}

void
command_done(Command *command)
{
    free(command->deprecated_task);
    free(command->old_name);
    free(command->requested_by);
    memset(command, 0, sizeof(*command));
}

void
rejection_done(Rejection *rejection)
{
    free(rejection->task);
    free(rejection->requested_by);
    free(rejection->message);
    memset(rejection, 0, sizeof(*rejection));
}

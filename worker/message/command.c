#include "worker/message/command.h"

#include "common/json.h"
#include "worker/message/draft.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <uuid/uuid.h>

#define STRUCTURED_TYPE "application/cloudevents+json"

/* The project's own namespace for UUIDv5. */
static const uuid_t id_namespace = {0x8b, 0x1f, 0x5c, 0x0e, 0x6d, 0x42, 0x4a, 0x97,
                                    0xb3, 0x6f, 0x21, 0xd4, 0x7e, 0x90, 0x5a, 0xc8};

void
command_derive_id(const Record *record, char ret_id[COMMAND_ID_MAX + 1])
{
    /* A topic's name has at most 249 bytes. */
    char position[512];
    (void)snprintf(position, sizeof(position), "%s/%" PRId32 "/%" PRId64 "/%" PRId64 "\n",
                   record->topic, record->partition, record->offset, record->timestamp_ms);
    uuid_t by_position;
    uuid_t id;
    /* Two steps, so that the value needs no copy behind the position. */
    uuid_generate_sha1(by_position, id_namespace, position, strlen(position));
    uuid_generate_sha1(id, by_position, record->value.data != NULL ? record->value.data : "",
                       record->value.size);
    uuid_unparse_lower(id, ret_id);
}

static void
draft_read_fault(Draft *draft, JsonFault fault, size_t position)
{
    switch (fault) {
    case JSON_FAULT_NONE:
        return;
    case JSON_FAULT_UTF8:
        draft_fault(draft, ERROR_CODE_INVALID_UTF8,
                    "byte %zu is not UTF-8, or a byte order mark stands first", position);
        return;
    case JSON_FAULT_SYNTAX:
        draft_fault(draft, ERROR_CODE_INVALID_JSON, "not one strict JSON text; see byte %zu",
                    position);
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
    const char *type = draft_header_text(record, "content-type");
    if (type == NULL || strncasecmp(type, STRUCTURED_TYPE, strlen(STRUCTURED_TYPE)) != 0)
        return false;
    const char after = type[strlen(STRUCTURED_TYPE)];
    return after == '\0' || after == ';' || after == ' ';
}

static void
read_by_mode(Draft *draft, const Record *record, const cJSON *root)
{
    if (is_structured(record))
        draft_read_structured_event(draft, root);
    else if (record_header(record, "ce_specversion") != NULL)
        draft_read_binary_event(draft, record, root);
    else
        draft_read_plain(draft, root);
    draft_read_replay(draft, record);
    if (draft->task_name == NULL)
        draft_fault(draft, ERROR_CODE_MISSING_TASK, "a command names its task");
}

static void
read_draft(Draft *draft, const Record *record, const CommandFloors *floors,
           CommandParams *ret_params)
{
    if (record->value.size > COMMAND_VALUE_MAX_BYTES) {
        draft_fault(draft, ERROR_CODE_TOO_LARGE, "%zu bytes, but a command takes at most %d",
                    record->value.size, COMMAND_VALUE_MAX_BYTES);
        return;
    }
    CLEANUP(json_deletep) cJSON *root = NULL;
    size_t position = 0;
    const JsonFault fault = record->value.data != NULL
                                ? json_parse(record->value.data, record->value.size,
                                             COMMAND_JSON_MAX_DEPTH, &root, &position)
                                : JSON_FAULT_SYNTAX;
    if (fault != JSON_FAULT_NONE) {
        draft_read_fault(draft, fault, position);
        return;
    }
    read_by_mode(draft, record, root);
    if (!draft->fault.set &&
        !params_read(draft->task.task, draft->params, floors, ret_params, &draft->fault))
        draft->fault.set = true;
    draft->params = NULL;
}

/* Moves the strings over. */
static void
fill_command(Draft *draft, const CommandParams *params, Command *command)
{
    memset(command, 0, sizeof(*command));
    memcpy(command->id, draft->id, sizeof(command->id));
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
        command_derive_id(record, draft.id);
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

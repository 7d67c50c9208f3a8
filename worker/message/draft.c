#include "worker/message/draft.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"

void
draft_done(Draft *draft)
{
    free(draft->task_name);
    free(draft->requested_by);
    free(draft->fault.message);
    *draft = (Draft){0};
}

void
draft_fault(Draft *draft, ErrorCode code, const char *format, ...)
{
    if (draft->fault.set)
        return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)fault_set(&draft->fault, code, "%s", text);
}

static char *
draft_copy(Draft *draft, const char *text)
{
    char *copy = strdup(text);
    draft->out_of_memory |= copy == NULL;
    return copy;
}

void
draft_take_id(Draft *draft, const char *member, const char *text)
{
    const size_t length = strlen(text);
    if (length < 1 || length > COMMAND_ID_MAX || strspn(text, ID_CHARACTERS) != length) {
        draft_fault(draft, ERROR_CODE_INVALID_MEMBER,
                    "%s takes 1 to 64 characters of A-Z a-z 0-9 . _ : -", member);
        return;
    }
    memcpy(draft->id, text, length + 1);
}

void
draft_take_task(Draft *draft, const char *name)
{
    free(draft->task_name);
    draft->task_name = draft_copy(draft, name);
    Fault fault = {0};
    draft->has_task = task_name_read(name, &draft->task, &fault);
    if (!draft->has_task)
        draft_fault(draft, fault.code, "%s", fault.message != NULL ? fault.message : "");
    free(fault.message);
}

void
draft_take_requested_by(Draft *draft, const char *member, const char *text)
{
    if (strlen(text) > COMMAND_REQUESTED_BY_MAX) {
        draft_fault(draft, ERROR_CODE_INVALID_MEMBER, "%s is longer than 256 bytes", member);
        return;
    }
    free(draft->requested_by);
    draft->requested_by = draft_copy(draft, text);
}

static bool
take_time(Draft *draft, const char *member, const char *text, int64_t *ret_us)
{
    if (clock_parse(text, ret_us))
        return true;
    draft_fault(draft, ERROR_CODE_INVALID_MEMBER,
                "%s takes a time as in 2026-11-23T02:00:00Z (RFC 3339)", member);
    return false;
}

void
draft_take_requested_at(Draft *draft, const char *member, const char *text)
{
    draft->has_requested_at = take_time(draft, member, text, &draft->requested_at_us);
}

void
draft_take_expires_at(Draft *draft, const char *member, const char *text)
{
    draft->has_expires_at = take_time(draft, member, text, &draft->expires_at_us);
}

const char *
draft_header_text(const Record *record, const char *name)
{
    const RecordHeader *header = record_header(record, name);
    if (header == NULL || header->value.data == NULL ||
        strlen(header->value.data) != header->value.size)
        return NULL;
    return header->value.data;
}

void
draft_read_replay(Draft *draft, const Record *record)
{
    if (record_header(record, "cleanup-replay") == NULL)
        return;
    const char *number = draft_header_text(record, "cleanup-replay");
    const char *id = draft_header_text(record, "cleanup-command-id");
    const size_t digits = number != NULL ? strspn(number, "0123456789") : 0;
    if (digits == 0 || digits > 6 || number[digits] != '\0' || number[0] == '0') {
        draft_fault(draft, ERROR_CODE_INVALID_HEADER,
                    "the header cleanup-replay takes a number from 1 to 999999");
        return;
    }
    if (id != NULL && draft->id[0] != '\0' && strcmp(id, draft->id) != 0) {
        draft_fault(draft, ERROR_CODE_INVALID_HEADER,
                    "the header cleanup-command-id differs from the command's own id");
        return;
    }
    draft->replay = (int)strtol(number, NULL, 10);
    if (id != NULL)
        draft_take_id(draft, "the header cleanup-command-id", id);
}

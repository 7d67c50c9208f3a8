#include "worker/message/draft.h"

#include "common/clock.h"
#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ID_TAKES "1 to 64 characters of A-Z a-z 0-9 . _ : -"
#define REPLAY_HEADER "cleanup-replay"
#define ID_HEADER "cleanup-command-id"

enum {
    REPLAY_DIGITS = 6,
};

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

/* Without strspn, which makes a table of its characters each time. */
static bool
is_id_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
           (character >= 'A' && character <= 'Z') || character == '-' || character == '_' ||
           character == '.' || character == ':';
}

static bool
is_id(const char *text)
{
    size_t length = 0;
    while (length <= COMMAND_ID_MAX && is_id_character(text[length]))
        length++;
    return length >= 1 && length <= COMMAND_ID_MAX && text[length] == '\0';
}

void
draft_take_id(Draft *draft, const char *member, const char *text)
{
    if (is_id(text))
        memcpy(draft->id, text, strlen(text) + 1);
    else
        draft_fault(draft, ERROR_CODE_INVALID_MEMBER, "%s takes " ID_TAKES, member);
}

void
draft_take_task(Draft *draft, const char *member, const char *text)
{
    (void)member; /* the sentence shows the text */
    free(draft->task_name);
    draft->task_name = draft_copy(draft, text);
    Fault fault = {0};
    draft->has_task = task_name_read(text, &draft->task, &fault);
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
    if (header == NULL || header->value.data == NULL || record_header_is_ambiguous(record, name) ||
        strlen(header->value.data) != header->value.size ||
        !utf8_is_valid(header->value.data, header->value.size))
        return NULL;
    return header->value.data;
}

/* Which of them the sender meant is anybody's guess, and a task that deletes is not guessed. */
void
draft_check_header(Draft *draft, const Record *record, const char *name)
{
    if (record_header_is_ambiguous(record, name))
        draft_fault(draft, ERROR_CODE_INVALID_HEADER,
                    "the header %s is there more than once, with different values", name);
}

static int
replay_number(const Record *record)
{
    const char *text = draft_header_text(record, REPLAY_HEADER);
    const size_t digits = text != NULL ? strspn(text, "0123456789") : 0;
    if (digits == 0 || digits > REPLAY_DIGITS || text[digits] != '\0' || text[0] == '0')
        return 0;
    return (int)strtol(text, NULL, 10);
}

void
draft_read_replay(Draft *draft, const Record *record)
{
    if (record_header(record, REPLAY_HEADER) == NULL)
        return;
    draft_check_header(draft, record, REPLAY_HEADER);
    draft_check_header(draft, record, ID_HEADER);
    const int number = replay_number(record);
    const char *id = draft_header_text(record, ID_HEADER);
    if (number == 0)
        draft_fault(draft, ERROR_CODE_INVALID_HEADER,
                    "the header " REPLAY_HEADER " takes a number from 1 to 999999");
    else if (id == NULL && record_header(record, ID_HEADER) == NULL && draft->id[0] == '\0')
        draft_fault(draft, ERROR_CODE_INVALID_HEADER,
                    "a replay of a command without an id of its own takes the header " ID_HEADER);
    else if (record_header(record, ID_HEADER) != NULL && (id == NULL || !is_id(id)))
        draft_fault(draft, ERROR_CODE_INVALID_HEADER, "the header " ID_HEADER " takes " ID_TAKES);
    else if (id != NULL && draft->id[0] != '\0' && strcmp(id, draft->id) != 0)
        draft_fault(draft, ERROR_CODE_INVALID_HEADER,
                    "the header " ID_HEADER " differs from the command's own id");
    else {
        draft->replay = number;
        if (id != NULL)
            memcpy(draft->id, id, strlen(id) + 1);
    }
}

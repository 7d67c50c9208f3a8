/*
 * parsing: what the tests of commands share: a record from text, and one verdict with its contents.
 *
 * Threads: one at a time.
 */
#ifndef TESTS_UNIT_MESSAGE_PARSING_H
#define TESTS_UNIT_MESSAGE_PARSING_H

#include "worker/message/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEADER(name, text) ((RecordHeader){(name), BYTES_TEXT(text)})

static inline Record
record_of(const char *value)
{
    return (Record){.topic = "cleanup.commands",
                    .partition = 1,
                    .offset = 2,
                    .timestamp_ms = 3,
                    .value = BYTES_TEXT(value)};
}

static inline Record
record_with(const char *value, const RecordHeader *headers, size_t count)
{
    Record record = record_of(value);
    record.headers = headers;
    record.header_count = count;
    return record;
}

/* The caller ends the command. */
static inline Command
accept_record(const Record *record, const CommandFloors *floors)
{
    Command command = {0};
    Rejection rejection = {0};
    if (command_parse(record, floors, &command, &rejection) != COMMAND_ACCEPTED)
        fail_msg("%s: %s", record->value.data, rejection.message);
    return command;
}

/* The message contains `part`. The caller ends the rejection. */
static inline Rejection
reject_record(const Record *record, const CommandFloors *floors, ErrorCode code, const char *part)
{
    Command command = {0};
    Rejection rejection = {0};
    if (command_parse(record, floors, &command, &rejection) != COMMAND_REJECTED)
        fail_msg("%s was not rejected", record->value.data);
    if (rejection.code != code || strstr(rejection.message, part) == NULL)
        fail_msg("%s: %s: %s", record->value.data, error_code_name(rejection.code),
                 rejection.message);
    return rejection;
}

static inline void
assert_record_rejected(const Record *record, ErrorCode code, const char *part)
{
    static const CommandFloors no_floors = {0, 0};
    Rejection rejection = reject_record(record, &no_floors, code, part);
    rejection_done(&rejection);
}

#endif

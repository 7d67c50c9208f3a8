#include "worker/message/identity.h"

#include "common/digits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#define EVENT_PREFIX "ce:"

enum {
    POSITION_BYTES = 512, /* a topic's name has at most 249 bytes */
    CONTENT_BYTES = 512,  /* five lines of a known length each */
    NUMBER_BYTES = 32,
};

#define WHOLE_MAX 1e15

/* The project's own namespaces for UUIDv5. */
static const uuid_t record_namespace = {0x8b, 0x1f, 0x5c, 0x0e, 0x6d, 0x42, 0x4a, 0x97,
                                        0xb3, 0x6f, 0x21, 0xd4, 0x7e, 0x90, 0x5a, 0xc8};
static const uuid_t event_namespace = {0x1d, 0x0a, 0x94, 0x3b, 0x52, 0xe7, 0x4c, 0x0d,
                                       0x9a, 0x11, 0x6e, 0xf8, 0x43, 0x27, 0xb0, 0x5f};
static const uuid_t content_namespace = {0xc4, 0x77, 0x2e, 0x50, 0x0b, 0x9d, 0x45, 0xe1,
                                         0x86, 0xfa, 0x3c, 0x18, 0xd5, 0x62, 0x99, 0x07};

/* What content_namespace and the name of the task that comes by the thousand hash to. */
static const uuid_t per_user_namespace = {0xcb, 0x17, 0x1c, 0x07, 0x60, 0x4a, 0x55, 0x71,
                                          0x8e, 0xb4, 0x6b, 0x8b, 0xbd, 0x01, 0xb4, 0x0b};

static void
hash_second(const uuid_t by_first, Bytes second, char ret_text[UUID_TEXT_BYTES])
{
    uuid_t by_both;
    uuid_generate_sha1(by_both, by_first, second.data != NULL ? second.data : "", second.size);
    uuid_unparse_lower(by_both, ret_text);
}

/* In two steps, so that nothing has to be copied together. */
static void
hash_both(const uuid_t name_space, const char *first, Bytes second, char ret_text[UUID_TEXT_BYTES])
{
    uuid_t by_first;
    uuid_generate_sha1(by_first, name_space, first, strlen(first));
    hash_second(by_first, second, ret_text);
}

void
identity_of_record(const Record *record, char ret_id[COMMAND_ID_MAX + 1])
{
    char position[POSITION_BYTES];
    (void)snprintf(position, sizeof(position), "%s/%" PRId32 "/%" PRId64 "/%" PRId64 "\n",
                   record->topic, record->partition, record->offset, record->timestamp_ms);
    hash_both(record_namespace, position, record->value, ret_id);
}

void
identity_of_event(const char *source, const char *id, char ret_key[COMMAND_ID_MAX + 1])
{
    memcpy(ret_key, EVENT_PREFIX, strlen(EVENT_PREFIX));
    hash_both(event_namespace, source, BYTES_TEXT(id), ret_key + strlen(EVENT_PREFIX));
}

static size_t
add_line(char *text, size_t at, const char *name, const char *value)
{
    const size_t name_length = strlen(name);
    const size_t value_length = strlen(value);
    char *line = text + at;
    memcpy(line, name, name_length);
    line[name_length] = '=';
    memcpy(line + name_length + 1, value, value_length);
    line[name_length + 1 + value_length] = '\n';
    return at + name_length + value_length + 2;
}

/* As %.17g writes it, which takes ten times as long. */
static size_t
add_number(char *text, size_t at, const char *name, double number)
{
    char digits[NUMBER_BYTES];
    if (number == 0)
        return at;
    const bool is_whole = number == floor(number) && fabs(number) < WHOLE_MAX;
    if (is_whole)
        return add_line(text, at, name, digits_of_int64((int64_t)number, digits));
    (void)snprintf(digits, sizeof(digits), "%.17g", number);
    return add_line(text, at, name, digits);
}

void
identity_of_content(CommandTask task, const CommandParams *params,
                    char ret_content[UUID_TEXT_BYTES])
{
    char text[CONTENT_BYTES];
    size_t at = 0;
    if (params->user_id[0] != '\0')
        at = add_line(text, at, "user_id", params->user_id);
    at = add_number(text, at, "inactive_hours", params->inactive_hours);
    at = add_number(text, at, "expiration_minutes", params->expiration_minutes);
    at = add_number(text, at, "limit", params->limit);
    at = add_number(text, at, "dry_run", params->dry_run ? 1 : 0);
    if (task == COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER)
        hash_second(per_user_namespace, (Bytes){text, at}, ret_content);
    else
        hash_both(content_namespace, command_task_name(task), (Bytes){text, at}, ret_content);
}

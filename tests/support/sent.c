#include "tests/support/sent.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void
parse(SentCommand *sent, int64_t offset)
{
    static const CommandFloors floors = {1, 1};
    Rejection rejection = {0};
    sent->record = (Record){
        .topic = SENT_TOPIC,
        .partition = SENT_PARTITION,
        .offset = offset,
        .timestamp_ms = clock_now_us(clock_system()) / CLOCK_US_PER_MS,
        .value = BYTES_TEXT(sent->value),
        .headers = &sent->header,
        .header_count = sent->header.name != NULL,
    };
    if (command_parse(&sent->record, &floors, &sent->command, &rejection) != COMMAND_ACCEPTED)
        fail_msg("%s: %s", sent->value, rejection.message);
}

static void set_value(SentCommand *sent, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

static void
set_value(SentCommand *sent, const char *format, va_list arguments)
{
    const int length = vsnprintf(sent->value, sizeof(sent->value), format, arguments);
    assert_in_range(length, 1, sizeof(sent->value) - 1);
}

void
sent_make(SentCommand *sent, int64_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_value(sent, format, arguments);
    va_end(arguments);
    parse(sent, offset);
}

void
sent_make_event(SentCommand *sent, int64_t offset, const char *source, const char *id,
                const char *task, const char *data)
{
    sent->header = (RecordHeader){"content-type", BYTES_TEXT("application/cloudevents+json")};
    sent_make(sent, offset,
              "{\"specversion\":\"1.0\",\"source\":\"%s\",\"id\":\"%s\","
              "\"type\":\"cleanup.command.%s\",\"data\":%s}",
              source, id, task, data);
}

void
sent_make_task(SentCommand *sent, int64_t offset, const char *id, const char *task)
{
    sent_make(sent, offset, "{\"command_id\":\"%s\",\"task\":\"%s\"}", id, task);
}

void
sent_make_for_user(SentCommand *sent, int64_t offset, const char *id, int user)
{
    sent_make(sent, offset,
              "{\"command_id\":\"%s\",\"task\":\"cleanup_inactive_sessions_for_user\","
              "\"params\":{\"user_id\":\"" USER_FORMAT "\"}}",
              id, user);
}

void
sent_make_replay(SentCommand *sent, int replay)
{
    const int64_t offset = sent->record.offset;
    (void)snprintf(sent->number, sizeof(sent->number), "%d", replay);
    sent->header = (RecordHeader){"cleanup-replay", BYTES_TEXT(sent->number)};
    command_done(&sent->command);
    parse(sent, offset);
    assert_int_equal(sent->command.replay, replay);
}

void
sent_make_too_old(SentCommand *sent, int retention_hours)
{
    sent->record.timestamp_ms -= (int64_t)retention_hours * 3600 * 1000;
}

void
sent_make_expired(SentCommand *sent)
{
    sent->command.has_expires_at = true;
    sent->command.expires_at_us = clock_now_us(clock_system()) - 3600 * CLOCK_US_PER_SECOND;
}

TaskItem
sent_item(const SentCommand *sent)
{
    return (TaskItem){&sent->command, &sent->record};
}

void
sent_done(SentCommand *sent)
{
    command_done(&sent->command);
}

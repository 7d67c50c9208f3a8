/*
 * sent: commands as they come in: a record of the commands topic and what was parsed from it.
 *
 * Owns:    the record's bytes and the command; a SentCommand must not be moved once it is made.
 * Threads: one at a time.
 */
#ifndef TESTS_SUPPORT_SENT_H
#define TESTS_SUPPORT_SENT_H

#include "tests/support/application.h"
#include "worker/task/task.h"

enum {
    SENT_VALUE_BYTES = 512,
    SENT_PARTITION = 3,
};

#define SENT_TOPIC "cleanup.commands"

typedef struct SentCommand {
    char value[SENT_VALUE_BYTES];
    char number[16];
    RecordHeader header;
    Record record;
    Command command;
} SentCommand;

/* A record at that offset of SENT_TOPIC and SENT_PARTITION, sent just now, with that JSON as its
 * value. Fails the test when it is rejected. */
void sent_make(SentCommand *sent, int64_t offset, const char *format, ...) PRINTF_LIKE(3, 4);

/* A CloudEvent in structured mode; `data` is JSON. */
void sent_make_event(SentCommand *sent, int64_t offset, const char *source, const char *id,
                     const char *task, const char *data);

/* That task without params. */
void sent_make_task(SentCommand *sent, int64_t offset, const char *id, const char *task);

/* cleanup_inactive_sessions_for_user; users as in tests/support/application.h. */
void sent_make_for_user(SentCommand *sent, int64_t offset, const char *id, int user);

/* What was made is a replay of that number. */
void sent_make_replay(SentCommand *sent, int replay);

/* The record is older than the ledger remembers by now. */
void sent_make_too_old(SentCommand *sent, int retention_hours);

/* The command was not to be started after a moment that has passed. */
void sent_make_expired(SentCommand *sent);

TaskItem sent_item(const SentCommand *sent);

/* For CLEANUP. */
void sent_done(SentCommand *sent);

#endif

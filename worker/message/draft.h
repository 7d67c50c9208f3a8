/*
 * draft: what has been read of a record so far, valid or not, until it becomes a Command or a
 * Rejection.
 *
 * Owns:      its strings. The first fault is kept, reading goes on, so that a rejection can name id
 * and task.
 * Threads:   one at a time.
 */
#ifndef WORKER_MESSAGE_DRAFT_H
#define WORKER_MESSAGE_DRAFT_H

#include "common/record.h"
#include "worker/message/limits.h"
#include "worker/message/task_name.h"

#include <cjson/cJSON.h>

typedef struct Draft {
    char id[COMMAND_ID_MAX + 1]; /* "" = none */
    bool is_event;
    char *task_name;
    bool has_task;
    TaskName task;
    char *requested_by;
    bool has_requested_at;
    int64_t requested_at_us;
    bool has_expires_at;
    int64_t expires_at_us;
    int replay;
    const cJSON *params; /* borrowed from the tree */
    Fault fault;
    bool out_of_memory;
} Draft;

void draft_done(Draft *draft);

/* Keeps the first fault. */
void draft_fault(Draft *draft, ErrorCode code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Each checks the text and takes it, or notes the fault; `member` is its name for the sentence. */
typedef void (*DraftTake)(Draft *draft, const char *member, const char *text);
void draft_take_id(Draft *draft, const char *member, const char *text);
void draft_take_task(Draft *draft, const char *member, const char *text);
void draft_take_requested_by(Draft *draft, const char *member, const char *text);
void draft_take_requested_at(Draft *draft, const char *member, const char *text);
void draft_take_expires_at(Draft *draft, const char *member, const char *text);

/* The three forms of a command. `root` is the parsed value. */
void draft_read_plain(Draft *draft, const cJSON *root);
void draft_read_structured_event(Draft *draft, const cJSON *root);
/* The attributes alone. */
void draft_read_binary_event(Draft *draft, const Record *record);

/* The cleanup-… headers of a replay. */
void draft_read_replay(Draft *draft, const Record *record);

/* The header's value as text, or NULL when it is absent, ambiguous, or no UTF-8 without NUL. */
const char *draft_header_text(const Record *record, const char *name);

/* Notes the fault when the header is there twice with different values. */
void draft_check_header(Draft *draft, const Record *record, const char *name);

#endif

/*
 * members: members of the JSON objects that go out, in one form for results and progress.
 *
 * Owns:    nothing; every function adds to the caller's buffer.
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_MEMBERS_H
#define WORKER_MESSAGE_MEMBERS_H

#include "common/json_write.h"

/* NULL becomes null. A text that came with the command could be as large as the command: what is
 * longer than 4 KiB is cut between characters. */
void member_add_text(StrBuf *json, const char *name, const char *text);

/* RFC 3339, or null. */
void member_add_time(StrBuf *json, const char *name, bool has, int64_t time_us);

#endif

/*
 * members: members of the JSON objects that go out, in one form for results and progress.
 *
 * Owns:    nothing; every function adds to the caller's object.
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_MEMBERS_H
#define WORKER_MESSAGE_MEMBERS_H

#include "common/autofree.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* All of them return false when out of memory. `name` must have static storage. */

/* Takes ownership of `item`; NULL counts as out of memory. */
bool member_add(cJSON *object, const char *name, cJSON *item) MUST_CHECK;

/* NULL becomes null. A text that came with the command could be as large as the command: what is
 * longer than 4 KiB is cut between characters. */
bool member_add_text(cJSON *object, const char *name, const char *text) MUST_CHECK;

/* RFC 3339, or null. */
bool member_add_time(cJSON *object, const char *name, bool has, int64_t time_us) MUST_CHECK;

bool member_add_number(cJSON *object, const char *name, double number) MUST_CHECK;

/* With every digit; cJSON keeps numbers as doubles and prints 15. */
bool member_add_int64(cJSON *object, const char *name, int64_t number) MUST_CHECK;

#endif

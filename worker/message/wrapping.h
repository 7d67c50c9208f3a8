/*
 * wrapping: in what a value that is no command seems to be packed, so that its rejection can say
 * how to send it plain.
 *
 * Threads:   any; cJSON's trees are only read.
 * Invariant: a guess for a sentence. It never makes a command of what is none.
 */
#ifndef WORKER_MESSAGE_WRAPPING_H
#define WORKER_MESSAGE_WRAPPING_H

#include "common/record.h"

#include <cjson/cJSON.h>

/* Of bytes that are no JSON, for the end of a sentence: "; ", what they seem to be and how to send
 * them. "" when they look like nothing that is known. Static. */
const char *wrapping_of_bytes(Bytes value);

/* The same of JSON that is no command, or no params; `tree` may be NULL. */
const char *wrapping_of_tree(const cJSON *tree);

#endif

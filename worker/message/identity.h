/*
 * identity: by what a command is known, and what makes two commands the same.
 *
 * Threads:   any.
 * Invariant: a function of what was sent alone, so that every worker, and every later version,
 * comes to the same.
 */
#ifndef WORKER_MESSAGE_IDENTITY_H
#define WORKER_MESSAGE_IDENTITY_H

#include "common/record.h"
#include "worker/message/limits.h"
#include "worker/message/params.h"

/* The id of a record without one: UUIDv5 (RFC 9562) over topic, partition, offset, record timestamp
 * and value bytes, so that a redelivery gets the same id and a re-created topic another one. */
void identity_of_record(const Record *record, char ret_id[COMMAND_ID_MAX + 1]);

/* The key of a CloudEvent, which its source and its id identify together: "ce:" and a UUIDv5 over
 * both. */
void identity_of_event(const char *source, const char *id, char ret_key[COMMAND_ID_MAX + 1]);

/* What was asked for: a UUIDv5 over the task and its params, defaults included. Params without a
 * value leave no trace, so that one that a later version adds changes no command that does without
 * it. */
void identity_of_content(CommandTask task, const CommandParams *params,
                         char ret_content[UUID_TEXT_BYTES]);

#endif

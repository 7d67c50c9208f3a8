/*
 * command: the wire contract of what comes in. Bytes become a Command or a Rejection; no I/O.
 *
 * Owns:      a Command owns its strings.
 * Threads:   command_parse on one thread at a time (cJSON keeps a global error pointer);
 *            a Command that was parsed may be handed on.
 * Invariant: a Command is complete: every param of its task is set, checked against the contract's
 * ranges and the operator's floors.
 */
#ifndef WORKER_MESSAGE_COMMAND_H
#define WORKER_MESSAGE_COMMAND_H

#include "common/record.h"
#include "worker/message/limits.h"
#include "worker/message/params.h"

typedef struct Command {
    char id[COMMAND_ID_MAX + 1];  /* as sent, or derived */
    char key[COMMAND_ID_MAX + 1]; /* by which the ledger knows it: the id, but of an event */
    bool is_event;
    char content[UUID_TEXT_BYTES]; /* identity_of_content */
    CommandTask task;
    char *deprecated_task; /* the old name that was sent, or NULL */
    char *old_name;        /* any name but the canonical one, for the warning; or NULL */
    CommandParams params;
    char *requested_by; /* or NULL */
    bool has_requested_at;
    int64_t requested_at_us;
    bool has_expires_at;
    int64_t expires_at_us;
    int replay; /* 0, or the number of the cleanup-replay header */
} Command;

/* Why a record is no command. The id is the command's own when that was valid, else the derived
 * one. */
typedef struct Rejection {
    char id[COMMAND_ID_MAX + 1];
    char *task;         /* the name that was sent, or NULL */
    char *requested_by; /* or NULL */
    bool has_requested_at;
    int64_t requested_at_us;
    ErrorCode code;
    char *message; /* one sentence: what was sent and what it takes */
} Rejection;

typedef enum CommandVerdict {
    COMMAND_ACCEPTED,
    COMMAND_REJECTED,
    COMMAND_OUT_OF_MEMORY
} CommandVerdict;

/* Reads plain JSON, structured CloudEvents and binary CloudEvents, told apart by the headers.
 * Fills exactly one of the outputs, as the verdict says; the caller ends it with command_done or
 * rejection_done. Never fails on account of the bytes: whatever they are, the verdict is one of the
 * first two. */
CommandVerdict command_parse(const Record *record, const CommandFloors *floors,
                             Command *ret_command, Rejection *ret_rejection) MUST_CHECK;

/* What a command that was accepted is rejected as after all. All is borrowed: no rejection_done. */
void rejection_of_command(const Command *command, ErrorCode code, char *message,
                          Rejection *ret_rejection);

void command_done(Command *command);
void rejection_done(Rejection *rejection);

#endif

/*
 * error: what went wrong, in a form that decides what happens next.
 *
 * Owns:      nothing; an Error is a plain value that its caller keeps on the stack.
 * Threads:   any; one Error belongs to one thread at a time.
 * Invariant: a function that returns false has filled the Error and left its ret_ outputs alone.
 *            The first four fields decide, and nothing else does: no caller compares a code, a
 *            SQLSTATE or a text (scripts/check_errors). Only the functions of common/ write them.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include "common/error_reason.h"
#include "common/macros.h"

enum {
    ERROR_TEXT_BYTES = 1024,
    ERROR_SQLSTATE_BYTES = 6,
};

typedef struct Error {
    ErrorReason reason;     /* for the few callers that know a remedy for one reason */
    ErrorKind kind;         /* give up, try again, wait, or end the process */
    ErrorScope scope;       /* who waits, when one has to wait */
    bool counts_as_attempt; /* whether it uses up one of the command's tries */

    const char *code;                    /* static string, one of the documented codes */
    char sqlstate[ERROR_SQLSTATE_BYTES]; /* five characters or "" */
    char detail[ERROR_TEXT_BYTES];       /* the cause alone, fit for others to see: no row values */
    char text[ERROR_TEXT_BYTES];         /* the cause with what was being tried, for the log */
} Error;

/* Fills `err` with what `reason` means and returns false, so that a function can
 * `return error_set(…)`. A text that does not fit ends in "…". */
bool error_set(Error *err, ErrorReason reason, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same with the SQLSTATE to show; NULL counts as none. */
bool error_set_sqlstate(Error *err, ErrorReason reason, const char *sqlstate, const char *format,
                        ...) PRINTF_LIKE(4, 5);

/* Gives an error another meaning, for a caller that knows better what it stands for; SQLSTATE and
 * texts stay. */
void error_become(Error *err, ErrorReason reason);

/* Has the caller wait for what failed, however often: kind ERROR_HOLD and no attempt. Reason, scope
 * and texts stay. */
void error_hold(Error *err);

/* Puts "<what was being tried>: " before the text (not before the detail); returns false. */
bool error_wrap(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* A call of the system has failed with the errno `code` while `what` was tried: ERROR_FATAL
 * "system", whose text names the limit of the process where it has come to one. Returns false. */
bool error_system(Error *err, const char *what, int code);

/* Out of memory is an ERROR_FATAL of its own. Returns false. */
bool error_out_of_memory(Error *err);

#endif

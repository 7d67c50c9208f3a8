/*
 * error: what went wrong, in a form that decides what happens next.
 *
 * Owns:      nothing; an Error is a plain value that its caller keeps on the stack.
 * Threads:   any; one Error belongs to one thread at a time.
 * Invariant: a function that returns false has filled the Error and left its ret_ outputs alone.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include "common/macros.h"

#include <stdbool.h>

/* The kind alone decides what is done about an error; texts and codes are for people. */
typedef enum ErrorKind {
    ERROR_NONE,
    ERROR_REJECT, /* the input is at fault; the same input fails again */
    ERROR_RETRY,  /* may pass when tried again; bounded by the caller */
    ERROR_HOLD,   /* the environment is at fault; keep everything and wait until it is mended */
    ERROR_FATAL,  /* this process cannot go on */
} ErrorKind;

enum {
    ERROR_TEXT_BYTES = 1024,
    ERROR_SQLSTATE_BYTES = 6,
};

typedef struct Error {
    ErrorKind kind;
    const char *code;                    /* static string, one of the documented codes */
    char sqlstate[ERROR_SQLSTATE_BYTES]; /* five characters or "" */
    char detail[ERROR_TEXT_BYTES];       /* the cause alone, fit for others to see: no row values */
    char text[ERROR_TEXT_BYTES];         /* the cause with what was being tried, for the log */
} Error;

/* Fills `err` and returns false, so that a function can `return error_set(…)`.
 * `code` must have static storage. A text that does not fit ends in "…". */
bool error_set(Error *err, ErrorKind kind, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* The same with the SQLSTATE of PostgreSQL; NULL counts as none. */
bool error_set_sqlstate(Error *err, ErrorKind kind, const char *code, const char *sqlstate,
                        const char *format, ...) PRINTF_LIKE(5, 6);

/* Puts "<what was being tried>: " before the text (not before the detail); returns false. */
bool error_wrap(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Out of memory is an ERROR_FATAL of its own. Returns false. */
bool error_out_of_memory(Error *err);

void error_clear(Error *err);

/* "reject", "retry", "hold", "fatal" or "none". */
const char *error_kind_name(ErrorKind kind);

#endif

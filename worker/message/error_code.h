/*
 * error_code: the values of a result's `error.code`. The lists in deploy/schemas,
 * CONTRACT.md and the JSON Schema, are checked against this table by a test.
 */
#ifndef WORKER_MESSAGE_ERROR_CODE_H
#define WORKER_MESSAGE_ERROR_CODE_H

#define ERROR_CODE_TABLE(X)                                                                        \
    X(ERROR_CODE_TOO_LARGE, "too_large", "the record is larger than 64 KiB")                       \
    X(ERROR_CODE_INVALID_UTF8, "invalid_utf8", "the bytes are not UTF-8")                          \
    X(ERROR_CODE_INVALID_JSON, "invalid_json", "the bytes are not one strict JSON text")           \
    X(ERROR_CODE_TOO_DEEP, "too_deep", "nested deeper than 16")                                    \
    X(ERROR_CODE_DUPLICATE_KEY, "duplicate_key", "an object names a key twice")                    \
    X(ERROR_CODE_NOT_AN_OBJECT, "not_an_object", "the JSON text or params is not an object")       \
    X(ERROR_CODE_UNKNOWN_MEMBER, "unknown_member", "a member that a command does not have")        \
    X(ERROR_CODE_INVALID_MEMBER, "invalid_member", "a member of the wrong type or form")           \
    X(ERROR_CODE_MISSING_TASK, "missing_task", "no task is named")                                 \
    X(ERROR_CODE_UNKNOWN_TASK, "unknown_task", "no such task")                                     \
    X(ERROR_CODE_MISSING_PARAM, "missing_param", "a required param is absent")                     \
    X(ERROR_CODE_UNKNOWN_PARAM, "unknown_param", "a param that the task does not take")            \
    X(ERROR_CODE_INVALID_PARAM, "invalid_param", "a param of the wrong type, form or range")       \
    X(ERROR_CODE_BELOW_FLOOR, "below_floor", "a span below the operator's floor in [limits]")      \
    X(ERROR_CODE_INVALID_CLOUDEVENT, "invalid_cloudevent", "attributes that CloudEvents forbids")  \
    X(ERROR_CODE_INVALID_HEADER, "invalid_header",                                                 \
      "a header that makes no sense, or contradicts itself")                                       \
    X(ERROR_CODE_EXPIRED, "expired", "expires_at had passed before it started")                    \
    X(ERROR_CODE_OLDER_THAN_LEDGER, "older_than_ledger",                                           \
      "older than the ledger remembers, so nobody can say whether it ran")                         \
    X(ERROR_CODE_ID_CONFLICT, "id_conflict", "the id was used before, for something else")         \
    X(ERROR_CODE_TIMEOUT, "timeout", "a preview or dry run took longer than preview_timeout")      \
    X(ERROR_CODE_DATABASE_ERROR, "database_error", "PostgreSQL refused the work every time")       \
    X(ERROR_CODE_PART_FAILED, "part_failed", "a half of scheduled_cleanup failed")                 \
    X(ERROR_CODE_LIMIT_EXCEEDED, "limit_exceeded", "a safety limit was exceeded")                  \
    X(ERROR_CODE_CANCELLED, "cancelled", "an operator cancelled it")

typedef enum ErrorCode {
#define ERROR_CODE_ENUM(name, text, help) name,
    ERROR_CODE_TABLE(ERROR_CODE_ENUM)
#undef ERROR_CODE_ENUM
        ERROR_CODE_COUNT,
} ErrorCode;

/* "too_large" and so on; static. */
const char *error_code_name(ErrorCode code);

/* The code of that name, as the ledger stores it; `otherwise` when there is none. */
ErrorCode error_code_find(const char *name, ErrorCode otherwise);

/* The table's help text; static. */
const char *error_code_help(ErrorCode code);

#endif

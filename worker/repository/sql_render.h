/*
 * sql_render: puts SQL text into an SQL file where psql would put its variables.
 *
 * A variable may take an argument, which psql does not know: `:name(text)` is the value of `name`
 * with that text for each :argument.
 *
 * Threads: any.
 */
#ifndef WORKER_REPOSITORY_SQL_RENDER_H
#define WORKER_REPOSITORY_SQL_RENDER_H

#include "common/error.h"

typedef struct SqlVariable {
    const char *name;
    const char *value; /* SQL text that is quoted already */
} SqlVariable;

/* Replaces every :name outside quotes, comments and casts; values are not looked through again, but
 * for :argument. A parenthesis belongs to a name that it follows at once. A name that is not among
 * `variables` is ERROR_FATAL: the file is wrong. The caller frees *ret_text. */
bool sql_render(const char *text, const SqlVariable *variables, size_t count, char **ret_text,
                Error *err) MUST_CHECK;

#endif

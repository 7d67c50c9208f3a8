/*
 * sql_render: puts identifiers into an SQL file where psql would put its variables.
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

/* Replaces every :name outside quotes, comments and casts. A name that is not among `variables` is
 * ERROR_FATAL: the file is wrong. The caller frees *ret_text. */
bool sql_render(const char *text, const SqlVariable *variables, size_t count, char **ret_text,
                Error *err) MUST_CHECK;

#endif

#include "common/pg/pg_result.h"

#include <libpq-fe.h>

void
pg_result_free(PGresult *result)
{
    PQclear(result);
}

size_t
pg_result_rows(const PGresult *result)
{
    return (size_t)PQntuples(result);
}

int64_t
pg_result_affected(const PGresult *result)
{
    /* PQcmdTuples reads only, but its prototype does not say so. */
    union {
        const PGresult *constant;
        PGresult *variable;
    } same = {.constant = result};
    return strtoll(PQcmdTuples(same.variable), NULL, 10);
}

const char *
pg_result_tag(PGresult *result)
{
    return PQcmdStatus(result);
}

char *
pg_result_text(const PGresult *result, size_t row, int column)
{
    if (row >= (size_t)PQntuples(result) || column >= PQnfields(result) ||
        PQgetisnull(result, (int)row, column))
        return NULL;
    return PQgetvalue(result, (int)row, column);
}

static unsigned
digit_value(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

char *
pg_result_hex(PGresult *result, size_t row, int column)
{
    char *text = pg_result_text(result, row, column);
    size_t length = 0;
    if (text == NULL)
        return NULL;
    for (const char *digits = text; digits[0] != '\0' && digits[1] != '\0'; digits += 2)
        text[length++] = (char)(digit_value(digits[0]) << 4U | digit_value(digits[1]));
    text[length] = '\0';
    return text;
}

int64_t
pg_result_int64(const PGresult *result, size_t row, int column)
{
    const char *text = pg_result_text(result, row, column);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

bool
pg_result_bool(const PGresult *result, size_t row, int column)
{
    const char *text = pg_result_text(result, row, column);
    return text != NULL && text[0] == 't';
}

/*
 * pg_param: the parameters of a statement.
 *
 * Threads:   any.
 * Invariant: a PgParam borrows; what it points to lives until the call that it is a parameter of
 * has returned.
 */
#ifndef COMMON_PG_PG_PARAM_H
#define COMMON_PG_PG_PARAM_H

#include "common/clock.h"
#include "common/pg/pg_array.h"

enum {
    PG_PARAMS_MAX = 24,
};

typedef enum PgParamKind {
    PG_PARAM_TEXT,
    PG_PARAM_INT64,
    PG_PARAM_TIME,
    PG_PARAM_ARRAY,
} PgParamKind;

typedef struct PgParam {
    PgParamKind kind;
    const char *text;
    int64_t number;
    const PgArray *array;
} PgParam;

/* NULL is an SQL NULL. */
static inline PgParam
pg_param_text(const char *text)
{
    return (PgParam){.kind = PG_PARAM_TEXT, .text = text};
}

static inline PgParam
pg_param_int64(int64_t number)
{
    return (PgParam){.kind = PG_PARAM_INT64, .number = number};
}

static inline PgParam
pg_param_bool(bool flag)
{
    return pg_param_text(flag ? "true" : "false");
}

/* Microseconds since 1970, UTC; for timestamps with and without time zone. */
static inline PgParam
pg_param_time(int64_t time_us)
{
    return (PgParam){.kind = PG_PARAM_TIME, .number = time_us};
}

static inline PgParam
pg_param_array(const PgArray *array)
{
    return (PgParam){.kind = PG_PARAM_ARRAY, .array = array};
}

/* Parameters as libpq takes them. Points into itself, so it is not copied. */
typedef struct PgWire {
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX]; /* 1: binary */
    char scratch[PG_PARAMS_MAX][CLOCK_TEXT_BYTES];
} PgWire;

/* Fails as pg_array_bytes, and with ERROR_FATAL when there are more than PG_PARAMS_MAX. */
bool pg_wire_fill(PgWire *wire, const PgParam *params, size_t count, Error *err) MUST_CHECK;

#endif

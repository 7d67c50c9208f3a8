#include "common/pg/pg_param.h"

#include "common/digits.h"

#include <limits.h>

static bool
fill_array(PgWire *wire, size_t i, const PgArray *array, Error *err)
{
    size_t size = 0;
    if (!pg_array_bytes(array, wire->scratch[i], &wire->values[i], &size, err))
        return false;
    if (size > INT_MAX)
        return error_set(err, REASON_PARAM_TOO_LARGE, "an array parameter is too large");
    wire->lengths[i] = (int)size;
    wire->formats[i] = 1;
    return true;
}

static bool
fill(PgWire *wire, size_t i, const PgParam *param, Error *err)
{
    wire->lengths[i] = wire->formats[i] = 0;
    switch (param->kind) {
    case PG_PARAM_TEXT:
        wire->values[i] = param->text;
        return true;
    case PG_PARAM_INT64:
        wire->values[i] = digits_of_int64(param->number, wire->scratch[i]);
        return true;
    case PG_PARAM_TIME:
        clock_format(param->number, wire->scratch[i]);
        wire->values[i] = wire->scratch[i];
        return true;
    case PG_PARAM_ARRAY:
        return fill_array(wire, i, param->array, err);
    }
    return error_set(err, REASON_STATEMENT_BROKEN, "a parameter of no kind");
}

bool
pg_wire_fill(PgWire *wire, const PgParam *params, size_t count, Error *err)
{
    if (count > PG_PARAMS_MAX)
        return error_set(err, REASON_STATEMENT_BROKEN, "a statement with %zu parameters", count);
    for (size_t i = 0; i < count; i++) {
        if (!fill(wire, i, &params[i], err))
            return false;
    }
    return true;
}

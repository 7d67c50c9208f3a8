#include "common/pg/pg_array.h"

#include "common/pg/pg_binary.h"

#include <string.h>

/* Microseconds from 1970 to 2000, where PostgreSQL's timestamps begin. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

enum {
    HEADER_BYTES = 20,
    FLAGS_AT = 4,
    TYPE_AT = 8,
    COUNT_AT = 12,
    FIRST_INDEX_AT = 16,
    LENGTH_BYTES = 4,
    NULL_LENGTH = -1,
};

static const uint32_t oids[] = {
    [PG_TEXT] = 25, [PG_BYTEA] = 17,  [PG_BOOL] = 16,        [PG_INT4] = 23,
    [PG_INT8] = 20, [PG_UUID] = 2950, [PG_TIMESTAMP] = 1114,
};

static void
put_header(const PgArray *array, char header[HEADER_BYTES])
{
    pg_binary_put_uint32(header, 1); /* dimensions */
    pg_binary_put_uint32(header + FLAGS_AT, 0);
    pg_binary_put_uint32(header + TYPE_AT, oids[array->element]);
    pg_binary_put_uint32(header + COUNT_AT, 0);
    pg_binary_put_uint32(header + FIRST_INDEX_AT, 1);
}

/* Writes the length of the next element, whose bytes are to follow. */
static void
begin_element(PgArray *array, int32_t length)
{
    char prefix[HEADER_BYTES + LENGTH_BYTES];
    const size_t header = array->count == 0 ? HEADER_BYTES : 0;
    if (header > 0)
        put_header(array, prefix);
    pg_binary_put_uint32(prefix + header, (uint32_t)length);
    strbuf_add(&array->bytes, prefix, header + LENGTH_BYTES);
    if (!array->bytes.failed)
        pg_binary_put_uint32(array->bytes.data + COUNT_AT, ++array->count);
}

static void
add_element(PgArray *array, const char *bytes, size_t size)
{
    begin_element(array, (int32_t)size);
    strbuf_add(&array->bytes, bytes, size);
}

static void
add_null(PgArray *array)
{
    begin_element(array, NULL_LENGTH);
    if (!array->bytes.failed)
        pg_binary_put_uint32(array->bytes.data + FLAGS_AT, 1); /* there are NULLs */
}

static void
add_uuid(PgArray *array, const char *text)
{
    char uuid[PG_UUID_BYTES];
    if (pg_binary_put_uuid(uuid, text))
        add_element(array, uuid, sizeof(uuid));
    else
        array->invalid = true;
}

void
pg_array_reserve(PgArray *array, size_t count, size_t bytes)
{
    strbuf_reserve(&array->bytes, HEADER_BYTES + count * LENGTH_BYTES + bytes);
}

void
pg_array_add(PgArray *array, const char *text)
{
    if (text == NULL)
        add_null(array);
    else if (array->element == PG_UUID)
        add_uuid(array, text);
    else if (array->element == PG_TEXT || array->element == PG_BYTEA)
        add_element(array, text, strlen(text));
    else
        array->invalid = true;
}

void
pg_array_add_all(PgArray *array, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pg_array_add(array, texts[i]);
}

void
pg_array_add_int64(PgArray *array, int64_t number)
{
    char bytes[8];
    const bool narrow = array->element == PG_INT4;
    if (narrow ? number < INT32_MIN || number > INT32_MAX : array->element != PG_INT8) {
        array->invalid = true;
        return;
    }
    pg_binary_put_uint64(bytes, (uint64_t)number);
    add_element(array, narrow ? bytes + 4 : bytes, narrow ? 4 : 8);
}

void
pg_array_add_bool(PgArray *array, bool flag)
{
    const char byte = flag ? 1 : 0;
    if (array->element == PG_BOOL)
        add_element(array, &byte, 1);
    else
        array->invalid = true;
}

void
pg_array_add_time(PgArray *array, int64_t time_us)
{
    char bytes[8];
    if (array->element != PG_TIMESTAMP) {
        array->invalid = true;
        return;
    }
    pg_binary_put_uint64(bytes, (uint64_t)(time_us - POSTGRES_EPOCH_US));
    add_element(array, bytes, sizeof(bytes));
}

bool
pg_array_bytes(const PgArray *array, char empty[PG_ARRAY_EMPTY_BYTES], const char **ret_bytes,
               size_t *ret_size, Error *err)
{
    if (array->bytes.failed)
        return error_out_of_memory(err);
    if (array->invalid)
        return error_set(err, REASON_PARAM_TOO_LARGE,
                         "an array parameter holds what is not of its type");
    if (array->count > 0) {
        *ret_bytes = array->bytes.data;
        *ret_size = array->bytes.length;
        return true;
    }
    memset(empty, 0, PG_ARRAY_EMPTY_BYTES); /* no dimension, no NULLs */
    pg_binary_put_uint32(empty + TYPE_AT, oids[array->element]);
    *ret_bytes = empty;
    *ret_size = PG_ARRAY_EMPTY_BYTES;
    return true;
}

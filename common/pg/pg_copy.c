#include "common/pg/pg_copy.h"

#include "common/pg/pg_binary.h"

#include <string.h>

enum {
    HEADER_BYTES = 19,
    COUNT_BYTES = 2,
    LENGTH_BYTES = 4,
    NULL_LENGTH = -1,
    END_OF_ROWS = -1,
};

/* Signature, no flags, no extension. */
static void
add_header(PgCopy *copy)
{
    static const char header[HEADER_BYTES] = {'P', 'G',  'C',    'O',  'P',
                                              'Y', '\n', '\377', '\r', '\n'};
    strbuf_add(&copy->bytes, header, sizeof(header));
}

static void
add_count(PgCopy *copy, int count)
{
    char bytes[COUNT_BYTES];
    pg_binary_put_uint16(bytes, (uint16_t)count);
    strbuf_add(&copy->bytes, bytes, sizeof(bytes));
}

void
pg_copy_reserve(PgCopy *copy, size_t rows, size_t bytes)
{
    strbuf_reserve(&copy->bytes, HEADER_BYTES + (rows + 1) * COUNT_BYTES + bytes);
}

void
pg_copy_add_row(PgCopy *copy, int columns)
{
    if (copy->bytes.length == 0)
        add_header(copy);
    add_count(copy, columns);
}

void
pg_copy_add_null(PgCopy *copy)
{
    char length[LENGTH_BYTES];
    pg_binary_put_uint32(length, (uint32_t)NULL_LENGTH);
    strbuf_add(&copy->bytes, length, sizeof(length));
}

void
pg_copy_add_bytes(PgCopy *copy, const char *bytes, size_t size)
{
    char length[LENGTH_BYTES];
    if (bytes == NULL) {
        pg_copy_add_null(copy);
        return;
    }
    copy->invalid |= size > INT32_MAX;
    pg_binary_put_uint32(length, (uint32_t)size);
    strbuf_add(&copy->bytes, length, sizeof(length));
    strbuf_add(&copy->bytes, bytes, size);
}

void
pg_copy_add_text(PgCopy *copy, const char *text)
{
    pg_copy_add_bytes(copy, text, text != NULL ? strlen(text) : 0);
}

void
pg_copy_add_uuid(PgCopy *copy, const char *text)
{
    char uuid[PG_UUID_BYTES];
    if (text == NULL) {
        pg_copy_add_null(copy);
        return;
    }
    if (!pg_binary_put_uuid(uuid, text))
        copy->invalid = true;
    else
        pg_copy_add_bytes(copy, uuid, sizeof(uuid));
}

void
pg_copy_add_int16(PgCopy *copy, int16_t number)
{
    char bytes[2];
    pg_binary_put_uint16(bytes, (uint16_t)number);
    pg_copy_add_bytes(copy, bytes, sizeof(bytes));
}

void
pg_copy_add_int32(PgCopy *copy, int32_t number)
{
    char bytes[4];
    pg_binary_put_uint32(bytes, (uint32_t)number);
    pg_copy_add_bytes(copy, bytes, sizeof(bytes));
}

void
pg_copy_add_int64(PgCopy *copy, int64_t number)
{
    char bytes[8];
    pg_binary_put_uint64(bytes, (uint64_t)number);
    pg_copy_add_bytes(copy, bytes, sizeof(bytes));
}

void
pg_copy_add_bool(PgCopy *copy, bool flag)
{
    const char byte = flag ? 1 : 0;
    pg_copy_add_bytes(copy, &byte, 1);
}

bool
pg_copy_bytes(PgCopy *copy, const char **ret_bytes, size_t *ret_size, Error *err)
{
    if (copy->bytes.length == 0)
        add_header(copy);
    add_count(copy, END_OF_ROWS);
    if (copy->bytes.failed)
        return error_out_of_memory(err);
    if (copy->invalid)
        return error_set(err, REASON_PARAM_TOO_LARGE,
                         "a row to copy holds what is not of its type");
    *ret_bytes = copy->bytes.data;
    *ret_size = copy->bytes.length;
    return true;
}

#include "common/pg/pg_binary.h"

#include "common/uuid_text.h"

void
pg_binary_put_uint16(char *bytes, uint16_t number)
{
    bytes[0] = (char)(number >> 8);
    bytes[1] = (char)number;
}

void
pg_binary_put_uint32(char *bytes, uint32_t number)
{
    bytes[0] = (char)(number >> 24);
    bytes[1] = (char)(number >> 16);
    bytes[2] = (char)(number >> 8);
    bytes[3] = (char)number;
}

void
pg_binary_put_uint64(char *bytes, uint64_t number)
{
    pg_binary_put_uint32(bytes, (uint32_t)(number >> 32));
    pg_binary_put_uint32(bytes + 4, (uint32_t)number);
}

/* -1 when it is no hexadecimal digit. */
static int
hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool
pg_binary_put_uuid(char bytes[PG_UUID_BYTES], const char *text)
{
    int at = 0;
    for (int i = 0; i < PG_UUID_BYTES; i++) {
        if ((at == 8 || at == 13 || at == 18 || at == 23) && text[at++] != '-')
            return false;
        const int high = hex_value(text[at]);
        const int low = high < 0 ? -1 : hex_value(text[at + 1]);
        if (low < 0)
            return false;
        bytes[i] = (char)(high << 4 | low);
        at += 2;
    }
    return text[UUID_TEXT_LENGTH] == '\0';
}

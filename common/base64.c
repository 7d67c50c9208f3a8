#include "common/base64.h"

#include <string.h>

enum {
    GROUP_BYTES = 3,
    GROUP_CHARACTERS = 4,
    CHARACTER_BITS = 6,
    CHARACTER_MASK = 63,
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
base64_encoded_size(size_t size)
{
    return (size + GROUP_BYTES - 1) / GROUP_BYTES * GROUP_CHARACTERS;
}

void
base64_encode(const uint8_t *bytes, size_t size, char *text)
{
    for (size_t i = 0; i < size; i += GROUP_BYTES) {
        const size_t left = size - i;
        const uint32_t group = (uint32_t)bytes[i] << 16 |
                               (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)bytes[i + 2] : 0);
        for (unsigned c = 0; c < GROUP_CHARACTERS; c++) {
            const unsigned shift = (GROUP_CHARACTERS - 1 - c) * CHARACTER_BITS;
            *text++ = c > left ? '=' : alphabet[group >> shift & CHARACTER_MASK];
        }
    }
    *text = '\0';
}

static bool
decode_group(const char *text, unsigned characters, uint32_t *ret_group)
{
    uint32_t group = 0;
    for (unsigned c = 0; c < GROUP_CHARACTERS; c++) {
        const char *found = c < characters ? strchr(alphabet, text[c]) : alphabet;
        if (found == NULL || *found == '\0')
            return false;
        group = group << CHARACTER_BITS | (uint32_t)(found - alphabet);
    }
    *ret_group = group;
    return true;
}

bool
base64_decode(const char *text, size_t length, uint8_t *bytes, size_t room, size_t *ret_size)
{
    if (length % GROUP_CHARACTERS != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && length > padding && text[length - 1 - padding] == '=')
        padding++;
    const size_t size = length / GROUP_CHARACTERS * GROUP_BYTES - padding;
    if (size > room)
        return false;
    for (size_t at = 0, out = 0; at < length; at += GROUP_CHARACTERS) {
        const bool last = at + GROUP_CHARACTERS == length;
        uint32_t group;
        if (!decode_group(text + at, GROUP_CHARACTERS - (last ? (unsigned)padding : 0), &group))
            return false;
        for (unsigned b = 0; b < GROUP_BYTES && out < size; b++)
            bytes[out++] = (uint8_t)(group >> (GROUP_BYTES - 1 - b) * 8);
    }
    *ret_size = size;
    return true;
}

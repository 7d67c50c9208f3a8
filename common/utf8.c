#include "common/utf8.h"

#include <stdint.h>
#include <string.h>

/* Texts are looked at eight bytes at a time where they are plain, which most of them are. */
#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EACH_BYTE(0x80)

static uint64_t
eight_bytes(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static size_t
ascii_span(const char *bytes, size_t size)
{
    size_t at = 0;
    while (size - at >= sizeof(uint64_t) && (eight_bytes(bytes + at) & HIGH_BITS) == 0)
        at += sizeof(uint64_t);
    return at;
}

/* The length of the character, 0 when it is none. */
static size_t
character_length(const unsigned char *bytes, size_t size)
{
    const unsigned first = bytes[0];
    if (first < 0x80)
        return 1;
    const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || size < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0U) != 0x80U)
            return 0;
    }
    const unsigned second = bytes[1];
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
        return 0;
    return length;
}

size_t
utf8_span(const char *bytes, size_t size)
{
    size_t at = ascii_span(bytes, size);
    while (at < size) {
        const size_t length = character_length((const unsigned char *)bytes + at, size - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

bool
utf8_is_valid(const char *bytes, size_t size)
{
    return utf8_span(bytes, size) == size;
}

size_t
utf8_cut(const char *text, size_t length, size_t most)
{
    if (length <= most)
        return length;
    size_t cut = most;
    while (cut > 0 && ((unsigned char)text[cut] & 0xC0U) == 0x80U)
        cut--;
    return cut;
}

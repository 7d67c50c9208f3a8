#include "common/offsets/offset_ahead.h"

#include "common/base64.h"

#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_BYTES_MAX = 9, /* LEB128 of 63 bits */
    RAW_BYTES_MAX = OFFSET_AHEAD_BYTES_MAX / 4 * 3,
};

static const char mark[] = "ahead1:";

static size_t
put_number(uint8_t *bytes, uint64_t number)
{
    size_t size = 0;
    for (; number > 0x7F; number >>= 7)
        bytes[size++] = (uint8_t)(0x80 | (number & 0x7F));
    bytes[size++] = (uint8_t)number;
    return size;
}

/* The number at *at, which moves behind it; false when there is none. */
static bool
take_number(const uint8_t *bytes, size_t size, size_t *at, int64_t *ret_number)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < NUMBER_BYTES_MAX && *at < size; i++) {
        const uint8_t byte = bytes[(*at)++];
        number |= (uint64_t)(byte & 0x7F) << 7 * i;
        if ((byte & 0x80) != 0)
            continue;
        *ret_number = (int64_t)number;
        return true;
    }
    return false;
}

size_t
offset_ahead_encode(int64_t base, const OffsetRun *runs, size_t count, size_t max_bytes, char *text)
{
    uint8_t raw[RAW_BYTES_MAX];
    size_t size = 0;
    size_t fitting = 0;
    int64_t end = base;
    const size_t mark_size = sizeof(mark) - 1;
    const size_t room = max_bytes < OFFSET_AHEAD_BYTES_MAX ? max_bytes : OFFSET_AHEAD_BYTES_MAX;
    for (; fitting < count; fitting++) {
        const OffsetRun *run = &runs[fitting];
        uint8_t pair[2 * NUMBER_BYTES_MAX];
        size_t pair_size = put_number(pair, (uint64_t)(run->first - end));
        pair_size += put_number(pair + pair_size, (uint64_t)(run->last - run->first));
        if (mark_size + base64_encoded_size(size + pair_size) > room)
            break;
        memcpy(raw + size, pair, pair_size);
        size += pair_size;
        end = run->last + 1;
    }
    text[0] = '\0';
    if (size > 0) {
        memcpy(text, mark, mark_size);
        base64_encode(raw, size, text + mark_size);
    }
    return fitting;
}

static bool
read_runs(int64_t base, const uint8_t *raw, size_t size, OffsetRun *runs, size_t *ret_count)
{
    size_t count = 0;
    int64_t end = base;
    for (size_t at = 0; at < size; count++) {
        int64_t gap;
        int64_t length;
        if (!take_number(raw, size, &at, &gap) || !take_number(raw, size, &at, &length) ||
            gap > INT64_MAX - end || length >= INT64_MAX - end - gap)
            return false;
        runs[count] = (OffsetRun){end + gap, end + gap + length};
        end = runs[count].last + 1;
    }
    *ret_count = count;
    return true;
}

bool
offset_ahead_decode(int64_t base, const char *text, OffsetRun **ret_runs, size_t *ret_count)
{
    uint8_t raw[RAW_BYTES_MAX];
    size_t size = 0;
    const size_t mark_size = sizeof(mark) - 1;
    if (text != NULL && text[0] != '\0' &&
        (base < 0 || strncmp(text, mark, mark_size) != 0 ||
         !base64_decode(text + mark_size, strlen(text + mark_size), raw, sizeof(raw), &size)))
        return false;
    CLEANUP(autofree) OffsetRun *runs = calloc(size / 2 + 1, sizeof(*runs));
    if (runs == NULL || !read_runs(base, raw, size, runs, ret_count))
        return false;
    *ret_runs = runs;
    runs = NULL;
    return true;
}

bool
offset_ahead_covers(int64_t committed, const char *text, int64_t offset)
{
    CLEANUP(autofree) OffsetRun *runs = NULL;
    size_t count = 0;
    if (offset < committed)
        return true;
    if (!offset_ahead_decode(committed, text, &runs, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (runs[i].first <= offset && offset <= runs[i].last)
            return true;
    }
    return false;
}

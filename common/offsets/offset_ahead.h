/*
 * offset_ahead: the offsets of a partition that are finished ahead of an unfinished one, as text
 * for the metadata of its committed offset. Pure.
 *
 * The text is "ahead1:" and, in base64, a gap and a length for each run of finished offsets, as
 * LEB128 numbers; the gap counts from the end of the run before, the first from the committed
 * offset. No run is no text.
 * Threads: any.
 */
#ifndef COMMON_OFFSETS_OFFSET_AHEAD_H
#define COMMON_OFFSETS_OFFSET_AHEAD_H

#include "common/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Brokers refuse more than 4,096 bytes by default (offset.metadata.max.bytes). */
    OFFSET_AHEAD_BYTES_MAX = 3500,
};

/* Every record from `first` to `last` is finished; offsets between them that hold no record
 * (transaction markers) count as well. */
typedef struct OffsetRun {
    int64_t first;
    int64_t last;
} OffsetRun;

/* Writes the runs, which lie above `base`, ascending and apart, into at most `max_bytes` characters
 * (at most OFFSET_AHEAD_BYTES_MAX) and a NUL. Returns how many of the runs are in the text. */
size_t offset_ahead_encode(int64_t base, const OffsetRun *runs, size_t count, size_t max_bytes,
                           char *text);

/* Reads such a text, NULL or "" for none. False, and nothing filled, when it is not one or memory
 * is out. The caller frees the runs. */
bool offset_ahead_decode(int64_t base, const char *text, OffsetRun **ret_runs,
                         size_t *ret_count) MUST_CHECK;

/* Is `offset` finished, according to the committed offset and its metadata? */
bool offset_ahead_covers(int64_t committed, const char *text, int64_t offset);

#endif

/*
 * arena: memory that is given back all at once.
 *
 * Owns:      blocks, out of which it hands out zeroed pieces from left to right.
 * Threads:   one at a time.
 * Invariant: a piece is valid until the next arena_reset. What was used up to a megabyte is kept as
 * one block from then on, so that work of about the same size asks malloc for nothing.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include "common/autofree.h"

typedef struct ArenaBlock ArenaBlock;

/* Begins as {0}. */
typedef struct Arena {
    ArenaBlock *blocks; /* the one in use first */
    size_t used;        /* of all blocks, since the last reset */
} Arena;

/* Room for `count` elements of `size` bytes, all zero, aligned for any type; also for none.
 * NULL when out of memory. */
void *arena_alloc(Arena *arena, size_t count, size_t size) MUST_CHECK;

/* A piece of `size` bytes that begins with the `old_size` bytes of `piece` (NULL for none), which
 * is not used any more; the rest is zero. In place where `piece` was the last. NULL when out of
 * memory: then `piece` stays as it is. */
void *arena_grow(Arena *arena, void *piece, size_t old_size, size_t size) MUST_CHECK;

/* Takes back every piece. */
void arena_reset(Arena *arena);

/* Frees everything. */
void arena_done(Arena *arena);

#endif

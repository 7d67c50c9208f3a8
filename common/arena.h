/*
 * arena: memory that is given back all at once.
 *
 * Owns:      blocks, out of which it hands out zeroed pieces from left to right.
 * Threads:   one at a time.
 * Invariant: a piece is valid until it is taken back. What was used up to a megabyte is kept as
 * one block from then on, so that work of about the same size asks malloc for nothing.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include "common/macros.h"

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

/* The text once more. NULL when out of memory. */
char *arena_copy(Arena *arena, const char *text) MUST_CHECK;

/* A place in the arena. */
typedef struct ArenaMark {
    ArenaBlock *block;
    size_t block_used;
    size_t used;
} ArenaMark;

ArenaMark arena_mark(const Arena *arena);

/* Takes back every piece that was handed out, or grew, since the mark was taken. */
void arena_rewind(Arena *arena, ArenaMark mark);

/* Takes back every piece. */
void arena_reset(Arena *arena);

/* Frees everything. */
void arena_done(Arena *arena);

#endif

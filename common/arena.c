#include "common/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define FORBID(bytes, size) ASAN_POISON_MEMORY_REGION(bytes, size)
#define ALLOW(bytes, size) ASAN_UNPOISON_MEMORY_REGION(bytes, size)
#else
#define FORBID(bytes, size) ((void)(bytes), (void)(size))
#define ALLOW(bytes, size) ((void)(bytes), (void)(size))
#endif

enum {
    BLOCK_BYTES = 16 * 1024,
    KEPT_BYTES = 1024 * 1024,
};

struct ArenaBlock {
    ArenaBlock *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

static size_t
round_up(size_t size)
{
    return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static bool
add_block(Arena *arena, size_t size)
{
    ArenaBlock *block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return false;
    *block = (ArenaBlock){.next = arena->blocks, .size = size};
    FORBID(block->bytes, size);
    arena->blocks = block;
    return true;
}

/* Out of the current block, which has the room. */
static char *
cut(Arena *arena, size_t size)
{
    ArenaBlock *block = arena->blocks;
    char *piece = block->bytes + block->used;
    block->used += size;
    arena->used += size;
    ALLOW(piece, size);
    return piece;
}

static bool
has_room(const Arena *arena, size_t size)
{
    return arena->blocks != NULL && arena->blocks->size - arena->blocks->used >= size;
}

void *
arena_alloc(Arena *arena, size_t count, size_t size)
{
    if (size > 0 && count > (SIZE_MAX / 2 - sizeof(ArenaBlock)) / size)
        return NULL;
    const size_t bytes = round_up(count * size > 0 ? count * size : 1);
    if (!has_room(arena, bytes) && !add_block(arena, bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES))
        return NULL;
    return memset(cut(arena, bytes), 0, bytes);
}

static bool
is_last(const Arena *arena, const char *piece, size_t size)
{
    const ArenaBlock *block = arena->blocks;
    return piece + round_up(size) == block->bytes + block->used;
}

void *
arena_grow(Arena *arena, void *piece, size_t old_size, size_t size)
{
    if (piece != NULL && is_last(arena, piece, old_size)) {
        const size_t more = round_up(size) - round_up(old_size);
        if (has_room(arena, more)) {
            memset(cut(arena, more), 0, more);
            return piece;
        }
    }
    char *grown = arena_alloc(arena, 1, size);
    if (grown != NULL && piece != NULL)
        memcpy(grown, piece, old_size);
    return grown;
}

/* Those that came after `last`. */
static void
free_blocks(Arena *arena, const ArenaBlock *last)
{
    while (arena->blocks != last) {
        ArenaBlock *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

static void
take_back(ArenaBlock *block, size_t used)
{
    block->used = used;
    FORBID(block->bytes + used, block->size - used);
}

char *
arena_copy(Arena *arena, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = arena_alloc(arena, size, 1);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

ArenaMark
arena_mark(const Arena *arena)
{
    ArenaBlock *block = arena->blocks;
    return (ArenaMark){
        .block = block, .block_used = block != NULL ? block->used : 0, .used = arena->used};
}

void
arena_rewind(Arena *arena, ArenaMark mark)
{
    free_blocks(arena, mark.block);
    if (mark.block != NULL)
        take_back(mark.block, mark.block_used);
    arena->used = mark.used;
}

void
arena_reset(Arena *arena)
{
    const size_t used = arena->used;
    arena->used = 0;
    if (arena->blocks == NULL)
        return;
    if (arena->blocks->next == NULL && arena->blocks->size <= KEPT_BYTES) {
        take_back(arena->blocks, 0);
        return;
    }
    free_blocks(arena, NULL);
    /* Without memory for it now, the next piece asks again. */
    if (used <= KEPT_BYTES)
        (void)add_block(arena, used);
}

void
arena_done(Arena *arena)
{
    free_blocks(arena, NULL);
    *arena = (Arena){0};
}

#include "common/arena.h"
#include "common/strbuf.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    PIECES = 1000,
    ROUNDS = 20,
    LARGE = 100 * 1000,
};

static void
assert_zero(const char *piece, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(piece[i], 0);
}

static void
test_alloc_gives_aligned_zeroed_pieces_apart(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena arena = {0};
    char *pieces[PIECES];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < PIECES; i++) {
            pieces[i] = arena_alloc(&arena, i, 1);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
            assert_zero(pieces[i], i);
            memset(pieces[i], (int)(i % 127 + 1), i);
        }
        for (size_t i = 0; i < PIECES; i++) {
            for (size_t at = 0; at < i; at++)
                assert_int_equal(pieces[i][at], i % 127 + 1);
        }
        arena_reset(&arena);
    }
}

static void
test_alloc_of_more_than_there_can_be_is_refused(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena arena = {0};
    assert_null(arena_alloc(&arena, SIZE_MAX / 4, 8));
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    assert_non_null(arena_alloc(&arena, 0, 8));
}

static void
test_grow_keeps_the_bytes(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena arena = {0};
    char *first = arena_grow(&arena, NULL, 0, 10);
    char *second = arena_grow(&arena, NULL, 0, 10);
    memset(first, 1, 10);
    memset(second, 2, 10);
    /* The last one grows where it is. */
    assert_ptr_equal(arena_grow(&arena, second, 10, 100), second);
    assert_zero(second + 10, 90);
    char *moved = arena_grow(&arena, first, 10, 100);
    assert_ptr_not_equal(moved, first);
    char *large = arena_grow(&arena, moved, 100, LARGE);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(second[i], 2);
        assert_int_equal(large[i], 1);
    }
    assert_zero(large + 10, LARGE - 10);
}

/* What grows in turns as the arrays of a set do. */
static void
fill(Arena *arena)
{
    StrBuf texts[4] = {{.arena = arena}, {.arena = arena}, {.arena = arena}, {.arena = arena}};
    for (int i = 0; i < PIECES; i++)
        strbuf_add_format(&texts[i % 4], "%d,", i);
    for (int i = 0; i < 4; i++)
        assert_false(texts[i].failed);
    assert_true(strncmp(strbuf_text(&texts[3]), "3,7,11,15,", 10) == 0);
}

static void
test_reset_keeps_one_block_for_the_same_work(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena arena = {0};
    fill(&arena);
    arena_reset(&arena);
    const ArenaBlock *kept = arena.blocks;
    assert_non_null(kept);
    for (int round = 0; round < ROUNDS; round++) {
        fill(&arena);
        assert_ptr_equal(arena.blocks, kept);
        arena_reset(&arena);
    }
}

static void
test_rewind_takes_back_what_came_after_the_mark(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena arena = {0};
    const ArenaMark empty = arena_mark(&arena);
    char *kept = arena_alloc(&arena, 10, 1);
    memset(kept, 1, 10);
    for (int round = 0; round < ROUNDS; round++) {
        const ArenaMark mark = arena_mark(&arena);
        fill(&arena);
        assert_non_null(arena_alloc(&arena, LARGE, 1));
        arena_rewind(&arena, mark);
        assert_int_equal(arena.used, mark.used);
        assert_ptr_equal(arena.blocks, mark.block);
        for (int i = 0; i < 10; i++)
            assert_int_equal(kept[i], 1);
    }
    arena_rewind(&arena, empty);
    assert_null(arena.blocks);
    assert_int_equal(arena.used, 0);
}

static void
test_reset_gives_large_blocks_back(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena arena = {0};
    assert_non_null(arena_alloc(&arena, 1000 * LARGE, 1));
    arena_reset(&arena);
    assert_null(arena.blocks);
    assert_non_null(arena_alloc(&arena, 1, 1));
}

static void
test_strbuf_of_an_arena_is_taken_without_being_freed(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena arena = {0};
    StrBuf buffer = {.arena = &arena};
    strbuf_add_text(&buffer, "one");
    const char *first = strbuf_take(&buffer);
    strbuf_add_text(&buffer, "two");
    const char *second = strbuf_take(&buffer);
    assert_string_equal(first, "one");
    assert_string_equal(second, "two");
    strbuf_done(&buffer);
    assert_string_equal(first, "one");
}

static void
test_copy_is_the_text_once_more(void **state)
{
    (void)state;
    CLEANUP(arena_done) Arena own = {0};
    char text[] = "text";
    char *copy = arena_copy(&own, text);
    text[0] = 'n';
    assert_string_equal(copy, "text");
    assert_string_equal(arena_copy(&own, ""), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_is_the_text_once_more),
        cmocka_unit_test(test_alloc_gives_aligned_zeroed_pieces_apart),
        cmocka_unit_test(test_alloc_of_more_than_there_can_be_is_refused),
        cmocka_unit_test(test_grow_keeps_the_bytes),
        cmocka_unit_test(test_reset_keeps_one_block_for_the_same_work),
        cmocka_unit_test(test_rewind_takes_back_what_came_after_the_mark),
        cmocka_unit_test(test_reset_gives_large_blocks_back),
        cmocka_unit_test(test_strbuf_of_an_arena_is_taken_without_being_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_arena: one arena for what the tests of a program print; hand test_arena_tear_down to
 * cmocka_run_group_tests.
 */
#ifndef TESTS_SUPPORT_TEST_ARENA_H
#define TESTS_SUPPORT_TEST_ARENA_H

#include "common/arena.h"

static Arena arena;

static int
test_arena_tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

#endif

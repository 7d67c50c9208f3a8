/*
 * macros: clean-up at the end of a scope, results that a caller must look at, formats that the
 * compiler checks, the length of an array, the smaller of two sizes. C11 has none of them; gcc and
 * clang have attributes.
 *
 * Threads: any.
 */
#ifndef COMMON_MACROS_H
#define COMMON_MACROS_H

#include <stddef.h>
#include <stdlib.h>

/* Before a variable: calls function(&variable) at the end of its scope. The function accepts a
 * pointer to NULL, or to {0}, so that a variable that was handed on is set to that. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* After a declaration: a call that drops the result is a warning. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* After a declaration: the arguments are checked against the format. Counted from 1. */
#define PRINTF_LIKE(format_index, first_argument)                                                  \
    __attribute__((format(printf, format_index, first_argument)))

/* The smaller of two. */
static inline size_t
size_least(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* Of an array, not of a pointer. */
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Defines `static inline void <function>p(type **)` for use with CLEANUP. */
#define DEFINE_FREEP(type, function)                                                               \
    static inline void function##p(type **object)                                                  \
    {                                                                                              \
        function(*object);                                                                         \
        *object = NULL;                                                                            \
    }

/* Frees what a `char *` or any other heap pointer holds: CLEANUP(autofree) char *text = NULL; */
static inline void
autofree(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

#endif

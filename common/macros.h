/*
 * macros: what C lacks: clean-up at the end of a scope, checked results, the length of an array.
 *
 * CLEANUP(f) calls f(&variable) at the end of the scope; f accepts a pointer to NULL.
 */
#ifndef COMMON_MACROS_H
#define COMMON_MACROS_H

#include <stddef.h>
#include <stdlib.h>

#define CLEANUP(function) __attribute__((cleanup(function)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument)                                                  \
    __attribute__((format(printf, format_index, first_argument)))

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

/*
 * text: copies of texts.
 *
 * Threads: any.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/error.h"

/* Copies the text; the caller frees it. Fails only when out of memory. */
bool text_copy(const char *text, char **ret_copy, Error *err) MUST_CHECK;

#endif

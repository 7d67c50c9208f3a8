/*
 * base64: RFC 4648 section 4, with padding. Pure.
 *
 * Threads: any.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include "common/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many characters `size` bytes become, without the NUL. */
size_t base64_encoded_size(size_t size);

/* Writes base64_encoded_size(size) characters and a NUL. */
void base64_encode(const uint8_t *bytes, size_t size, char *text);

/* Decodes `length` characters into at most `room` bytes. False when the text is not base64 or does
 * not fit. */
bool base64_decode(const char *text, size_t length, uint8_t *bytes, size_t room,
                   size_t *ret_size) MUST_CHECK;

#endif

/*
 * uuid_text: the size of a UUID as text, "01234567-89ab-cdef-0123-456789abcdef".
 */
#ifndef COMMON_UUID_TEXT_H
#define COMMON_UUID_TEXT_H

enum {
    UUID_TEXT_LENGTH = 36,
    UUID_TEXT_BYTES = UUID_TEXT_LENGTH + 1, /* with its NUL */
};

#endif

/*
 * pg_binary: values in PostgreSQL's binary form, for what common/pg sends. Private to common/pg.
 *
 * Threads: any.
 */
#ifndef COMMON_PG_PG_BINARY_H
#define COMMON_PG_PG_BINARY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PG_UUID_BYTES = 16,
};

/* Network byte order. */
void pg_binary_put_uint16(char *bytes, uint16_t number);
void pg_binary_put_uint32(char *bytes, uint32_t number);
void pg_binary_put_uint64(char *bytes, uint64_t number);

/* The UUID that the text shows, as in 0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a01; false when it shows
 * none. */
bool pg_binary_put_uuid(char bytes[PG_UUID_BYTES], const char *text);

#endif

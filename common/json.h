/*
 * json: strict JSON (RFC 8259) over cJSON, which alone would accept more.
 *
 * Owns:      nothing but the tree it returns.
 * Threads:   json_parse on one thread at a time (cJSON keeps a global error pointer).
 * Invariant: a tree that comes out has no duplicate keys, no NUL, valid UTF-8 and finite numbers.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "common/macros.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

typedef enum JsonFault {
    JSON_FAULT_NONE,
    JSON_FAULT_UTF8,          /* not UTF-8 (RFC 3629), or a byte order mark */
    JSON_FAULT_SYNTAX,        /* not one JSON text with nothing but white space after it */
    JSON_FAULT_DEPTH,         /* nested deeper than allowed */
    JSON_FAULT_DUPLICATE_KEY, /* an object names a key twice */
    JSON_FAULT_MEMORY,
} JsonFault;

/* The length of one number as it is written; RFC 8259 leaves the limit to us. */
enum {
    JSON_NUMBER_MAX_BYTES = 63,
};

/* Parses exactly `size` bytes, which need no NUL. On JSON_FAULT_NONE the caller deletes *ret_root;
 * else it is untouched and *ret_position tells the byte where the fault was seen (0 where it has
 * none). */
JsonFault json_parse(const char *bytes, size_t size, int max_depth, cJSON **ret_root,
                     size_t *ret_position) MUST_CHECK;

/* For CLEANUP(json_deletep). */
void json_deletep(cJSON **root);

#endif

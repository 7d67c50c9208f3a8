/*
 * request: the command that `send` puts on the topic.
 *
 * Owns:      its strings.
 * Threads:   one at a time.
 * Invariant: what the user typed is what stands in it; request_check judges it.
 */
#ifndef WORKER_CLI_REQUEST_H
#define WORKER_CLI_REQUEST_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct RequestOptions {
    const char *id;           /* or NULL */
    const char *requested_by; /* or NULL */
    bool expires;
    int64_t expires_in_ms;
} RequestOptions;

typedef struct Request {
    char *id;   /* NULL: unknown, the worker derives one */
    char *key;  /* or NULL */
    char *json; /* the record's value */
} Request;

/* words: TASK [param=value…]. Without an id a random UUID is made. ERROR_REJECT for a word that is
 * no param. */
bool request_from_words(char *const *words, size_t count, const RequestOptions *options,
                        Request *ret_request, Error *err) MUST_CHECK;

/* The bytes as they are; id (unless the options name it) and key are taken from them where they are
 * such JSON. */
bool request_from_raw(const char *raw, const RequestOptions *options, Request *ret_request,
                      Error *err) MUST_CHECK;

void request_done(Request *request);

#endif

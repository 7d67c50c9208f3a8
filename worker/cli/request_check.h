/*
 * request_check: would a worker take this command? By the worker's own tables.
 *
 * Owns:      nothing.
 * Threads:   one at a time.
 * Invariant: what an operator may set for the workers (limits) is left to them.
 */
#ifndef WORKER_CLI_REQUEST_CHECK_H
#define WORKER_CLI_REQUEST_CHECK_H

#include "worker/cli/request.h"

/* Fails with REASON_USAGE and the sentence of the rejection, with the nearest task or param where
 * one was mistyped. */
bool request_check(const Request *request, Error *err) MUST_CHECK;

#endif

/*
 * signals: SIGTERM and SIGINT as a descriptor to poll.
 *
 * Owns:    nothing.
 * Threads: the main thread, before it starts others.
 */
#ifndef WORKER_CLI_SIGNALS_H
#define WORKER_CLI_SIGNALS_H

#include "common/error.h"

/* Blocks SIGTERM and SIGINT for this thread and those it starts, and returns a descriptor that
 * becomes readable when one arrives; -1 when that failed. The caller closes it. */
int signals_open(Error *err) MUST_CHECK;

/* True once a signal has arrived; never waits. */
bool signals_arrived(int signal_fd);

/* The same for those who are handed a pointer to the descriptor (KafkaInterrupt). */
bool signals_arrived_at(void *signal_fd);

#endif

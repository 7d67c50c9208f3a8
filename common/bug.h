/*
 * bug: ends the process when it is in a state that the program rules out. Going on would act on a
 * state that is not true; the ledger and the committed offsets bring a new process to where this
 * one was.
 *
 * Owns:    nothing.
 * Threads: any.
 */
#ifndef COMMON_BUG_H
#define COMMON_BUG_H

/* A state of `machine` was to become one that cannot follow it: logs an error that names both, then
 * ends the process with SIGABRT. All are static names of this program. */
_Noreturn void bug_transition(const char *machine, const char *from, const char *to);

#endif

/*
 * every_task: one command of each task and of each shape, each of them twice, with what must come
 * of it on tables that are always the same.
 *
 * Threads: one at a time.
 */
#ifndef TESTS_SUPPORT_EVERY_TASK_H
#define TESTS_SUPPORT_EVERY_TASK_H

#include "tests/support/tasks.h"

/* Clears the tables: users 1 to 3 with an inactive session each, user 4 who is active, two old
 * bookings and a confirmed one. */
void every_task_fill(PgConn *app);

/* Runs them with a worker of these settings; each is answered with the same bytes the second time,
 * from the ledger. Whatever is not as it must be fails the test. */
void every_task_run(PgConn *app, const DatabaseSettings *settings);

#endif

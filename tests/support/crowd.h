/*
 * crowd: so many rows that it matters how statements find theirs.
 *
 * Threads: that of the PgConn.
 */
#ifndef TESTS_SUPPORT_CROWD_H
#define TESTS_SUPPORT_CROWD_H

#include "tests/support/application.h"

/* Plans and statistics are what the test makes them from here on. */
void crowd_stop_autovacuum(PgConn *conn);

/* Users from 1 on, of whom each tenth is active: each with an inactive session "s<user>", a recent
 * one "t<user>", two images and a video in either, and three messages; and as many bookings
 * "b<number>", of which each fifth is Pending and half of these old. Keys come in no order, and no
 * statistics know the rows. */
void crowd_add(PgConn *conn, int users);

/* Commands that ended long ago, at the offsets from 1 on of SENT_TOPIC and SENT_PARTITION. */
void crowd_add_ledger(PgConn *conn, int rows);
void crowd_add_ledger_from(PgConn *conn, int first, int last);

/* Removes the rows one by one, so that the statistics stay as they are, and with them the plans. */
void crowd_delete(PgConn *conn);

#endif

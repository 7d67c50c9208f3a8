/*
 * ranges: sessions enough, as far as the statistics know, to be divided into ranges.
 *
 * Threads: that of the PgConn.
 */
#ifndef TESTS_SUPPORT_RANGES_H
#define TESTS_SUPPORT_RANGES_H

#include "tests/support/postgres.h"

enum {
    RANGES_USERS = 400,
    RANGES_LARGE = 10000, /* rows that make two ranges worth while */
};

#define RANGES_LOWEST "00000000-0000-0000-0000-000000000000"
#define RANGES_HIGHEST "ffffffff-ffff-ffff-ffff-ffffffffffff"
#define RANGES_OF "FROM cleanup_worker.ledger_range WHERE target = 'sessions'"

/* Range `r` covers the user `u.id`. */
#define RANGES_HOLD_U                                                                              \
    "(r.bound_low = '' OR r.bound_low::uuid <= u.id) AND "                                         \
    "(r.bound_high = '' OR u.id <= r.bound_high::uuid)"

/* RANGES_USERS users all over the UUIDs, one in ten of them active, and two at the ends, each with
 * one old session: "s<n>", "lowest" and "highest". The statistics know them. */
void ranges_add_users(PgConn *conn);

/* The catalog takes the sessions for so many, until an ANALYZE counts them again. */
void ranges_pretend_rows(PgConn *conn, int rows);

#endif

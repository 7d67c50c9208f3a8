/*
 * application: rows of the sample application for integration tests.
 *
 * Users and properties are known by a number; ages are hours before the database's now.
 */
#ifndef TESTS_SUPPORT_APPLICATION_H
#define TESTS_SUPPORT_APPLICATION_H

#include "tests/support/postgres.h"

#define USER_FORMAT "00000000-0000-4000-8000-%012d"

enum {
    APPLICATION_ROLE_BYTES = 48,
};

/* The user, his one session "s<user>" of that age, with two images and a video. */
void application_add_user(PgConn *conn, int user, int session_age_hours);
/* Another session of the user without records. */
void application_add_session(PgConn *conn, const char *id, int user, int age_hours);
void application_add_message(PgConn *conn, int user, const char *sender, int age_hours);
void application_add_booking(PgConn *conn, const char *id, const char *status, int age_hours);

/* Begins a transaction that holds the user as a message in flight does. */
void application_hold_user(PgConn *conn, int user);

/* A login that may do what a worker does; a test revokes what is to be missing. */
void application_add_role(PgConn *conn, char name[APPLICATION_ROLE_BYTES]);
void application_drop_role(PgConn *conn, const char *name);

int64_t application_count_sessions(PgConn *conn);

#endif

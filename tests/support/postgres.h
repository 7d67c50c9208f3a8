/*
 * postgres: a database of its own for each integration test program, and "the application" as a
 * second connection.
 *
 * Owns:      the database that postgres_create makes from deploy/postgres/application.sql and the
 * worker's migrations.
 * Threads:   the test's one thread, but a PgConn may be handed to another.
 */
#ifndef TESTS_SUPPORT_POSTGRES_H
#define TESTS_SUPPORT_POSTGRES_H

#include "common/pg/pg.h"
#include "worker/repository/database.h"

enum {
    POSTGRES_SKIPPED = 77,
};

/* False, after saying so, when TEST_POSTGRES_DSN is not set: main then returns POSTGRES_SKIPPED. */
bool postgres_is_available(void);

/* Creates the database; fails the test group when that fails. `application_sql` is the file's path.
 */
int postgres_create(const char *application_sql);
/* The same, in an encoding as CREATE DATABASE takes it. */
int postgres_create_encoded(const char *application_sql, const char *encoding);
/* Drops it; for cmocka's group teardown. */
int postgres_drop(void **state);

/* Settings of the worker for that database; static storage. */
DatabaseSettings postgres_settings(void);
/* The same, logged in as `role`; "" = the role of TEST_POSTGRES_DSN. The caller frees it. */
char *postgres_dsn(const char *role);

/* All of these fail the test on any error. */
Database *postgres_open(const DatabaseSettings *settings);
PgConn *postgres_connect(void);
void postgres_exec(PgConn *conn, const char *format, ...) PRINTF_LIKE(2, 3);
/* Executes a file of SQL. */
void postgres_exec_file(PgConn *conn, const char *path);
int64_t postgres_number(PgConn *conn, const char *format, ...) PRINTF_LIKE(2, 3);
/* Executes a COPY … FROM STDIN with no rows. */
void postgres_copy_nothing(PgConn *conn, const char *copy);
/* Asks again until the query says true. */
void postgres_wait_until(PgConn *conn, const char *query);

/* Empties the application's and the worker's tables. */
void postgres_clear(PgConn *conn);

/* Fails the test with the error's text when `done` is false. */
#define ASSERT_OK(done, err)                                                                       \
    do {                                                                                           \
        if (!(done))                                                                               \
            fail_msg("%s: %s", #done, (err)->text);                                                \
    } while (0)

#endif

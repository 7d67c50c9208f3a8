#include "tests/support/application.h"

#include <stdio.h>
#include <unistd.h>

#define AGED "(now() AT TIME ZONE 'UTC') - %d * interval '1 hour'"
#define PROPERTY "10000000-0000-4000-8000-000000000001"

void
application_add_session(PgConn *conn, const char *id, int user, int age_hours)
{
    postgres_exec(conn,
                  "INSERT INTO sessions (id, user_id, created_at, property_id) "
                  "VALUES ('%s', '" USER_FORMAT "', " AGED ", '" PROPERTY "')",
                  id, user, age_hours);
}

void
application_add_user(PgConn *conn, int user, int session_age_hours)
{
    char id[32];
    (void)snprintf(id, sizeof(id), "s%d", user);
    postgres_exec(conn, "INSERT INTO properties VALUES ('" PROPERTY "') ON CONFLICT DO NOTHING");
    postgres_exec(conn, "INSERT INTO users (user_id) VALUES ('" USER_FORMAT "')", user);
    application_add_session(conn, id, user, session_age_hours);
    postgres_exec(conn,
                  "INSERT INTO \"imageSent\" (session_id, property_id) "
                  "SELECT '%s', '" PROPERTY "' FROM generate_series(1, 2)",
                  id);
    postgres_exec(conn,
                  "INSERT INTO \"videoSent\" (session_id, property_id) "
                  "VALUES ('%s', '" PROPERTY "')",
                  id);
}

void
application_add_message(PgConn *conn, int user, const char *sender, int age_hours)
{
    postgres_exec(conn,
                  "INSERT INTO messages (user_id, sender, content, \"timestamp\") "
                  "VALUES ('" USER_FORMAT "', '%s', 'hello', " AGED ")",
                  user, sender, age_hours);
}

void
application_add_booking(PgConn *conn, const char *id, const char *status, int age_hours)
{
    postgres_exec(conn,
                  "INSERT INTO bookings (booking_id, status, total_cost, created_at, updated_at) "
                  "VALUES ('%s', '%s', 1234.50, " AGED ", NULL)",
                  id, status, age_hours);
}

void
application_hold_user(PgConn *conn, int user)
{
    postgres_exec(conn, "BEGIN; SELECT FROM users WHERE user_id = '" USER_FORMAT "' FOR KEY SHARE",
                  user);
}

void
application_add_role(PgConn *conn, char name[APPLICATION_ROLE_BYTES])
{
    (void)snprintf(name, APPLICATION_ROLE_BYTES, "cleanup_test_worker_%d", (int)getpid());
    postgres_exec(conn,
                  "CREATE ROLE %s LOGIN; GRANT USAGE ON SCHEMA cleanup_worker TO %s; "
                  "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cleanup_worker "
                  "TO %s; GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %s",
                  name, name, name, name);
}

void
application_drop_role(PgConn *conn, const char *name)
{
    postgres_exec(conn, "DROP OWNED BY %s; DROP ROLE %s", name, name);
}

int64_t
application_count_sessions(PgConn *conn)
{
    return postgres_number(conn, "SELECT count(*) FROM sessions");
}

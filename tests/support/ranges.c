#include "tests/support/ranges.h"

static void
add_user(PgConn *conn, const char *user_id, const char *session_id)
{
    postgres_exec(conn, "INSERT INTO users VALUES ('%s') ON CONFLICT DO NOTHING", user_id);
    postgres_exec(conn,
                  "INSERT INTO sessions (id, user_id, created_at) VALUES ('%s', '%s', "
                  "now() AT TIME ZONE 'UTC' - interval '30 days')",
                  session_id, user_id);
}

void
ranges_add_users(PgConn *conn)
{
    postgres_exec(conn, "INSERT INTO users SELECT md5(n::text)::uuid FROM generate_series(1, %d) n",
                  RANGES_USERS);
    postgres_exec(conn,
                  "INSERT INTO sessions (id, user_id, created_at) SELECT 's' || n, "
                  "md5(n::text)::uuid, now() AT TIME ZONE 'UTC' - interval '30 days' "
                  "FROM generate_series(1, %d) n",
                  RANGES_USERS);
    postgres_exec(conn,
                  "INSERT INTO messages (user_id, sender) SELECT md5(n::text)::uuid, 'user' "
                  "FROM generate_series(10, %d, 10) n",
                  RANGES_USERS);
    add_user(conn, RANGES_LOWEST, "lowest");
    add_user(conn, RANGES_HIGHEST, "highest");
    postgres_exec(conn, "ALTER TABLE sessions SET (autovacuum_enabled = off)");
    postgres_exec(conn, "ANALYZE sessions");
}

void
ranges_pretend_rows(PgConn *conn, int rows)
{
    postgres_exec(conn, "UPDATE pg_class SET reltuples = %d WHERE oid = 'sessions'::regclass",
                  rows);
}

#include "tests/support/crowd.h"

#include "tests/support/sent.h"

#define PROPERTY "10000000-0000-4000-8000-000000000001"

void
crowd_stop_autovacuum(PgConn *conn)
{
    postgres_exec(conn,
                  "DO $$ DECLARE r regclass; BEGIN FOR r IN SELECT relid FROM pg_stat_user_tables "
                  "LOOP EXECUTE format('ALTER TABLE %%s SET (autovacuum_enabled = off)', r); "
                  "END LOOP; END $$");
}

static void
add_sessions(PgConn *conn)
{
    postgres_exec(conn,
                  "INSERT INTO properties VALUES ('" PROPERTY "') ON CONFLICT DO NOTHING; "
                  "INSERT INTO users SELECT id FROM crowd; "
                  "INSERT INTO sessions (id, user_id, created_at, property_id) "
                  "SELECT kind || n, id, (now() AT TIME ZONE 'UTC') - age, '" PROPERTY "' "
                  "FROM crowd, (VALUES ('s', interval '48 hours'), ('t', '1 hour')) k (kind, age); "
                  "INSERT INTO \"imageSent\" (session_id, property_id) "
                  "SELECT id, property_id FROM sessions, generate_series(1, 2); "
                  "INSERT INTO \"videoSent\" (session_id, property_id) "
                  "SELECT id, property_id FROM sessions");
}

static void
add_messages(PgConn *conn)
{
    postgres_exec(conn,
                  "INSERT INTO messages (user_id, sender, content, \"timestamp\") "
                  "SELECT id, sender, 'hello', (now() AT TIME ZONE 'UTC') - age "
                  "FROM crowd, (VALUES ('user', interval '96 hours'), ('bot', '1 hour')) "
                  "k (sender, age) UNION ALL "
                  "SELECT id, 'user', 'hello', (now() AT TIME ZONE 'UTC') - "
                  "CASE WHEN n %% 10 = 0 THEN interval '1 hour' ELSE '72 hours' END FROM crowd");
}

static void
add_bookings(PgConn *conn)
{
    postgres_exec(conn,
                  "INSERT INTO bookings (booking_id, status, created_at, updated_at) "
                  "SELECT 'b' || n, "
                  "(CASE WHEN n %% 5 = 0 THEN 'Pending' ELSE 'Confirmed' END)::booking_status, "
                  "(now() AT TIME ZONE 'UTC') - n * interval '1 ms' - "
                  "CASE WHEN n %% 10 = 0 THEN interval '48 hours' ELSE '0' END, NULL FROM crowd");
}

/* What is added refers to what is there; to check each reference would take most of the time. */
void
crowd_add(PgConn *conn, int users)
{
    postgres_exec(conn,
                  "SET session_replication_role = replica; "
                  "CREATE TEMPORARY TABLE crowd AS "
                  "SELECT n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid AS id "
                  "FROM generate_series(1, %d) n ORDER BY md5(n::text)",
                  users);
    add_sessions(conn);
    add_messages(conn);
    add_bookings(conn);
    postgres_exec(conn, "DROP TABLE crowd; RESET session_replication_role");
}

void
crowd_add_ledger(PgConn *conn, int rows)
{
    crowd_add_ledger_from(conn, 1, rows);
}

void
crowd_add_ledger_from(PgConn *conn, int first, int last)
{
    postgres_exec(conn,
                  "INSERT INTO cleanup_worker.ledger "
                  "SELECT 'old' || n, 'scheduled_cleanup', 'succeeded', '" SENT_TOPIC "', %d, n, "
                  "1, 0, 'w', 1, 1, 1, 1, 1, false, NULL, '{}' FROM generate_series(%d, %d) AS n",
                  SENT_PARTITION, first, last);
}

void
crowd_delete(PgConn *conn)
{
    postgres_exec(conn, "SET session_replication_role = replica; "
                        "DELETE FROM messages; DELETE FROM \"imageSent\"; "
                        "DELETE FROM \"videoSent\"; DELETE FROM sessions; DELETE FROM users; "
                        "DELETE FROM bookings; DELETE FROM cleanup_worker.ledger; "
                        "RESET session_replication_role");
}

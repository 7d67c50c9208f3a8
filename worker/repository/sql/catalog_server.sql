-- Whether this server can do the worker's work.
-- $1 bigint  the worker's clock, microseconds since 1970 UTC
-- $2 bigint  how far apart the clocks may be, milliseconds (0 = not looked at)
-- $3 bigint  how many connections one worker has (0 = not looked at)
-- Returns findings, one at least; worker/repository/catalog.c names their columns.
WITH server AS (
    SELECT current_setting('server_version_num')::int AS version,
           regexp_replace(current_setting('server_version'), ' .*', '') AS name,
           pg_is_in_recovery() AS standby,
           lower(current_setting('default_transaction_read_only')) = 'on' AS read_only,
           current_setting('session_replication_role') AS replication_role,
           session_user AS login,
           round(extract(epoch FROM clock_timestamp()) - $1::bigint / 1000000.0, 1) AS apart
)
SELECT 'FAIL' AS level, 'server_version' AS code, 'PostgreSQL' AS subject, NULL AS concerns,
       format('%s is too old, the worker needs 12 or newer', s.name) AS what,
       NULL AS why, NULL AS mend
FROM server s WHERE s.version < 120000
UNION ALL
SELECT 'FAIL', 'server_read_only', 'PostgreSQL', NULL, s.name || ' is a standby',
       'Nothing can be written there: postgres.dsn has to lead to the primary.', NULL
FROM server s WHERE s.standby
UNION ALL
SELECT 'FAIL', 'server_read_only', 'PostgreSQL', NULL,
       format('transactions of %s are read only', current_user),
       'default_transaction_read_only is on for this role or database.',
       format('ALTER ROLE %I SET default_transaction_read_only = off;', current_user)
FROM server s WHERE s.read_only
UNION ALL
SELECT 'FAIL', 'replication_role', 'PostgreSQL', NULL,
       format('session_replication_role of %s is %s', current_user, s.replication_role),
       'It turns foreign keys and triggers off: records would stay without their session.',
       format(E'ALTER ROLE %I RESET session_replication_role;\n'
              'ALTER DATABASE %I RESET session_replication_role;', current_user, current_database())
FROM server s WHERE s.replication_role <> 'origin'
UNION ALL
SELECT 'FAIL', 'clock_skew', 'clock', NULL,
       format('the database''s clock is %s s from this machine''s', s.apart),
       format('More than worker.clock_skew (%s s): one of the two is wrong.', $2::bigint / 1000),
       NULL
FROM server s WHERE $2::bigint > 0 AND abs(s.apart) * 1000 > $2::bigint
UNION ALL
SELECT 'WARN', 'connection_limit', l.subject, NULL,
       format('%s may have %s connection%s, one worker has %s', l.name, l.most, CASE l.most WHEN 1 THEN '' ELSE 's' END,
              $3::bigint),
       'Commands wait in holds that come and go (53300). This is for one worker; each further one has as many:',
       format('ALTER %s %s CONNECTION LIMIT %s;', upper(l.subject), l.name, $3::bigint)
FROM server s
JOIN pg_catalog.pg_roles r ON r.rolname = s.login AND NOT r.rolsuper -- which no limit stops
CROSS JOIN LATERAL (
    SELECT 1 AS place, 'role' AS subject, quote_ident(r.rolname) AS name, r.rolconnlimit AS most
    UNION ALL
    SELECT 2, 'database', quote_ident(d.datname), d.datconnlimit
    FROM pg_catalog.pg_database d WHERE d.datname = current_database()) l
WHERE l.most >= 0 AND l.most < $3::bigint
UNION ALL
SELECT 'OK', 'server', 'PostgreSQL', NULL,
       format('%s as %s, clock %s s apart', s.name, current_user, abs(s.apart)), NULL, NULL
FROM server s WHERE s.version >= 120000 AND NOT s.standby AND NOT s.read_only
  AND s.replication_role = 'origin'

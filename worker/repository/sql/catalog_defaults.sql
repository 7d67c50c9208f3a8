-- Columns without a time zone whose default writes the clock of another zone than tables.time_zone.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- $2 text    tables.time_zone
-- $3 bool    the operator has set it, and so vouches for the zone of every session of the application
-- Returns findings; worker/repository/catalog.c names their columns.
-- Zones are the same when their clocks show the same in all seasons.
WITH columns AS (
    SELECT c.oid, t.ordinal, r.name, format('%I.%I', n.nspname, c.relname) AS quoted,
           lower(pg_get_expr(d.adbin, d.adrelid)) AS expression, r.decides,
           CASE t.ordinal WHEN 6 THEN 'bookings' ELSE 'sessions' END AS concerns
    FROM (VALUES (2, 'created_at', true), (3, 'timestamp', true), (6, 'created_at', true),
                 (6, 'updated_at', false)) AS r (ordinal, name, decides)
    JOIN unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal) ON t.ordinal = r.ordinal
    JOIN pg_catalog.pg_class c ON c.oid = t.oid::oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = c.oid AND a.attname = r.name AND NOT a.attisdropped
    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid AND y.typname = 'timestamp'
    JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
), clocks AS (
    SELECT k.*, coalesce(substring(k.expression FROM 'at time zone ''([^'']+)'''),
                         substring(k.expression FROM 'timezone\(''([^'']+)''')) AS zone
    FROM columns k
    WHERE k.expression ~ 'now\(\)|current_timestamp|localtimestamp|transaction_timestamp\(\)|statement_timestamp\(\)|clock_timestamp\(\)|timeofday\(\)|current_date|''now'''
), settings AS (
    SELECT s.setdatabase, s.setrole, split_part(c.line, '=', 2) AS zone
    FROM pg_catalog.pg_db_role_setting s
    CROSS JOIN unnest(s.setconfig) AS c (line)
    WHERE lower(split_part(c.line, '=', 1)) = 'timezone'
      AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database
                                WHERE datname = current_database()))
), sessions AS ( -- whose sessions, in which tables, have which zone
    SELECT k.oid, k.name, k.zone, 'its own' AS whose FROM clocks k WHERE k.zone IS NOT NULL
    UNION ALL
    SELECT k.oid, k.name, z.zone, z.whose
    FROM clocks k
    CROSS JOIN LATERAL (
        SELECT s.zone, CASE WHEN s.setdatabase <> 0
                            THEN format('database %I', current_database())
                            ELSE 'all roles' END AS whose
        FROM settings s WHERE s.setrole = 0
        UNION ALL
        SELECT s.zone, format('role %I', r.rolname)
        FROM settings s
        JOIN pg_catalog.pg_roles r ON r.oid = s.setrole AND r.rolcanlogin
        WHERE has_table_privilege(r.oid, k.oid, 'INSERT')
        UNION ALL
        SELECT g.reset_val, 'the server'
        FROM pg_catalog.pg_settings g
        WHERE g.name = 'TimeZone' AND NOT EXISTS (SELECT FROM settings WHERE setrole = 0)
          AND g.source IN ('default', 'environment variable', 'configuration file', 'command line',
                           'global')) z
    WHERE k.expression !~ 'at time zone|timezone\('
), other AS (
    SELECT s.oid, s.name, s.zone, min(s.whose) AS whose
    FROM sessions s
    WHERE EXISTS (SELECT FROM generate_series(0, 3) AS season (n)
                  CROSS JOIN LATERAL (SELECT now() + season.n * interval '3 months' AS moment) m
                  WHERE (m.moment AT TIME ZONE s.zone) <> (m.moment AT TIME ZONE $2::text))
    GROUP BY s.oid, s.name, s.zone
)
SELECT CASE WHEN k.decides THEN 'FAIL' ELSE 'WARN' END AS level, 'time_zone_default' AS code,
       'time zone' AS subject, k.concerns,
       format('%s.%I defaults to the clock of %s (%s)', k.quoted, k.name,
              string_agg(o.zone, ', ' ORDER BY o.zone), string_agg(o.whose, ', ' ORDER BY o.zone))
           AS what,
       format('The worker reads these times as %s (tables.time_zone), so rows look older or newer '
              'than they are. Set tables.time_zone when all rows are of that zone; otherwise mend '
              'the default:', $2)
           AS why,
       format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (now() AT TIME ZONE %L);', k.quoted,
              k.name, $2) AS mend
FROM clocks k
JOIN other o ON o.oid = k.oid AND o.name = k.name
GROUP BY k.quoted, k.name, k.decides, k.concerns
UNION ALL
SELECT CASE WHEN $3::boolean THEN 'WARN' ELSE 'FAIL' END, 'time_zone_default', 'time zone',
       k.concerns,
       format('%s.%I defaults to the clock of the session that inserts', k.quoted, k.name),
       format('A program whose sessions have a zone of their own (PGTZ, JDBC) writes rows that look '
              'older or newer than they are. Set tables.time_zone=%s when all programs keep to '
              'that zone; otherwise mend the default:', $2),
       format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (now() AT TIME ZONE %L);', k.quoted,
              k.name, $2)
FROM clocks k
WHERE k.decides AND k.zone IS NULL AND k.expression !~ 'at time zone|timezone\('
  AND NOT EXISTS (SELECT FROM other o WHERE o.oid = k.oid AND o.name = k.name)
ORDER BY what

-- The statement that looks for times ahead of the clock among the rows at the end of each table, where new ones go: a few
-- pages of each, whatever its size.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- $2 text    tables.time_zone
-- $3 bigint  how far ahead a time may be, milliseconds
-- The last year that has a time in every zone is far ahead, too: it stands for those after it.
-- Returns one row: the statement, which returns findings; NULL when there is nothing to look at.
WITH leaves AS (
    SELECT c.oid, t.ordinal, r.name, y.typname = 'timestamptz' AS is_instant,
           format('%I.%I', n.nspname, c.relname) AS quoted,
           pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages,
           row_number() OVER (PARTITION BY t.ordinal ORDER BY c.oid DESC) AS place
    FROM (VALUES (2, 'created_at'), (3, 'timestamp'), (6, 'created_at')) AS r (ordinal, name)
    JOIN unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal) ON t.ordinal = r.ordinal
    CROSS JOIN LATERAL (SELECT t.oid::oid AS relid
                        UNION
                        SELECT relid FROM pg_partition_tree(t.oid::oid::regclass)) p
    JOIN pg_catalog.pg_class c ON c.oid = p.relid AND c.relkind = 'r'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = c.oid AND a.attname = r.name AND NOT a.attisdropped
    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid AND y.typname IN ('timestamp', 'timestamptz')
    WHERE has_table_privilege(c.oid, 'SELECT')
), looks AS (
    SELECT format('SELECT %L AS quoted, %L AS name, %L AS concerns, %s AS newest FROM ONLY %s x '
                  'WHERE x.ctid = ANY (ARRAY(SELECT format(''(%%s,%%s)'', p, i)::tid '
                  'FROM generate_series(%s, %s) p, generate_series(1, 150) i)) '
                  'AND isfinite(x.%I)',
                  l.quoted, l.name, CASE l.ordinal WHEN 6 THEN 'bookings' ELSE 'sessions' END,
                  format(CASE WHEN l.is_instant THEN 'max(least(x.%I, ''294276-01-01 00:00+00''))'
                              ELSE 'max(least(x.%I, ''294276-01-01'')) AT TIME ZONE %L' END,
                         l.name, $2::text),
                  l.quoted, greatest(l.pages - 3, 0), greatest(l.pages - 1, 0), l.name) AS text
    FROM leaves l WHERE l.place <= 4
)
SELECT format('SELECT ''FAIL'' AS level, ''time_ahead'' AS code, ''time zone'' AS subject, concerns, '
              'format(''the newest %%I of %%s is %%s ahead of the clock'', name, quoted, '
              'date_trunc(''second'', newest - clock_timestamp())) AS what, '
              '%L AS why, NULL AS mend FROM (%s) n '
              'WHERE newest > clock_timestamp() + %s * interval ''1 ms''',
              format('Either these times are of another zone than %s (tables.time_zone), or the clock of '
                     'a program that writes them is wrong.', $2),
              string_agg(text, ' UNION ALL '), $3::bigint)
FROM looks
HAVING count(*) > 0

-- Indexes without which the worker's statements, or the foreign keys they meet, read a whole table again and again.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- $2 text[]  oids of the tables in tables.session_references
-- $3 text[]  statements whose plan reads a table from end to end although that was to be avoided
-- $4 text[]  the table that each of them so reads, quoted
-- $5 text[]  indexes that any of the plans uses, quoted, without their schemas
-- $6 bool    tables.allow_missing_indexes
-- $7 text    tables.booking_status_pending
-- Returns findings; worker/repository/catalog.c names their columns.
-- An index serves when it begins with the column, for else all of it is read each time. A partial one serves when a plan
-- uses it; that of the bookings is made to be partial.
WITH tables AS (
    SELECT c.oid, t.ordinal, c.relkind, format('%I.%I', n.nspname, c.relname) AS quoted
    FROM unnest($1::text[] || $2::text[]) WITH ORDINALITY AS t (oid, ordinal)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid::oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), leaves AS (
    SELECT t.oid, c.oid AS leaf, format('%I.%I', n.nspname, c.relname) AS quoted,
           CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 100 ELSE c.reltuples END AS rows
    FROM tables t
    CROSS JOIN LATERAL (SELECT t.oid AS relid UNION SELECT relid FROM pg_partition_tree(t.oid)) p
    JOIN pg_catalog.pg_class c ON c.oid = p.relid AND c.relkind = 'r'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), scans AS (
    SELECT DISTINCT l.oid, s.statement
    FROM unnest($3::text[], $4::text[]) AS s (statement, quoted)
    JOIN leaves l ON l.leaf = to_regclass(s.quoted)
), wanted AS (
    SELECT t.oid, t.ordinal, t.quoted, t.relkind, r.statement, r.name, r.columns, r.consequence
    FROM (VALUES
        (1, 'session_lock_users', 'user_id', 'user_id', 'Each user that is locked costs a scan.'),
        (2, 'session_lock_sessions', 'id', 'id', 'Each session that is locked costs a scan.'),
        (2, 'session_find_and_lock', 'user_id', 'user_id, id',
         'Whole-table commands ask for a user''s messages again and again.'),
        (3, 'session_find_and_lock', 'user_id', 'user_id, "timestamp"',
         'Each look whether a user is active reads all messages.'),
        (4, 'session_lock_children', 'session_id', 'session_id',
         'Each session that is deleted reads all image records, while its rows are locked.'),
        (5, 'session_lock_children', 'session_id', 'session_id',
         'Each session that is deleted reads all video records, while its rows are locked.'),
        (6, 'booking_lock', 'booking_id', 'booking_id', 'Each booking that is locked costs a scan.'),
        (6, 'booking_find_expired', 'created_at', 'created_at, booking_id',
         'Each batch of an expiration reads all bookings.'))
         AS r (ordinal, statement, name, columns, consequence)
    JOIN tables t ON t.ordinal = r.ordinal
    UNION
    SELECT t.oid, t.ordinal, t.quoted, t.relkind, 'session_delete', a.attname,
           (SELECT string_agg(quote_ident(o.attname), ', ' ORDER BY u.place)
            FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
            JOIN pg_catalog.pg_attribute o ON o.attrelid = t.oid AND o.attnum = u.attnum),
           'Each look at a session reads the whole table.'
    FROM tables t
    JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.conrelid = t.oid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
    WHERE t.ordinal > 6 AND k.confrelid IN (SELECT oid FROM tables WHERE ordinal IN (2, 4, 5))
), missing AS (
    SELECT w.*, (SELECT sum(l.rows) FROM leaves l WHERE l.oid = w.oid) AS rows,
           CASE WHEN w.name = 'created_at' THEN format(' WHERE status = %L', $7::text) ELSE '' END
               AS condition
    FROM wanted w
    WHERE EXISTS (SELECT FROM scans s WHERE s.oid = w.oid AND s.statement = w.statement)
       OR EXISTS (SELECT FROM leaves l
                  WHERE l.oid = w.oid
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i
                                    JOIN pg_catalog.pg_attribute a
                                      ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                                    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                                    WHERE i.indrelid = l.leaf AND i.indisvalid AND i.indisready
                                      AND a.attname = w.name
                                      AND (i.indpred IS NULL OR w.name = 'created_at'
                                           OR quote_ident(c.relname) = ANY ($5::text[]))))
), broken AS ( -- left over from a CREATE INDEX CONCURRENTLY that failed; not one that is at work
    SELECT m.oid, m.name, string_agg(format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, c.relname),
                                     E'\n' ORDER BY c.relname) AS mend
    FROM missing m
    JOIN leaves l ON l.oid = m.oid
    JOIN pg_catalog.pg_index i ON i.indrelid = l.leaf AND NOT i.indisvalid
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = m.name
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                      WHERE p.index_relid = i.indexrelid OR (p.relid = l.leaf AND p.index_relid = 0))
    GROUP BY m.oid, m.name
)
SELECT CASE WHEN m.rows > 10000 AND NOT $6::bool AND m.name <> 'created_at' THEN 'FAIL' ELSE 'WARN' END
           AS level,
       'index_missing' AS code, 'index' AS subject,
       CASE m.ordinal WHEN 6 THEN 'bookings' ELSE 'sessions' END AS concerns,
       format('none on %s (%s)%s', m.quoted, m.columns,
              CASE WHEN m.rows > 0 THEN format(', about %s rows', m.rows::bigint) ELSE '' END) AS what,
       m.consequence AS why,
       concat_ws(E'\n', b.mend,
                 (SELECT string_agg(format('CREATE INDEX CONCURRENTLY ON %s (%s)%s;', l.quoted,
                                           m.columns, m.condition), E'\n' ORDER BY l.quoted)
                  FROM leaves l WHERE l.oid = m.oid),
                 CASE m.relkind WHEN 'p'
                      THEN format('CREATE INDEX ON %s (%s)%s;', m.quoted, m.columns, m.condition) END)
           AS mend
FROM missing m
LEFT JOIN broken b ON b.oid = m.oid AND b.name = m.name
ORDER BY m.ordinal, m.quoted, m.columns

-- What the application's tables are, and what could hide rows of them or add rows that no lock reaches.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- Returns findings; worker/repository/catalog.c names their columns.
WITH tables AS (
    SELECT c.oid, c.relkind, t.ordinal, format('%I.%I', n.nspname, c.relname) AS quoted,
           CASE t.ordinal WHEN 6 THEN 'bookings' ELSE 'sessions' END AS concerns
    FROM unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid::oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
)
SELECT 'FAIL' AS level, 'table_kind' AS code, 'table' AS subject, t.concerns,
       format('%s is %s, not a table', t.quoted,
              CASE t.relkind WHEN 'f' THEN 'a foreign table' ELSE 'a view' END) AS what,
       'Its rows cannot be locked as the worker has to lock them.' AS why, NULL AS mend
FROM tables t WHERE t.relkind NOT IN ('r', 'p')
UNION ALL
SELECT 'FAIL', 'inheritance', 'inheritance', t.concerns,
       format('%s inherits from %s', i.inhrelid::regclass, t.quoted),
       'No foreign key covers its rows, so an active user could look inactive. Partitions are fine.',
       format('ALTER TABLE %s NO INHERIT %s;', i.inhrelid::regclass, t.quoted)
FROM tables t
JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid AND t.relkind = 'r'
UNION ALL
SELECT 'FAIL', 'rule', 'rule', t.concerns,
       format('%s has the rule %I on %s', t.quoted, r.rulename,
              CASE r.ev_type WHEN '2' THEN 'UPDATE' ELSE 'DELETE' END),
       'What the rule makes of the worker''s statements would not be what its result says. A trigger is fine.',
       format('DROP RULE %I ON %s;', r.rulename, t.quoted)
FROM tables t
JOIN pg_catalog.pg_rewrite r ON r.ev_class = t.oid AND t.relkind IN ('r', 'p') AND r.ev_enabled <> 'D'
WHERE r.ev_type = CASE t.ordinal WHEN 6 THEN '2' ELSE '4' END AND t.ordinal IN (2, 4, 5, 6)
UNION ALL
SELECT 'FAIL', 'row_security', 'row security', t.concerns,
       format('row security of %s applies to %s', t.quoted, current_user),
       'It could hide messages of active users.',
       format('ALTER ROLE %I BYPASSRLS;', current_user)
FROM tables t WHERE row_security_active(t.oid)

-- What a role may not do with the application's tables, though the worker has to. A lock FOR UPDATE wants UPDATE on some
-- column.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- $2 int[]   table of each column that is read, as an index from 0 into $1
-- $3 text[]  columns that are read
-- $4 text[]  oids of the tables in tables.session_references
-- $5 text    the role; NULL: this one
-- Returns findings, one a schema or table; worker/repository/catalog.c names their columns.
WITH role AS (
    SELECT coalesce($5::text, current_user::text) AS name
), tables AS (
    SELECT c.oid, t.ordinal, n.oid AS schema_oid, quote_ident(n.nspname) AS schema,
           format('%I.%I', n.nspname, c.relname) AS quoted,
           CASE t.ordinal WHEN 6 THEN 'bookings' ELSE 'sessions' END AS concerns
    FROM unnest($1::text[] || $4::text[]) WITH ORDINALITY AS t (oid, ordinal)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid::oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), reads AS (
    SELECT t.ordinal, 1 AS rank, 'SELECT' AS privilege
    FROM unnest($2::int[], $3::text[]) AS r (table_index, name)
    JOIN tables t ON t.ordinal = r.table_index + 1
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = t.oid AND a.attname = r.name AND NOT a.attisdropped
    CROSS JOIN role
    WHERE NOT has_column_privilege(role.name, t.oid, a.attnum, 'SELECT')
    UNION
    SELECT t.ordinal, 1, 'SELECT'
    FROM tables t
    JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.conrelid = t.oid
    CROSS JOIN unnest(k.conkey) AS own (attnum)
    CROSS JOIN role
    WHERE t.ordinal > 6 AND NOT has_column_privilege(role.name, t.oid, own.attnum, 'SELECT')
), writes AS (
    SELECT t.ordinal, r.rank, r.privilege
    FROM (VALUES (1, 2, 'UPDATE (user_id)', 'UPDATE', ''),
                 (2, 2, 'UPDATE (id)', 'UPDATE', ''), (2, 3, 'DELETE', 'DELETE', NULL),
                 (4, 2, 'UPDATE (id)', 'UPDATE', ''), (4, 3, 'DELETE', 'DELETE', NULL),
                 (5, 2, 'UPDATE (id)', 'UPDATE', ''), (5, 3, 'DELETE', 'DELETE', NULL),
                 (6, 2, 'UPDATE (status, updated_at)', 'UPDATE', 'status'),
                 (6, 2, 'UPDATE (status, updated_at)', 'UPDATE', 'updated_at'))
         AS r (ordinal, rank, privilege, kind, column_name)
    JOIN tables t ON t.ordinal = r.ordinal
    LEFT JOIN pg_catalog.pg_attribute a
      ON a.attrelid = t.oid AND a.attname = r.column_name AND NOT a.attisdropped
    CROSS JOIN role
    WHERE NOT CASE WHEN r.column_name IS NULL THEN has_table_privilege(role.name, t.oid, r.kind)
                   WHEN r.column_name = ''
                   THEN has_any_column_privilege(role.name, t.oid, r.kind)
                   WHEN a.attnum IS NULL THEN true
                   ELSE has_column_privilege(role.name, t.oid, a.attnum, r.kind)
              END
), lacks AS (
    SELECT ordinal, string_agg(privilege, ', ' ORDER BY rank) AS privileges
    FROM (SELECT * FROM reads UNION SELECT * FROM writes) p
    GROUP BY ordinal
), objects AS (
    SELECT DISTINCT 0 AS ordinal, NULL AS concerns, 'USAGE' AS privileges,
           'schema ' || t.schema AS object, 'SCHEMA ' || t.schema AS target
    FROM tables t CROSS JOIN role
    WHERE NOT has_schema_privilege(role.name, t.schema_oid, 'USAGE')
    UNION ALL
    SELECT t.ordinal, t.concerns, l.privileges, t.quoted, t.quoted
    FROM lacks l JOIN tables t ON t.ordinal = l.ordinal
)
SELECT 'FAIL' AS level, 'privilege_missing' AS code, 'privilege' AS subject, o.concerns,
       format('%s lacks %s on %s', role.name, o.privileges, o.object) AS what, NULL AS why,
       format('GRANT %s ON %s TO %I;', o.privileges, o.target, role.name) AS mend
FROM objects o CROSS JOIN role
ORDER BY o.ordinal, o.object

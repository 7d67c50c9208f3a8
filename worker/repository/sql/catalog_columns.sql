-- Columns the worker needs that are missing, or of a type it cannot work with.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- $2 int[]   table of each column, as an index from 0 into $1
-- $3 text[]  columns
-- $4 text[]  what kind each must be: key, uuid, time, word, number or any
-- Returns findings; worker/repository/catalog.c names their columns.
WITH kinds (kind, types, taken, usual) AS (
    VALUES ('key', '{text,varchar}'::text[], 'text or varchar', 'varchar(64)'),
           ('uuid', '{uuid}', 'uuid', 'uuid'),
           ('time', '{timestamp,timestamptz}', 'timestamp or timestamptz', 'timestamp'),
           ('word', '{text,varchar,bpchar,citext}', 'text, varchar, char, citext or an enum', 'text'),
           ('number', '{numeric,int2,int4,int8,float4,float8}', 'a number', 'numeric(10,2)'),
           ('any', NULL, NULL, 'text')
), needs AS (
    SELECT t.oid::oid AS oid, r.ordinal, r.name, k.kind, k.types, k.taken, k.usual,
           format('%I.%I', n.nspname, c.relname) AS quoted,
           CASE t.ordinal WHEN 6 THEN 'bookings' ELSE 'sessions' END AS concerns
    FROM unnest($2::int[], $3::text[], $4::text[]) WITH ORDINALITY
         AS r (table_index, name, kind, ordinal)
    JOIN unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal) ON t.ordinal = r.table_index + 1
    JOIN pg_catalog.pg_class c ON c.oid = t.oid::oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN kinds k ON k.kind = r.kind
), looks AS (
    SELECT n.*, a.attnum, format_type(a.atttypid, a.atttypmod) AS found,
           coalesce(b.typname, y.typname) AS base, coalesce(b.typtype, y.typtype) = 'e' AS is_enum
    FROM needs n
    LEFT JOIN pg_catalog.pg_attribute a
           ON a.attrelid = n.oid AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
)
SELECT 'FAIL' AS level,
       CASE WHEN l.attnum IS NULL THEN 'column_missing' ELSE 'column_type' END AS code,
       'column' AS subject, l.concerns,
       CASE WHEN l.attnum IS NULL THEN format('%s has no column %I', l.quoted, l.name)
            ELSE format('%s.%I is %s, the worker takes %s', l.quoted, l.name, l.found, l.taken)
       END AS what,
       NULL AS why,
       CASE WHEN l.attnum IS NULL
            THEN format('ALTER TABLE %s ADD COLUMN %I %s;', l.quoted, l.name, l.usual)
            WHEN l.kind = 'time' AND (l.base = 'date' OR l.base IN ('text', 'varchar'))
            THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE timestamp USING %2$I::timestamp;',
                        l.quoted, l.name)
       END AS mend
FROM looks l
WHERE l.attnum IS NULL
   OR (l.types IS NOT NULL AND l.base <> ALL (l.types) AND NOT (l.kind = 'word' AND l.is_enum))
ORDER BY l.ordinal

-- Which of the application's columns of times are instants.
-- $1 text[]  quoted tables, one for each column
-- $2 text[]  columns
-- Returns one row for each, in order: true for timestamptz, false for timestamp and for what is not there.
SELECT coalesce(coalesce(b.typname, y.typname) = 'timestamptz', false) AS is_instant
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c (quoted, name, ordinal)
LEFT JOIN pg_catalog.pg_attribute a
       ON a.attrelid = to_regclass(c.quoted) AND a.attname = c.name AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
ORDER BY c.ordinal

-- Which of the application's columns of times are instants.
-- $1 text[]  quoted tables, one for each column
-- $2 text[]  columns
-- Returns one row for each, in order: true for timestamptz, false for timestamp and for what is not there.
SELECT coalesce(coalesce(b.typname, y.typname) OPERATOR(pg_catalog.=) 'timestamptz', false) AS is_instant
FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) WITH ORDINALITY AS c (quoted, name, ordinal)
LEFT JOIN pg_catalog.pg_attribute a
       ON a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(c.quoted)
         AND a.attname OPERATOR(pg_catalog.=) c.name AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) a.atttypid
LEFT JOIN pg_catalog.pg_type b ON y.typtype OPERATOR(pg_catalog.=) 'd' AND b.oid OPERATOR(pg_catalog.=) y.typbasetype
ORDER BY c.ordinal

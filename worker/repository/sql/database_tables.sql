-- Looks up table names as the search path of this login sees them.
-- $1 text[]  identifiers as in a FROM clause
-- Returns one row for each, in order: quoted name with schema (NULL = no such table), quoted schema.
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted,
       quote_ident(n.nspname) AS schema
FROM unnest($1::text[]) WITH ORDINALITY AS i (name, ordinal)
LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(i.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY i.ordinal

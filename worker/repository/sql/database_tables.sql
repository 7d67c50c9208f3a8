-- Looks up table names as the search path of this login sees them.
-- $1 text[]  identifiers as in a FROM clause
-- Returns one row for each, in order: quoted name with schema (NULL = no such table).
SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname) AS quoted
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS i (name, ordinal)
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(i.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
ORDER BY i.ordinal

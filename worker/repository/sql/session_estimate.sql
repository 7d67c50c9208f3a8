-- How many sessions there are, as the catalog remembers them.
-- $1 text  quoted sessions table
-- Returns at most one row: the estimate; none when the table was never analysed, or is gone.
SELECT c.reltuples::bigint
FROM pg_catalog.pg_class c
WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) AND c.reltuples OPERATOR(pg_catalog.>) 0

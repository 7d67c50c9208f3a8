-- How many bookings are Pending, old or new, as the planner's statistics remember them.
-- $1 text  quoted bookings table
-- $2 text  status of the bookings that expire
-- Returns at most one row: the estimate; none when the table was never analysed, or is gone.
SELECT (c.reltuples OPERATOR(pg_catalog.*) v.frequency)::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
JOIN pg_catalog.pg_stats s
  ON s.schemaname OPERATOR(pg_catalog.=) n.nspname AND s.tablename OPERATOR(pg_catalog.=) c.relname
    AND s.attname OPERATOR(pg_catalog.=) 'status'
CROSS JOIN LATERAL unnest(s.most_common_vals::pg_catalog.text::pg_catalog.text[], s.most_common_freqs)
      AS v (label, frequency)
WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) AND c.reltuples OPERATOR(pg_catalog.>) 0
  AND v.label OPERATOR(pg_catalog.=) $2
ORDER BY s.inherited DESC
LIMIT 1

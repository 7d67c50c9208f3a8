-- How many bookings are Pending, old or new, as the planner's statistics remember them.
-- $1 text  quoted bookings table
-- $2 text  status of the bookings that expire
-- Returns at most one row: the estimate; none when the table was never analysed, or is gone.
SELECT (c.reltuples * v.frequency)::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_stats s
  ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'status'
CROSS JOIN LATERAL unnest(s.most_common_vals::text::text[], s.most_common_freqs)
      AS v (label, frequency)
WHERE c.oid = to_regclass($1) AND c.reltuples > 0 AND v.label = $2
ORDER BY s.inherited DESC
LIMIT 1
